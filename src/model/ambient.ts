import type { Pod } from "../resources/core.ts";
import type { KubeObject } from "../resources/object.ts";

/** Label of namespaces and pods: how the mesh takes their traffic without a sidecar (`ambient`), or not (`none`). */
export const DATAPLANE_MODE_LABEL = "istio.io/dataplane-mode";

/** What the CNI plug-in writes on a pod that it took into ambient mode. */
const REDIRECTION_ANNOTATION = "ambient.istio.io/redirection";

/** Whether pods of a namespace are in ambient mode unless they say otherwise. */
export function isAmbientNamespace(namespace: KubeObject | undefined): boolean {
  return namespace?.metadata.labels?.[DATAPLANE_MODE_LABEL] === "ambient";
}

/** Whether a pod is in ambient mode: the CNI plug-in said so, or its label, or that of its namespace. */
export function isAmbientPod({ metadata }: Pod, namespace: KubeObject | undefined): boolean {
  if (metadata.annotations?.[REDIRECTION_ANNOTATION] === "enabled") return true;
  const own = metadata.labels?.[DATAPLANE_MODE_LABEL];
  return own === undefined ? isAmbientNamespace(namespace) : own === "ambient";
}
