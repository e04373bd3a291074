import { nearest } from "../../base/nearest.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import { isAmbientPod } from "../../model/ambient.ts";
import { namedSelector, selects } from "../../model/selectors.ts";
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

type Labels = Readonly<Record<string, string>>;
type Policy = KindTypes["AuthorizationPolicy"];
type Input = AnalyzerInput<
  "AuthorizationPolicy" | "Pod" | "WorkloadEntry" | "Namespace" | "Service" | "ServiceAccount",
  "IST0101" | "IST0127"
>;

function checkWorkloads(input: Input, object: Policy): void {
  const { namespace = "", name } = object.metadata;
  if (namesTargets(object)) return;
  const selector = namedSelector(object.spec?.selector?.matchLabels);
  const place = namespace === input.model.rootNamespace ? undefined : namespace;
  // the whole mesh
  if (place === undefined && selector === undefined) return;
  if (hasWorkload(input, place, selector ?? {})) return;
  if (!input.knows("workloads", place))
    return input.unknown(`workloads of policy ${namespace}/${name}: none of its namespace is in the files`);
  if (selector === undefined) input.report(object, ["metadata", "name"], "IST0127", { labels: "" });
  else input.report(object, ["spec", "selector", "matchLabels"], "IST0127", { labels: labelsText(selector) });
}

function namesTargets({ spec }: Policy): boolean {
  return spec?.targetRef !== undefined || (spec?.targetRefs ?? []).length > 0;
}

/** Whether a pod of the mesh, or a machine, has the labels. */
function hasWorkload({ world, model }: Input, namespace: string | undefined, selector: Labels): boolean {
  const isInMesh = (pod: Pod): boolean =>
    model.workloads.proxy(pod) !== "no" || isAmbientPod(pod, world.get("Namespace", "", pod.metadata.namespace ?? ""));
  return (
    model.workloads.selected(namespace, selector).some(isInMesh) ||
    world.list("WorkloadEntry", namespace).some(({ spec }) => selects(selector, spec?.labels ?? {}))
  );
}

/** Namespaces that every cluster has, or that hold the mesh itself. */
const ALWAYS: ReadonlySet<string> = new Set([
  "default",
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "istio-system",
]);

interface NamedSource {
  readonly pattern: string;
  readonly path: FieldPath;
}

/** Namespaces that a policy names. */
function sourcesOf({ spec }: Policy): readonly NamedSource[] {
  return (spec?.rules ?? []).flatMap(({ from = [] }, rule) =>
    from.flatMap(({ source }, index) =>
      (["namespaces", "notNamespaces"] as const).flatMap((field) =>
        (source?.[field] ?? []).map((pattern, position) => ({
          pattern,
          path: ["spec", "rules", rule, "from", index, "source", field, position],
        })),
      ),
    ),
  );
}

function checkNamespaces(input: Input, object: Policy, known: readonly string[]): void {
  for (const { pattern, path } of sourcesOf(object)) {
    if (ALWAYS.has(pattern) || pattern === input.model.rootNamespace || matchesAny(input, pattern, known)) continue;
    if (!input.knows("Namespace")) {
      input.unknown(`namespace ${pattern}: no Namespace is in the files`);
      continue;
    }
    const close = nearest(pattern, known);
    const where = close === undefined ? "Create the namespace, or correct the name." : `Did you mean ${close}?`;
    input.report(object, path, "IST0101", { what: "namespace", name: pattern, where });
  }
}

/** `*`, `prefix*`, `*suffix`, or the name itself. */
function matchesAny({ model }: Input, pattern: string, known: readonly string[]): boolean {
  if (!pattern.includes("*")) return model.namespaces.exists(pattern);
  if (pattern.startsWith("*")) return known.some((name) => name.endsWith(pattern.slice(1)));
  return known.some((name) => name.startsWith(pattern.slice(0, -1)));
}
