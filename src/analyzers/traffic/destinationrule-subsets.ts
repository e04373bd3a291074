import { resolveHost } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** Subsets choose endpoints by labels: not where the client has chosen the address already, and not without labels. */
export const destinationruleSubsets = defineAnalyzer({
  name: "destinationrule-subsets",
  summary: "Finds subsets that choose no endpoints, or all of them.",
  reads: ["DestinationRule", "Service", "ServiceEntry", "ConfigMap"],
  codes: ["MSH0119", "MSH0120"],
  analyze: (input) => {
    for (const rule of input.world.list("DestinationRule")) {
      if (rule.spec?.subsets === undefined || rule.spec.subsets.length === 0) continue;
      checkPassthrough(input, rule);
      checkLabels(input, rule);
    }
  },
});

type Rule = KindTypes["DestinationRule"];
type Subset = NonNullable<NonNullable<Rule["spec"]>["subsets"]>[number];
type Input = AnalyzerInput<"DestinationRule" | "Service" | "ServiceEntry" | "ConfigMap", "MSH0119" | "MSH0120">;

const hasLabels = ({ labels }: Subset): boolean => Object.keys(labels ?? {}).length > 0;

function checkPassthrough({ model, report }: Input, rule: Rule): void {
  const { namespace = "" } = rule.metadata;
  const host = resolveHost(rule.spec?.host ?? "", namespace, model.domain);
  const service = model.services.visible(namespace, host);
  const labelled = (rule.spec?.subsets ?? []).filter(hasLabels);
  if (service?.resolution !== "passthrough" || labelled.length === 0) return;
  const why = service.from.kind === "Service" ? "the Service is headless" : "its ServiceEntry has resolution NONE";
  const subsets = labelled.map(({ name }) => name).join(", ");
  report(rule, ["spec", "subsets"], "MSH0119", { host, subsets, why });
}

/** One without labels beside labelled ones, and without a policy of its own that would be its purpose. */
function checkLabels({ report }: Input, rule: Rule): void {
  const { subsets = [] } = rule.spec ?? {};
  const others = subsets.filter(hasLabels).map(({ name }) => name);
  if (others.length === 0) return;
  for (const [index, subset] of subsets.entries())
    if (!hasLabels(subset) && subset.trafficPolicy === undefined)
      report(rule, ["spec", "subsets", index], "MSH0120", { subset: subset.name, others: others.join(", ") });
}
