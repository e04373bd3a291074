import { askedRevision } from "../model/asked-revision.ts";
import { INJECT_LABEL } from "../model/injection-rules.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Facts } from "./facts.ts";
import type { Container, PodSpec, Shapes } from "./shapes.ts";

export type Pod = Shapes["Pod"];

/** Whether a pod is to run: neither finished nor on its way out. */
export function isAlive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata.deletionTimestamp === undefined;
}

/** Containers and init containers: a sidecar is either. */
export function allContainers(spec: PodSpec | undefined): readonly Container[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
}

/** The proxy of a pod that was injected. */
export function proxyOf(pod: Pod): Container | undefined {
  return allContainers(pod.spec).find(({ name }) => name === "istio-proxy");
}

/** Pods with a proxy that run. */
export async function injectedPods(facts: Facts): Promise<readonly Pod[]> {
  return (await facts.list("Pod")).filter((pod) => isAlive(pod) && proxyOf(pod) !== undefined);
}

/** Pods of the control plane that are to run. */
export async function controlPlanePods(facts: Facts): Promise<readonly Pod[]> {
  return (await facts.own("Pod")).filter((pod) => pod.metadata.labels?.["app"] === "istiod" && isAlive(pod));
}

/** Services that lead to a control plane in another cluster, or outside of any: what profile remote makes. */
export async function waysElsewhere(facts: Facts): Promise<readonly Shapes["Service"][]> {
  return (await facts.own("Service")).filter(
    ({ metadata }) => metadata.labels?.["operator.istio.io/component"] === "IstiodRemote",
  );
}

/** Whether a pod refuses a sidecar, by label or by the older annotation. */
export function refusesSidecar({ metadata }: KubeObject): boolean {
  return (metadata.labels?.[INJECT_LABEL] ?? metadata.annotations?.[INJECT_LABEL]) === "false";
}

/** Namespaces in which pods get sidecars. */
export async function injectedNamespaces(facts: Facts): Promise<readonly KubeObject[]> {
  return (await facts.list("Namespace")).filter((namespace) => askedRevision(namespace) !== undefined);
}

/** Sum of what containers of a pod ask for. */
export function podRequests(
  spec: PodSpec | undefined,
  resource: string,
  of: (text: string | undefined) => number,
): number {
  return (spec?.containers ?? []).reduce((sum, { resources }) => sum + of(resources?.requests?.[resource]), 0);
}

/** The tag of an image: "" without one. */
export function tagOf(image = ""): string {
  const name = image.split("@")[0] ?? "";
  const at = name.lastIndexOf(":");
  return at > name.lastIndexOf("/") ? name.slice(at + 1) : "";
}
