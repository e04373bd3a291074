import type { PodSpec } from "../resources/core.ts";
import type { ObjectMeta } from "../resources/object.ts";

/** Whether a pod is injected and why, in words for a person. */
export interface InjectionDecision {
  readonly inject: boolean;
  readonly reason: string;
  readonly warnings: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/** Namespaces whose pods run the cluster itself. */
const IGNORED_NAMESPACES: ReadonlySet<string> = new Set([
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "local-path-storage",
]);

/** Label (and annotation) of pods that asks for injection or refuses it. */
export const INJECT_LABEL = "sidecar.istio.io/inject";

/**
 * Stage 1: the webhook of revision `revision` that the API server would call for a pod, or why none. Only labels count here;
 * the selectors of manifests/base/pilot.yaml say the same and a test holds the two together.
 */
export function callingWebhook(namespace: Labels, pod: Labels, revision: string): InjectionDecision {
  const none = (reason: string): InjectionDecision => ({ inject: false, reason, warnings: [] });
  const called = (reason: string): InjectionDecision => ({ inject: true, reason, warnings: [] });
  if (pod[INJECT_LABEL] === "false") return none(`pod label ${INJECT_LABEL}=false`);
  const injection = namespace["istio-injection"];
  const isDefault = revision === "default";
  if (injection !== undefined) {
    if (injection !== "enabled") return none(`namespace label istio-injection=${injection}`);
    return isDefault
      ? called("namespace label istio-injection=enabled")
      : none("the default revision injects this namespace");
  }
  const namespaceRevision = namespace["istio.io/rev"];
  if (namespaceRevision !== undefined) {
    const text = `namespace label istio.io/rev=${namespaceRevision}`;
    return namespaceRevision === revision ? called(text) : none(text);
  }
  const podRevision = pod["istio.io/rev"];
  if (podRevision !== undefined) {
    const text = `pod label istio.io/rev=${podRevision}`;
    return podRevision === revision ? called(text) : none(text);
  }
  if (isDefault && pod[INJECT_LABEL] === "true") return called(`pod label ${INJECT_LABEL}=true`);
  return none("neither the namespace nor the pod asks for injection");
}

/** Why a pod is never injected, whatever labels say; undefined when it may be. */
export function neverInjected(spec: Partial<PodSpec>, namespace: string): string | undefined {
  if (spec.hostNetwork === true) return "the pod uses the host network";
  return IGNORED_NAMESPACES.has(namespace) ? `namespace ${namespace} is never injected` : undefined;
}

/** What the pod itself asks for: the label, or the annotation where there is no label. */
export function injectionWish(metadata: Partial<ObjectMeta> | undefined): {
  readonly asked: string | undefined;
  readonly source: string;
} {
  const label = metadata?.labels?.[INJECT_LABEL];
  if (label !== undefined) return { asked: label, source: `pod label ${INJECT_LABEL}` };
  return { asked: metadata?.annotations?.[INJECT_LABEL], source: `pod annotation ${INJECT_LABEL}` };
}
