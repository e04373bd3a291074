import { parseYaml } from "../../resources/yaml-plain.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { tlsSettings } from "../rule-tls.ts";

/** Settings of the whole mesh, and of its ways out: https://istio.io/latest/docs/ops/best-practices/security/. */
export const practiceMesh = defineAnalyzer({
  name: "practice-mesh",
  summary: "Finds an open way out of the mesh, servers that are not verified, and a trust domain that others share.",
  reads: ["ConfigMap", "DestinationRule", "Secret", "Sidecar"],
  codes: ["MSH0178", "MSH0182", "MSH0185"],
  profile: "security",
  analyze: (input) => {
    checkVerification(input);
    checkEgress(input);
    checkTrustDomain(input);
  },
});

type Input = AnalyzerInput<"ConfigMap" | "DestinationRule" | "Secret" | "Sidecar", "MSH0178" | "MSH0182" | "MSH0185">;

function checkVerification({ world, report }: Input): void {
  for (const rule of world.list("DestinationRule"))
    for (const { tls, path } of tlsSettings(rule))
      if (tls.insecureSkipVerify === true)
        report(rule, [...path, "insecureSkipVerify"], "MSH0178", { host: rule.spec?.host ?? "" });
}

function checkEgress({ world, model, report, unknown }: Input): void {
  for (const sidecar of world.list("Sidecar"))
    if (sidecar.spec?.outboundTrafficPolicy?.mode === "ALLOW_ANY")
      report(sidecar, ["spec", "outboundTrafficPolicy", "mode"], "MSH0182", { mode: "ALLOW_ANY" });
  const config = world.get("ConfigMap", model.rootNamespace, "istio");
  if (config === undefined) return unknown("outboundTrafficPolicy: no mesh configuration is in the files");
  const mode = model.meshConfig().outboundTrafficPolicy;
  if (mode !== "REGISTRY_ONLY") report(config, ["data", "mesh"], "MSH0182", { mode });
}

/** Label of the Secrets by which a control plane reads other clusters. */
const REMOTE_SECRET = "istio/multiCluster";

function checkTrustDomain({ world, model, report }: Input): void {
  const config = world.get("ConfigMap", model.rootNamespace, "istio");
  const { trustDomain } = model.meshConfig();
  if (config === undefined || trustDomain !== "cluster.local") return;
  const remote = world.list("Secret").some(({ metadata }) => metadata.labels?.[REMOTE_SECRET] === "true");
  if (remote || severalNetworks(config.data?.["meshNetworks"] ?? ""))
    report(config, ["data", "mesh"], "MSH0185", { trustDomain });
}

function severalNetworks(text: string): boolean {
  try {
    const { networks } = (parseYaml(text) ?? {}) as { readonly networks?: unknown };
    return Object.keys(networks ?? {}).length > 1;
  } catch {
    return false;
  }
}
