import type { LabelSelector, TargetRef } from "../../gen/schema-types.ts";
import type { Report, Rule } from "../rule.ts";
import { checkSelector, checkSelectorEmpty } from "./labels.ts";

/** A policy that says for which workloads or objects it holds. */
interface Targeted {
  readonly selector?: LabelSelector;
  readonly targetRef?: TargetRef;
  readonly targetRefs?: readonly TargetRef[];
}

/** Group and kind of what a policy can be attached to. */
const TARGETS: ReadonlySet<string> = new Set([
  "/Service",
  "core/Service",
  "networking.istio.io/ServiceEntry",
  "gateway.networking.k8s.io/Gateway",
  "gateway.networking.k8s.io/GatewayClass",
]);

/** The rules about selector and targetRefs, alike for every policy; `prefix` starts their names. */
export function targetRules<Spec extends Targeted>(prefix: string): readonly Rule<Spec>[] {
  return [
    {
      name: `${prefix}-target`,
      holds: "selector and targetRefs exclude each other.",
      severity: "error",
      check: ({ selector, targetRef, targetRefs = [] }, report) => {
        const given = [selector !== undefined, targetRef !== undefined, targetRefs.length > 0].filter(Boolean).length;
        if (given > 1)
          report(
            [selector === undefined ? "targetRef" : "selector"],
            "selector and targetRefs exclude each other",
            "Keep one of them.",
          );
      },
    },
    {
      name: `${prefix}-target-refs`,
      holds: "A target is a Service, ServiceEntry, Gateway or GatewayClass by name, in the same namespace.",
      severity: "error",
      check: ({ targetRef, targetRefs }, report) => {
        if (targetRef !== undefined) checkTargetRef(targetRef, ["targetRef"], report);
        checkTargetRefs(targetRefs, report);
      },
    },
    ...selectorRules<Spec>(prefix),
  ];
}

/** The rules about a selector of pod labels. */
export function selectorRules<Spec extends { readonly selector?: LabelSelector }>(
  prefix: string,
): readonly Rule<Spec>[] {
  return [
    {
      name: `${prefix}-selector`,
      holds: "Labels of a selector have keys and no wildcards.",
      severity: "error",
      check: ({ selector }, report) => checkSelector(selector, report),
    },
    {
      name: `${prefix}-selector-empty`,
      holds: "A selector has labels.",
      severity: "warning",
      check: ({ selector }, report) => {
        if (selector !== undefined) checkSelectorEmpty(selector.matchLabels, ["selector"], report);
      },
    },
  ];
}

/** Reports each target that a policy cannot be attached to. */
export function checkTargetRefs(targetRefs: readonly TargetRef[] | undefined, report: Report): void {
  for (const [index, each] of (targetRefs ?? []).entries()) checkTargetRef(each, ["targetRefs", index], report);
}

function checkTargetRef(ref: TargetRef, path: readonly (string | number)[], report: Report): void {
  const group = ref.group ?? "";
  if ((ref.name ?? "") === "") report([...path, "name"], "the name of the target is missing", "Add name.");
  if ((ref.namespace ?? "") !== "")
    report([...path, "namespace"], "a target is always in the policy's own namespace", "Remove namespace.");
  if (!TARGETS.has(`${group}/${ref.kind}`))
    report(
      [...path, "kind"],
      `expected Service, ServiceEntry (networking.istio.io), Gateway or GatewayClass (gateway.networking.k8s.io), got ${ref.kind} of group "${group}"`,
      "Correct group and kind.",
    );
}
