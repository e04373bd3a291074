import {
  createRootCerts,
  REVOCATIONS_MAP,
  type RootCertsDeps,
  ROOTS_MAP,
  revocationsData,
  rootsData,
} from "./root-certs.ts";
import type { Runner } from "./runner.ts";
import type { Shared } from "./shared.ts";
import { signsWorkloads } from "./signs-workloads.ts";
import { heldBundles, trustBundlesData } from "./trust-bundles.ts";
import { createTrustRemovals, type Trusted, trustDrainDelay, trustedOf } from "./trust-removals.ts";

/** ConfigMaps that every namespace has, by which agents know whom to trust. */
export type TrustMaps = readonly Pick<RootCertsDeps, "name" | "data">[];

/** Whoever gives the control plane its certificate writes these himself, as istio-csr does. */
export function trustMaps({
  options,
  state,
  authority,
  trust,
}: Pick<Shared, "options" | "state" | "authority" | "trust">): TrustMaps {
  if (options.serving !== undefined) return [];
  const isExternal = options.externalCa !== undefined || !signsWorkloads(options);
  // after a restart, until each bundle was fetched anew, what agents have goes on counting
  const known = (): Readonly<Record<string, string>> => {
    const now = trust.federated();
    if (trust.isComplete()) return now;
    const before = heldBundles(state.world.get("ConfigMap", options.namespace, ROOTS_MAP)?.data);
    return Object.fromEntries(Object.entries(now).map(([domain, pem]) => [domain, pem || (before[domain] ?? "")]));
  };
  const federated = (): Readonly<Record<string, string>> =>
    trustBundlesData(state.mesh.model.meshConfig(), known(), authority.revocations()?.scope);
  return [
    { name: ROOTS_MAP, data: () => rootsData(authority, isExternal, federated()) },
    { name: REVOCATIONS_MAP, data: () => revocationsData(authority) },
  ];
}

/** The same as one text, for agents that mount no ConfigMap: names of files to texts; empty while there are no roots. Tracked. */
export function toldTrust(maps: TrustMaps): string {
  const files = Object.assign({}, ...maps.map(({ data }) => data())) as Readonly<Record<string, string>>;
  return files["root-cert.pem"] === undefined ? "" : JSON.stringify(files);
}

/** Drains connections when less is trusted; nothing where somebody else writes the maps. */
export function trustRemovals(
  { options, state, authority, trust }: Pick<Shared, "options" | "state" | "authority" | "trust">,
  isLeader: () => boolean,
): readonly Runner[] {
  if (options.serving !== undefined) return [];
  const { cluster, namespace, revision, trustDrainDelayMs: delayMs = trustDrainDelay({}), log } = options;
  const { world, derivations, trustSince } = state;
  const trusted = (): Trusted | undefined => {
    const own = authority.bundle();
    if (own === "" || !trust.isComplete()) return undefined;
    const revocations = authority.revocations();
    return trustedOf({ own, federated: revocations?.scope === "leaf" ? {} : trust.federated() }, revocations);
  };
  const place = { cluster, world, derivations, namespace, revision };
  return [createTrustRemovals({ ...place, trusted, trustSince, delayMs, isLeader, now: Date.now, log })];
}

/** Keeps them in a cluster's namespaces. */
export function createTrustMaps(maps: TrustMaps, writer: Omit<RootCertsDeps, "name" | "data">): readonly Runner[] {
  return maps.map((map) => createRootCerts({ ...writer, ...map }));
}
