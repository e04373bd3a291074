import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { targetOf } from "./apply.ts";
import { conditionsOf } from "./readiness.ts";

interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly state?: Readonly<Record<string, { readonly reason?: string; readonly message?: string } | undefined>>;
}

/**
 * Why an object is not ready, in the cluster's own words: waiting containers of a Deployment's pods, warnings about its pods and
 * ReplicaSets, its conditions. Undefined when nothing is said.
 */
export async function reasonOf(cluster: ClusterReader, object: KubeObject): Promise<string | undefined> {
  if (object.kind.endsWith("WebhookConfiguration"))
    return "the control plane has not yet written its certificate into it";
  if (object.kind === "CustomResourceDefinition") return crdReason(cluster, object);
  return object.kind === "Deployment" ? deploymentReason(cluster, object) : conditionText(object);
}

async function crdReason(cluster: ClusterReader, object: KubeObject): Promise<string | undefined> {
  const live = await cluster.get(targetOf(object));
  return live && (terminatingText(live) ?? conditionText(live));
}

async function deploymentReason(cluster: ClusterReader, object: KubeObject): Promise<string | undefined> {
  const pods = await podsOf(cluster, object);
  const first = (find: (pod: KubeObject) => string | undefined): string | undefined =>
    pods.map(find).find((reason) => reason !== undefined);
  const said = first(containerReason) ?? first(unscheduledReason) ?? (await lastWarning(cluster, object));
  if (said !== undefined) return said;
  const unready = first(notReadyReason);
  if (unready !== undefined) return unready;
  const live = await cluster.get(targetOf(object));
  return (live && conditionText(live)) ?? (pods.length === 0 ? "no pod has been created yet" : undefined);
}

async function podsOf(cluster: ClusterReader, deployment: KubeObject): Promise<readonly KubeObject[]> {
  const { selector } = deployment.spec as { selector?: { matchLabels?: Record<string, string> } };
  const labelSelector = Object.entries(selector?.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const namespace = deployment.metadata.namespace ?? "";
  return cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace, labelSelector });
}

function containerReason(pod: KubeObject): string | undefined {
  for (const { name, state } of containersOf(pod)) {
    const { reason, message } = state?.["waiting"] ?? state?.["terminated"] ?? {};
    if (reason === undefined || HARMLESS.has(reason)) continue;
    return `container ${name} of pod ${pod.metadata.name}: ${withMessage(reason, message)}`;
  }
  return undefined;
}

function containersOf(pod: KubeObject): readonly ContainerStatus[] {
  const status = (pod.status ?? {}) as Readonly<Record<string, readonly ContainerStatus[] | undefined>>;
  return [...(status["initContainerStatuses"] ?? []), ...(status["containerStatuses"] ?? [])];
}

/** States on the normal way to ready. */
const HARMLESS: ReadonlySet<string> = new Set(["Completed", "PodInitializing", "ContainerCreating"]);

function unscheduledReason(pod: KubeObject): string | undefined {
  const unscheduled = conditionsOf(pod).find(
    (condition) => condition.type === "PodScheduled" && condition.status === "False",
  );
  if (unscheduled === undefined) return undefined;
  return `pod ${pod.metadata.name}: ${withMessage(unscheduled.reason ?? "not scheduled", unscheduled.message)}`;
}

function notReadyReason(pod: KubeObject): string | undefined {
  const running = containersOf(pod).find((container) => container.ready !== true);
  return running === undefined ? undefined : `container ${running.name} of pod ${pod.metadata.name} is not ready yet`;
}

/** The newest warning about the Deployment's ReplicaSets and pods, whose names start with its own. */
async function lastWarning(cluster: ClusterReader, object: KubeObject): Promise<string | undefined> {
  const namespace = object.metadata.namespace ?? "";
  const events = await cluster.list({ apiVersion: "v1", kind: "Event" }, { namespace });
  const about = events.filter((event) => {
    const { name } = (event["involvedObject"] ?? {}) as { name?: string };
    return event["type"] === "Warning" && name?.startsWith(object.metadata.name) === true;
  });
  const last = about.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1)).at(-1);
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return last === undefined ? undefined : withMessage(text(last["reason"]) ?? "Warning", text(last["message"]));
}

function timeOf(event: KubeObject): string {
  const time = event["lastTimestamp"] ?? event["eventTime"];
  return typeof time === "string" ? time : "";
}

/** What the API server says about the deletion of a CRD and its objects. */
function terminatingText(object: KubeObject): string | undefined {
  if (object.metadata.deletionTimestamp === undefined) return undefined;
  const said = conditionsOf(object).find(({ type }) => type === "Terminating");
  return said === undefined ? "its deletion has not begun" : withMessage(said.reason ?? "Terminating", said.message);
}

function conditionText(object: KubeObject): string | undefined {
  const bad = conditionsOf(object).find(
    (condition) => condition.type === "ReplicaFailure" || condition.status === "False",
  );
  return bad === undefined ? undefined : withMessage(bad.reason ?? bad.type, bad.message);
}

function withMessage(reason: string, message: string | undefined): string {
  return message === undefined || message === "" ? reason : `${reason}: ${message}`;
}
