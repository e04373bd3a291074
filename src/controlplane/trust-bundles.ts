import { X509Certificate } from "node:crypto";
import type { Derivations } from "../base/derive.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import type { KeySetRef } from "../model/request-authentication.ts";
import { ownTrustDomains, type TrustBundle, trustBundles } from "../model/trust-bundles.ts";
import { mergePem, splitPem } from "../pki/trust-path.ts";
import type { RevocationScope } from "../pki/revocation.ts";
import { createKeyKeeper } from "./jwks.ts";
import type { FetchLimits } from "./jwks-fetch.ts";

export interface TrustBundlesDeps {
  readonly derivations: Derivations;
  /** Tracked. */
  readonly meshConfig: () => MeshConfig;
  /** Where SPIFFE bundles may be fetched. */
  readonly limits: FetchLimits;
  readonly log: Logger;
  /** How long a bundle is used before it is fetched again; a minute unless told otherwise, as in Istio. */
  readonly refreshMs?: number;
}

/** Roots beside the CA's own, as `meshConfig.caCertificates` names them. What cannot be read is left out, and logged. */
export interface TrustBundles {
  /** PEM of those that may vouch for our own identities, as those of the CA do; tracked. */
  readonly everywhere: () => string;
  /** PEM by the trust domain that they vouch for; tracked. */
  readonly federated: () => Readonly<Record<string, string>>;
  /** Whether each bundle that has an address was had once; tracked. Before that less is known than may be trusted. */
  readonly isComplete: () => boolean;
  /** Ends fetching. */
  close(): void;
}

const REFRESH_MS = 60_000;
const TIMEOUT_MS = 10_000;

/** Consumes the mesh's configuration and the bundles it gives addresses of; offers roots. A bundle that is away is kept. */
export function createTrustBundles(deps: TrustBundlesDeps): TrustBundles {
  const { derivations, meshConfig, limits, log, refreshMs = REFRESH_MS } = deps;
  const onFailure = ({ uri }: KeySetRef, error: unknown): void =>
    log.warn({ uri, error: errorText(error) }, "a trust bundle could not be fetched; what was there before is kept");
  const keeper = createKeyKeeper({ derivations, limits, onFailure, refreshMs });
  const bundles = derivations.keyed("trust bundles", () => trustBundles(meshConfig()));
  const unfollow = keeper.followRefs(() => bundles().flatMap(refOf));
  const rootsOf = (bundle: TrustBundle): string => {
    const refs = refOf(bundle);
    const fetched = refs.map((ref) => rootsInBundle(keeper.keySets(ref) ?? ""));
    return mergePem(readable(bundle.pem), ...fetched);
  };
  const everywhere = derivations.keyed("roots for every trust domain", () =>
    mergePem(
      ...bundles()
        .filter(({ trustDomains }) => trustDomains.length === 0 || trustDomains.includes(meshConfig().trustDomain))
        .map(rootsOf),
    ),
  );
  const federated = derivations.keyed("roots by trust domain", () => {
    const found: Record<string, string> = {};
    for (const bundle of bundles())
      for (const domain of bundle.trustDomains) found[domain] = mergePem(found[domain] ?? "", rootsOf(bundle));
    return found;
  });
  const isComplete = derivations.keyed("bundles were fetched", () =>
    bundles()
      .flatMap(refOf)
      .every((ref) => keeper.keySets(ref) !== undefined),
  );
  const unfollowUnsafe = derivations.effect(() => {
    for (const { url } of bundles())
      if (url !== "" && !isSafe(url)) log.warn({ url }, "a trust bundle is fetched by https alone; this one is not");
  });
  return {
    everywhere: () => everywhere(),
    federated: () => federated(),
    isComplete: () => isComplete(),
    close() {
      unfollow();
      unfollowUnsafe();
    },
  };
}

function refOf({ url }: TrustBundle): readonly KeySetRef[] {
  return isSafe(url) ? [{ issuer: "", uri: url, timeoutMs: TIMEOUT_MS }] : [];
}

/** Roots that came over an open line would be anybody's. */
function isSafe(url: string): boolean {
  return url.startsWith("https://");
}

/** PEM of the roots in a SPIFFE bundle (a key set whose entries for `x509-svid` hold a certificate each). */
export function rootsInBundle(text: string): string {
  if (text === "") return "";
  const { keys = [] } = JSON.parse(text) as { readonly keys?: readonly BundleKey[] };
  return keys
    .filter(({ use }) => use === "x509-svid")
    .flatMap(({ x5c: [der] = [] }) => (typeof der === "string" ? [toPem(der)] : []))
    .map(readable)
    .join("");
}

interface BundleKey {
  readonly use?: unknown;
  readonly x5c?: readonly unknown[];
}

function toPem(der: string): string {
  return `-----BEGIN CERTIFICATE-----\n${(der.match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The text when all of its certificates can be read; a proxy would refuse all of its roots for one that cannot. */
function readable(pem: string): string {
  const isRoot = (block: string): boolean => {
    try {
      return new X509Certificate(block).ca;
    } catch {
      return false;
    }
  };
  return splitPem(pem).filter(isRoot).join("");
}

/** Key of the root ConfigMap that says which roots vouch for which trust domain. */
export const TRUST_BUNDLES_KEY = "trust-bundles.json";

/**
 * What agents read beside the mesh's roots; empty where nothing is federated. Envoy checks revocation above a certificate by one
 * rule for all of a trust domain: where lists hold for leaves alone they come first, and nobody else's roots are trusted.
 */
export function trustBundlesData(
  config: MeshConfig,
  federated: Readonly<Record<string, string>>,
  revocations: RevocationScope | undefined,
): Readonly<Record<string, string>> {
  const usable = Object.entries(federated).filter(([, pem]) => pem !== "");
  if (usable.length === 0 || revocations === "leaf") return {};
  const own = ownTrustDomains(config);
  return { [TRUST_BUNDLES_KEY]: JSON.stringify({ own, federated: Object.fromEntries(usable) }) };
}

/** PEM by trust domain, as a ConfigMap with trustBundlesData holds it; none where it has another form. */
export function heldBundles(data: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  try {
    const { federated } = JSON.parse(data[TRUST_BUNDLES_KEY] ?? "{}") as { readonly federated?: unknown };
    if (typeof federated !== "object" || federated === null) return {};
    return Object.fromEntries(Object.entries(federated).filter(([, pem]) => typeof pem === "string"));
  } catch {
    return {};
  }
}
