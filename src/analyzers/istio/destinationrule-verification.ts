import type { FieldPath } from "../../diagnostics/finding.ts";
import type { TrafficPolicy } from "../../model/destination-rules.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * A proxy that starts TLS without an authority to check against talks to whoever answers. A Secret (credentialName) counts
 * only where the rule selects workloads: sidecars that it does not select do not read it.
 */
export const destinationruleVerification = defineAnalyzer({
  name: "destinationrule-verification",
  summary: "Checks that DestinationRules that start TLS say which authority the server's certificate must be from.",
  reads: ["DestinationRule"],
  codes: ["IST0128", "IST0129"],
  analyze: (input) => {
    for (const object of input.world.list("DestinationRule")) {
      check(input, object, object.spec?.trafficPolicy, ["spec", "trafficPolicy"]);
      for (const [index, { trafficPolicy }] of (object.spec?.subsets ?? []).entries())
        check(input, object, trafficPolicy, ["spec", "subsets", index, "trafficPolicy"]);
    }
  },
});

type Input = AnalyzerInput<"DestinationRule", "IST0128" | "IST0129">;
type Rule = KindTypes["DestinationRule"];

function check({ report }: Input, object: Rule, policy: TrafficPolicy | undefined, path: FieldPath): void {
  if (policy === undefined) return;
  const { name: rule, namespace = "" } = object.metadata;
  const about = { rule, namespace, host: object.spec?.host ?? "" };
  const isSelecting = object.spec?.workloadSelector !== undefined;
  const mode = unverified(policy.tls, isSelecting);
  if (mode !== undefined) report(object, [...path, "tls"], "IST0128", { ...about, mode });
  for (const [index, { port, tls }] of (policy.portLevelSettings ?? []).entries()) {
    const portMode = unverified(tls, isSelecting);
    const at = [...path, "portLevelSettings", index, "tls"];
    if (portMode !== undefined)
      report(object, at, "IST0129", { ...about, mode: portMode, port: String(port?.number ?? "?") });
  }
}

/** The mode of TLS that checks no certificate, or undefined. */
function unverified(tls: TrafficPolicy["tls"], selects: boolean): string | undefined {
  if (tls?.mode !== "SIMPLE" && tls?.mode !== "MUTUAL") return undefined;
  const hasSecret = (tls.credentialName ?? "") !== "" && selects;
  return (tls.caCertificates ?? "") === "" && !hasSecret ? tls.mode : undefined;
}
