import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * Operations that Envoy's objects do not know are passed over in silence. Relative ones (before, after, in place of something)
 * depend on what was applied earlier, which without a priority is left to age.
 */
export const envoyfilterOperation = defineAnalyzer({
  name: "envoyfilter-operation",
  summary: "Checks that operations of EnvoyFilters fit what they patch and do not depend on chance.",
  reads: ["EnvoyFilter"],
  codes: ["IST0151", "IST0152", "IST0153", "IST0154", "IST0155"],
  analyze: (input) => {
    const filters = input.world.list("EnvoyFilter");
    const versioned = versionedFilters(filters);
    for (const object of filters)
      for (const [index, patch] of (object.spec?.configPatches ?? []).entries())
        checkPatch(input, object, { patch, index, versioned });
  },
});

type EnvoyFilter = KindTypes["EnvoyFilter"];
type Patch = NonNullable<NonNullable<EnvoyFilter["spec"]>["configPatches"]>[number];
type Input = AnalyzerInput<"EnvoyFilter", "IST0151" | "IST0152" | "IST0153" | "IST0154" | "IST0155">;

interface Site {
  readonly patch: Patch;
  readonly index: number;
  /** Filters that some patch adds for some proxy versions only -> that patch. */
  readonly versioned: ReadonlyMap<string, Patch>;
}

const NOT_ADDED: readonly string[] = ["ROUTE_CONFIGURATION", "HTTP_ROUTE"];
const REPLACEABLE: readonly string[] = ["HTTP_FILTER", "NETWORK_FILTER", "VIRTUAL_HOST"];
const RELATIVE: readonly string[] = ["REMOVE", "REPLACE", "INSERT_BEFORE", "INSERT_AFTER"];

function checkPatch({ report }: Input, object: EnvoyFilter, { patch, index, versioned }: Site): void {
  const { applyTo = "", patch: { operation = "" } = {} } = patch;
  const path = ["spec", "configPatches", index, "patch", "operation"];
  const misuse = misuseOf(operation, applyTo);
  if (misuse !== undefined) return report(object, path, misuse, { applyTo });
  if (!RELATIVE.includes(operation) || (object.spec?.priority ?? 0) !== 0) return;
  const filter = matchedFilter(patch) ?? "";
  const adder = versioned.get(filter);
  if (adder === undefined || adder === patch) report(object, path, "IST0151", { operation });
  else report(object, path, "IST0155", { operation, filter });
}

/** Operations that do nothing to what they are applied to. */
function misuseOf(operation: string, applyTo: string): "IST0152" | "IST0153" | "IST0154" | undefined {
  if (operation === "ADD" && NOT_ADDED.includes(applyTo)) return "IST0153";
  if (operation === "REMOVE" && NOT_ADDED.includes(applyTo)) return "IST0154";
  return operation === "REPLACE" && !REPLACEABLE.includes(applyTo) ? "IST0152" : undefined;
}

/** The filter that a patch is relative to. */
function matchedFilter({ match }: Patch): string | undefined {
  const filter = match?.listener?.filterChain?.filter;
  return filter?.subFilter?.name ?? filter?.name;
}

/** Filters that patches with a proxyVersion add or change, by name. */
function versionedFilters(filters: readonly EnvoyFilter[]): ReadonlyMap<string, Patch> {
  const byName = new Map<string, Patch>();
  for (const { spec } of filters)
    for (const patch of spec?.configPatches ?? []) {
      const { name } = (patch.patch?.value ?? {}) as { readonly name?: unknown };
      if ((patch.match?.proxy?.proxyVersion ?? "") !== "" && typeof name === "string") byName.set(name, patch);
    }
  return byName;
}
