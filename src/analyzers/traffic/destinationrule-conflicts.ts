import { hostMatches, resolveHost } from "../../model/host.ts";
import { byAge } from "../../model/order.ts";
import { exportsOverlap, type Sight } from "../../model/visibility.ts";
import { labelsKey } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { tlsSettings } from "../rule-tls.ts";

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
      const selector = labelsKey(rule.spec?.workloadSelector?.matchLabels ?? {});
      const key = [refOf(rule).namespace, hostOf(input, rule), selector].join(" ");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [rule]);
      else group.push(rule);
    }
    for (const group of groups.values())
      if (group.length > 1) {
        checkPolicies(input, group.toSorted(byAge));
        checkSubsets(input, group.toSorted(byAge));
      }
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

/** Rules of one host, the oldest first: only the first trafficPolicy is used. */
function checkPolicies(input: Input, group: readonly Rule[]): void {
  const [deciding, ...others] = group.filter(({ spec }) => spec?.trafficPolicy !== undefined);
  if (deciding === undefined) return;
  const lost: Lost = { path: ["trafficPolicy"], lost: "trafficPolicy" };
  for (const rule of others) if (overlap(input, deciding, rule)) reportLost(input, rule, deciding, lost);
}

/** Of subsets with one name only the first is used. */
function checkSubsets(input: Input, group: readonly Rule[]): void {
  const first = new Map<string, Rule>();
  for (const rule of group)
    for (const [index, { name }] of (rule.spec?.subsets ?? []).entries()) {
      const winner = first.get(name) ?? rule;
      first.set(name, winner);
      if (winner !== rule && overlap(input, winner, rule))
        reportLost(input, rule, winner, { path: ["subsets", index], lost: `subset ${name}` });
    }
}

interface Lost {
  /** Below spec. */
  readonly path: readonly (string | number)[];
  readonly lost: string;
}

function reportLost(input: Input, rule: Rule, winner: Rule, { path, lost }: Lost): void {
  const args = { host: hostOf(input, rule), winner: refText(refOf(winner)), lost };
  const related = { object: winner, path: ["spec", "host"], words: "the older rule" };
  input.report(rule, ["spec", ...path], "MSH0101", args, related);
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
  const wild = new Map<string, Rule[]>();
  for (const rule of rules) {
    if (!hostOf(input, rule).startsWith("*") || !isWorthInheriting(input, rule)) continue;
    const { namespace } = refOf(rule);
    wild.set(namespace, [...(wild.get(namespace) ?? []), rule]);
  }
  if (wild.size === 0) return;
  for (const rule of rules) {
    if (tlsSettings(rule).some(({ subset }) => subset === "")) continue;
    const host = hostOf(input, rule);
    const broader = [...new Set([refOf(rule).namespace, input.model.rootNamespace])]
      .flatMap((namespace) => wild.get(namespace) ?? [])
      .find((other) => hostOf(input, other) !== host && hostMatches(hostOf(input, other), host));
    if (broader === undefined) continue;
    const args = { host, broader: refText(refOf(broader)), mode: modeOf(broader) };
    const path = ["spec", "trafficPolicy", "tls", "mode"];
    const related = { object: broader, path, words: "the TLS mode of the broader rule" };
    input.report(rule, ["spec", "host"], "MSH0102", args, related);
  }
}

function modeOf({ spec }: Rule): string {
  return spec?.trafficPolicy?.tls?.mode ?? "DISABLE";
}

/** Mutual TLS of the mesh comes without being asked for. */
function isWorthInheriting({ model }: Input, rule: Rule): boolean {
  const mode = modeOf(rule);
  return mode !== "DISABLE" && !(mode === "ISTIO_MUTUAL" && model.meshConfig().enableAutoMtls);
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
