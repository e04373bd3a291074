import { decideInjection, type InjectionDecision } from "../model/injection.ts";
import type { InjectContext, PodLike } from "./config.ts";

/** Whether the injector puts a proxy into a pod it was asked about: stage 2 of the decision (model/injection.ts). */
export function decide(pod: PodLike, context: Pick<InjectContext, "namespace" | "config">): InjectionDecision {
  return decideInjection({
    pod,
    namespace: { name: context.namespace },
    calls: "asked",
    injector: context.config,
  });
}
