import type { InjectorConfig, LabelSelector, PodLike } from "./config.ts";

/** Whether a pod is injected and why, in words for a person. */
export interface Decision {
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

const INJECT = "sidecar.istio.io/inject";

/**
 * Stage 1: the webhook of revision `revision` that the API server would call for a pod, or why none. Only labels count here;
 * the selectors of manifests/base/pilot.yaml say the same and a test holds the two together.
 */
export function callingWebhook(namespace: Labels, pod: Labels, revision: string): Decision {
  const none = (reason: string): Decision => ({ inject: false, reason, warnings: [] });
  const called = (reason: string): Decision => ({ inject: true, reason, warnings: [] });
  if (pod[INJECT] === "false") return none(`pod label ${INJECT}=false`);
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
  if (isDefault && pod[INJECT] === "true") return called(`pod label ${INJECT}=true`);
  return none("neither the namespace nor the pod asks for injection");
}

/** Stage 2: what the injector itself decides about a pod it was asked about, in Istio's order. */
export function injectionRequired(pod: PodLike, namespace: string, config: InjectorConfig): Decision {
  const warnings: string[] = [];
  const decided = (inject: boolean, reason: string): Decision => ({ inject, reason, warnings });
  const never = neverInjected(pod, namespace);
  if (never !== undefined) return decided(false, never);
  const { asked, source } = wish(pod);
  if (asked === "false") return decided(false, `${source}=false`);
  if (asked !== undefined && asked !== "true")
    warnings.push(`${source} is "${asked}": only true and false have a meaning`);
  if (config.policy !== "enabled" && config.policy !== "disabled")
    return decided(false, `injector policy "${config.policy}" is neither enabled nor disabled`);
  if (asked === "true") return decided(true, `${source}=true`);
  const labels = pod.metadata?.labels ?? {};
  if (anySelects(config.neverInjectSelector, labels)) return decided(false, "neverInjectSelector selects the pod");
  if (anySelects(config.alwaysInjectSelector, labels)) return decided(true, "alwaysInjectSelector selects the pod");
  return decided(config.policy === "enabled", `injector policy is ${config.policy}`);
}

function neverInjected(pod: PodLike, namespace: string): string | undefined {
  if (pod.spec.hostNetwork === true) return "the pod uses the host network";
  return IGNORED_NAMESPACES.has(namespace) ? `namespace ${namespace} is never injected` : undefined;
}

/** What the pod itself asks for: the label, or the annotation where there is no label. */
function wish(pod: PodLike): { readonly asked: string | undefined; readonly source: string } {
  const label = pod.metadata?.labels?.[INJECT];
  if (label !== undefined) return { asked: label, source: `pod label ${INJECT}` };
  return { asked: pod.metadata?.annotations?.[INJECT], source: `pod annotation ${INJECT}` };
}

/** An empty selector would select every pod: in these lists it counts as not written. */
function anySelects(selectors: readonly LabelSelector[] | undefined, labels: Labels): boolean {
  return (selectors ?? []).some((selector) => !isEmpty(selector) && selects(selector, labels));
}

/** Kubernetes' label selector: all conditions must hold; NotIn and DoesNotExist hold for an absent label. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {});
  if (wanted.some(([key, value]) => labels[key] !== value)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    const value = labels[key];
    const isListed = value !== undefined && (values ?? []).includes(value);
    switch (operator) {
      case "In":
        return isListed;
      case "NotIn":
        return !isListed;
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
    }
  });
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}
