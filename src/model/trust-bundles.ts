import type { MeshConfig } from "./mesh-config.ts";

/** Roots that `meshConfig.caCertificates` names: as PEM, or by the address of a SPIFFE bundle. */
export interface TrustBundle {
  /** Whose identities they may vouch for; empty: anybody's, like the mesh's own roots. */
  readonly trustDomains: readonly string[];
  /** Empty where the address says it. */
  readonly pem: string;
  /** Empty where `pem` says it. */
  readonly url: string;
}

/** Entries of `meshConfig.caCertificates` in their order; what has another shape is passed over, validation says so. */
export function trustBundles({ raw }: Pick<MeshConfig, "raw">): readonly TrustBundle[] {
  const entries = Array.isArray(raw["caCertificates"]) ? (raw["caCertificates"] as readonly unknown[]) : [];
  return entries.flatMap((entry) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { pem, spiffeBundleUrl: url, trustDomains } = entry as Readonly<Record<string, unknown>>;
    const domains = Array.isArray(trustDomains) ? (trustDomains as readonly unknown[]) : [];
    return {
      trustDomains: domains.filter((domain) => typeof domain === "string"),
      pem: typeof pem === "string" ? pem : "",
      url: typeof url === "string" ? url : "",
    };
  });
}

/** The mesh's own trust domain, then its aliases: identities of these are taken for our own. */
export function ownTrustDomains({
  trustDomain,
  trustDomainAliases,
}: Pick<MeshConfig, "trustDomain" | "trustDomainAliases">): readonly [string, ...string[]] {
  return [trustDomain, ...new Set(trustDomainAliases.filter((alias) => alias !== trustDomain))];
}

/** Trust domains whose callers a server takes: its own, and those that a bundle is for (Istio: TrustDomainsForValidation). */
export function takenTrustDomains(config: MeshConfig): readonly string[] {
  return [...new Set([...ownTrustDomains(config), ...trustBundles(config).flatMap((bundle) => bundle.trustDomains)])];
}

/** ConfigMap of a control plane's namespace, with the suffix of its revision: what it trusted last, and since when it trusts less. */
export const TRUST_RECORD = "meshd-trust";
