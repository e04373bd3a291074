import type { SniChain } from "../ir/listener.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { WeightedCluster } from "../ir/route.ts";
import type { Model } from "../model/model.ts";
import type { BoundVirtualService } from "../model/virtual-services.ts";
import { weightedClusters } from "./destinations.ts";
import { holdsHere } from "./http-routes.ts";
import type { RouteSite } from "./route-site.ts";
import { tcpFeatures } from "./tcp-features.ts";

type Bound = Pick<BoundVirtualService, "object" | "provenance">;
type TcpRule = NonNullable<NonNullable<Bound["object"]["spec"]>["tcp"]>[number];
type TcpMatch = NonNullable<TcpRule["match"]>[number];

/**
 * Where a VirtualService's tcp rules send connections of this port, whatever address was dialled: the first rule that holds
 * for the caller. Undefined when none does. A condition on the client's address has no effect in any proxy (effects.ts): an
 * entry that has one never matches.
 */
export function tcpClusters(
  model: Model,
  { object, provenance }: Bound,
  site: RouteSite,
): readonly WeightedCluster[] | undefined {
  for (const [index, { match = [], route = [] }] of (object.spec?.tcp ?? []).entries()) {
    const holds =
      match.length === 0 || match.some((entry) => rangesOf(entry).length === 0 && mayHold(entry, object, site));
    if (!holds || route.length === 0) continue;
    return weightedClusters(model, { object, route, from: { ...provenance, path: ["spec", "tcp", index] } }, site);
  }
  return undefined;
}

/** The tcp rules that ask for the address dialled, before the first that does not: a chain for each. */
export function addressChains(model: Model, { object, provenance }: Bound, site: RouteSite): readonly SniChain[] {
  const chains: SniChain[] = [];
  const taken = new Set<string>();
  for (const [index, { match = [], route = [] }] of (object.spec?.tcp ?? []).entries()) {
    const entries = match.filter((entry) => mayHold(entry, object, site));
    if (match.length === 0 || entries.some((entry) => rangesOf(entry).length === 0)) break;
    const ranges = entries.flatMap(rangesOf).filter((range) => !taken.has(range));
    if (ranges.length === 0 || route.length === 0) continue;
    for (const range of ranges) taken.add(range);
    const from: Provenance = { ...provenance, path: ["spec", "tcp", index] };
    const clusters = weightedClusters(model, { object, route, from }, site);
    const tcp = tcpFeatures(model, site, clusters);
    const shape = tcp === undefined ? {} : { tcp };
    chains.push({ serverNames: [], destinations: ranges, clusters, ...shape, provenance: from });
  }
  return chains;
}

function rangesOf({ destinationSubnets = [] }: TcpMatch): readonly string[] {
  return destinationSubnets;
}

function mayHold(entry: TcpMatch, object: Bound["object"], site: RouteSite): boolean {
  return (entry.sourceSubnet ?? "") === "" && holdsHere(entry, object, site);
}
