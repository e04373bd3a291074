import { nearest } from "../../base/nearest.ts";
import { isAmbientPod } from "../../model/ambient.ts";
import { namedSelector } from "../../model/selectors.ts";
import type { Pod } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText } from "./shared-names.ts";

/**
 * A policy for workloads that are not there, or that have no proxy, protects nothing; a source namespace that does not exist
 * matches nobody. Policies with targetRefs are for what these name.
 */
export const authorizationPolicyReference = defineAnalyzer({
  name: "authorization-policy-reference",
  summary: "Checks that AuthorizationPolicies are for workloads of the mesh and name namespaces that exist.",
  reads: ["AuthorizationPolicy", "Pod", "WorkloadEntry", "Namespace", "Service", "ServiceAccount"],
  codes: ["IST0101", "IST0127"],
  analyze: (input) => {
    const namespaces = input.world.list("Namespace").map(({ metadata }) => metadata.name);
    for (const object of input.world.list("AuthorizationPolicy")) {
      checkWorkloads(input, object);
      checkNamespaces(input, object, namespaces);
    }
  },
});

type Policy = KindTypes["AuthorizationPolicy"];
type Input = AnalyzerInput<
  "AuthorizationPolicy" | "Pod" | "WorkloadEntry" | "Namespace" | "Service" | "ServiceAccount",
  "IST0101" | "IST0127"
>;

function checkWorkloads(input: Input, object: Policy): void {
  const { spec, metadata } = object;
  if (spec?.targetRef !== undefined || (spec?.targetRefs ?? []).length > 0) return;
  const { namespace = "" } = metadata;
  const selector = namedSelector(spec?.selector?.matchLabels);
  const isRoot = namespace === input.model.rootNamespace;
  if (isRoot && selector === undefined) return;
  const where = isRoot ? undefined : namespace;
  const isInMesh = (pod: Pod): boolean =>
    input.model.workloads.proxy(pod) !== "no" ||
    isAmbientPod(pod, input.world.get("Namespace", "", pod.metadata.namespace ?? ""));
  if (input.model.workloads.selected(where, selector ?? {}).some(isInMesh)) return;
  const machines = input.world.list("WorkloadEntry", where);
  if (
    machines.some((entry) =>
      Object.entries(selector ?? {}).every(([key, value]) => entry.spec?.labels?.[key] === value),
    )
  )
    return;
  const labels = selector === undefined ? "" : labelsText(selector);
  if (!input.knows("workloads", where))
    return input.unknown(`workloads of policy ${namespace}/${metadata.name}: none of its namespace is in the files`);
  const path = selector === undefined ? ["metadata", "name"] : ["spec", "selector", "matchLabels"];
  input.report(object, path, "IST0127", { labels });
}

/** Namespaces that every cluster has, or that hold the mesh itself. */
const ALWAYS: ReadonlySet<string> = new Set([
  "default",
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "istio-system",
]);

function checkNamespaces(input: Input, object: Policy, known: readonly string[]): void {
  for (const [rule, { from = [] }] of (object.spec?.rules ?? []).entries())
    for (const [index, { source }] of from.entries())
      for (const field of ["namespaces", "notNamespaces"] as const)
        for (const [position, pattern] of (source?.[field] ?? []).entries()) {
          if (ALWAYS.has(pattern) || pattern === input.model.rootNamespace || matchesAny(input, pattern, known))
            continue;
          if (!input.knows("Namespace")) {
            input.unknown(`namespace ${pattern}: no Namespace is in the files`);
            continue;
          }
          const close = nearest(pattern, known);
          const where = close === undefined ? "Create the namespace, or correct the name." : `Did you mean ${close}?`;
          const path = ["spec", "rules", rule, "from", index, "source", field, position];
          input.report(object, path, "IST0101", { what: "namespace", name: pattern, where });
        }
}

/** `*`, `prefix*`, `*suffix`, or the name itself. */
function matchesAny({ model }: Input, pattern: string, known: readonly string[]): boolean {
  if (!pattern.includes("*")) return model.namespaces.exists(pattern);
  if (pattern.startsWith("*")) return known.some((name) => name.endsWith(pattern.slice(1)));
  return known.some((name) => name.startsWith(pattern.slice(0, -1)));
}
