import { own } from "../base/own.ts";
import type { WorkloadOwner } from "../model/workload.ts";
import type { KubeObject } from "../resources/object.ts";
import type { PodLike } from "./config.ts";

/** A pod or pod template in a document. */
export interface PodPlace {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** From the document to the pod or template. */
  readonly path: readonly (string | number)[];
  readonly pod: PodLike;
  /** The workload that the pods will have; absent for a bare pod. Pods of ReplicaSets and Jobs are named after the document. */
  readonly owner?: WorkloadOwner;
}

/** `Kind.group` -> where its pod template is; the core group is empty. */
export type TemplatePaths = Readonly<Record<string, readonly string[]>>;

/** The workload kinds of Kubernetes and OpenShift. */
const TEMPLATE_PATHS: TemplatePaths = {
  "Pod.": [],
  "PodTemplate.": ["template"],
  "ReplicationController.": ["spec", "template"],
  "Deployment.apps": ["spec", "template"],
  "Deployment.extensions": ["spec", "template"],
  "ReplicaSet.apps": ["spec", "template"],
  "ReplicaSet.extensions": ["spec", "template"],
  "DaemonSet.apps": ["spec", "template"],
  "DaemonSet.extensions": ["spec", "template"],
  "StatefulSet.apps": ["spec", "template"],
  "Job.batch": ["spec", "template"],
  "CronJob.batch": ["spec", "jobTemplate", "spec", "template"],
  "DeploymentConfig.apps.openshift.io": ["spec", "template"],
};

/** The pods of a document: of its workload, or of all workloads of a List. `custom` are paths of further kinds. */
export function podsOf(
  document: unknown,
  { namespace, custom = {} }: { readonly namespace: string; readonly custom?: TemplatePaths },
): readonly PodPlace[] {
  const items = member(document, "items");
  if (String(member(document, "kind")).endsWith("List") && Array.isArray(items))
    return items.flatMap((item, index) =>
      podsOf(item, { namespace, custom }).map((place) => ({ ...place, path: ["items", index, ...place.path] })),
    );
  if (!isObject(document)) return [];
  const { apiVersion, kind, metadata } = document;
  const key = `${kind}.${groupOf(apiVersion)}`;
  const path = own(custom, key) ?? own(TEMPLATE_PATHS, key);
  const pod = path?.reduce<unknown>(member, document);
  if (path === undefined || !isPodLike(pod)) return [];
  const name = nameOf(metadata);
  const place = { apiVersion, kind, namespace: metadata.namespace ?? namespace, name, path, pod };
  return [path.length === 0 ? place : { ...place, owner: { apiVersion, kind, name } }];
}

function nameOf({ name, generateName = "" }: Partial<KubeObject["metadata"]>): string {
  return name ?? generateName;
}

function groupOf(apiVersion: string): string {
  const at = apiVersion.indexOf("/");
  return at < 0 ? "" : apiVersion.slice(0, at);
}

/** The document with another pod at a place. */
export function withPod(document: unknown, path: PodPlace["path"], pod: PodLike): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return pod;
  if (Array.isArray(document))
    return (document as readonly unknown[]).map((item, index) => (index === key ? withPod(item, rest, pod) : item));
  return { ...(document as object), [key]: withPod(member(document, key), rest, pod) };
}

function member(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}

function isObject(value: unknown): value is KubeObject & { metadata: Partial<KubeObject["metadata"]> } {
  const metadata = member(value, "metadata");
  return (
    typeof member(value, "kind") === "string" &&
    typeof member(value, "apiVersion") === "string" &&
    typeof metadata === "object" &&
    metadata !== null
  );
}

function isPodLike(value: unknown): value is PodLike {
  return Array.isArray(member(member(value, "spec"), "containers"));
}
