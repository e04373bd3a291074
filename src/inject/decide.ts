import { type InjectionDecision, injectionWish, neverInjected } from "../model/injection.ts";
import { type LabelSelector, matchesSelector } from "../model/label-selector.ts";
import type { InjectContext, InjectorConfig, PodLike } from "./config.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether the injector puts a proxy into a pod it was asked about. */
export function decide(pod: PodLike, context: InjectContext): InjectionDecision {
  return injectionRequired(pod, context.namespace, context.config);
}

/** Stage 2: what the injector itself decides about a pod it was asked about, in Istio's order. */
export function injectionRequired(pod: PodLike, namespace: string, config: InjectorConfig): InjectionDecision {
  const warnings: string[] = [];
  const decided = (inject: boolean, reason: string): InjectionDecision => ({ inject, reason, warnings });
  const never = neverInjected(pod.spec, namespace);
  if (never !== undefined) return decided(false, never);
  const { asked, source } = injectionWish(pod.metadata);
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

/** An empty selector would select every pod: in these lists it counts as not written. */
function anySelects(selectors: readonly LabelSelector[] | undefined, labels: Labels): boolean {
  return (selectors ?? []).some((selector) => !isEmpty(selector) && matchesSelector(selector, labels));
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}
