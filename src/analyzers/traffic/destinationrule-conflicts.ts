import { hostMatches, resolveHost } from "../../model/host.ts";
import { byAge } from "../../model/order.ts";
import { exportsOverlap, type Sight } from "../../model/visibility.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * Several DestinationRules of one host and namespace become one: the oldest trafficPolicy, and of subsets with one name the
 * oldest. A rule for a host replaces one for a broader host as a whole. A rule holds for callers of its own namespace, and
 * for others only when it stands in the service's or the root namespace.
 */
export const destinationruleConflicts = defineAnalyzer({
  name: "destinationrule-conflicts",
  summary: "Finds DestinationRules, or parts of them, that another one replaces or that hold for nobody.",
  reads: ["DestinationRule", "Service", "ServiceEntry", "Pod", "Namespace", "ConfigMap"],
  codes: ["MSH0101", "MSH0102", "MSH0103"],
  analyze: (input) => {
    const rules = input.world.list("DestinationRule");
    const groups = new Map<string, Rule[]>();
    for (const rule of rules) {
      const { namespace = "" } = rule.metadata;
      const selector = Object.entries(rule.spec?.workloadSelector?.matchLabels ?? {}).toSorted();
      const key = JSON.stringify([namespace, hostOf(input, rule), selector]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [rule]);
      else group.push(rule);
    }
    for (const group of groups.values()) if (group.length > 1) checkGroup(input, group.toSorted(byAge));
    checkBroader(input, rules);
    for (const rule of rules) checkNamespace(input, rule);
  },
});

type Rule = KindTypes["DestinationRule"];
type Input = AnalyzerInput<
  "DestinationRule" | "Service" | "ServiceEntry" | "Pod" | "Namespace" | "ConfigMap",
  "MSH0101" | "MSH0102" | "MSH0103"
>;

function hostOf({ model }: Input, { spec, metadata }: Rule): string {
  return resolveHost(spec?.host ?? "", metadata.namespace ?? "", model.domain);
}

/** Rules of one host, the oldest first: what a younger one repeats is not used. */
function checkGroup(input: Input, group: readonly Rule[]): void {
  let deciding: Rule | undefined;
  const subsets = new Map<string, Rule>();
  for (const rule of group) {
    const host = hostOf(input, rule);
    const lose = (winner: Rule, path: readonly (string | number)[], lost: string): void =>
      input.report(
        rule,
        ["spec", ...path],
        "MSH0101",
        { host, winner: refText(refOf(winner)), lost },
        {
          object: winner,
          path: ["spec", "host"],
          words: "the older rule",
        },
      );
    if (rule.spec?.trafficPolicy !== undefined) {
      if (deciding !== undefined && overlap(input, deciding, rule)) lose(deciding, ["trafficPolicy"], "trafficPolicy");
      deciding ??= rule;
    }
    for (const [index, { name }] of (rule.spec?.subsets ?? []).entries()) {
      const winner = subsets.get(name);
      if (winner !== undefined && winner !== rule && overlap(input, winner, rule))
        lose(winner, ["subsets", index], `subset ${name}`);
      if (winner === undefined) subsets.set(name, rule);
    }
  }
}

/** Whether somebody sees both. */
function overlap({ model }: Input, a: Rule, b: Rule): boolean {
  const sight = ({ spec, metadata }: Rule): Sight => ({
    exportTo: spec?.exportTo ?? [],
    owner: metadata.namespace ?? "",
  });
  return exportsOverlap(sight(a), sight(b), model.meshConfig().defaultDestinationRuleExportTo);
}

/** TLS of a wildcard rule, for the hosts of narrower rules that say nothing of TLS. */
function checkBroader(input: Input, rules: readonly Rule[]): void {
  const wild = rules.filter((rule) => {
    const mode = rule.spec?.trafficPolicy?.tls?.mode;
    const automatic = mode === "ISTIO_MUTUAL" && input.model.meshConfig().enableAutoMtls;
    return mode !== undefined && mode !== "DISABLE" && !automatic && hostOf(input, rule).startsWith("*");
  });
  if (wild.length === 0) return;
  const byNamespace = new Map<string, Rule[]>();
  for (const rule of wild) {
    const { namespace = "" } = rule.metadata;
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), rule]);
  }
  for (const rule of rules) {
    const { trafficPolicy } = rule.spec ?? {};
    const ports = trafficPolicy?.portLevelSettings ?? [];
    if (trafficPolicy?.tls?.mode !== undefined || ports.some(({ tls }) => tls?.mode !== undefined)) continue;
    const host = hostOf(input, rule);
    const near = [...new Set([rule.metadata.namespace ?? "", input.model.rootNamespace])];
    const broader = near
      .flatMap((namespace) => byNamespace.get(namespace) ?? [])
      .find((other) => other !== rule && hostOf(input, other) !== host && hostMatches(hostOf(input, other), host));
    if (broader === undefined) continue;
    const mode = broader.spec?.trafficPolicy?.tls?.mode ?? "";
    input.report(
      rule,
      ["spec", "host"],
      "MSH0102",
      { host, broader: refText(refOf(broader)), mode },
      {
        object: broader,
        path: ["spec", "trafficPolicy", "tls", "mode"],
        words: "the TLS mode of the broader rule",
      },
    );
  }
}

/** A rule of a namespace without workloads, for a service of another one. */
function checkNamespace(input: Input, rule: Rule): void {
  const { model } = input;
  const { namespace = "" } = rule.metadata;
  const host = hostOf(input, rule);
  if (host.startsWith("*") || namespace === model.rootNamespace) return;
  const service = model.services.visible(namespace, host);
  if (service === undefined || service.namespace === namespace) return;
  if (!input.knows("workloads", namespace)) {
    input.unknown(`who calls from namespace ${namespace}: no workload of it is in the files`);
    return;
  }
  const pods = input.world.list("Pod", namespace);
  if (pods.some((pod) => model.workloads.proxy(pod) !== "no")) return;
  const { rootNamespace: root } = model;
  input.report(rule, ["spec", "host"], "MSH0103", { host, namespace, owner: service.namespace, root });
}
