import type { WeightedCluster } from "../ir/route.ts";
import type { Model } from "../model/model.ts";
import type { BoundVirtualService } from "../model/virtual-services.ts";
import { weightedClusters } from "./destinations.ts";
import { holdsHere } from "./http-routes.ts";
import type { RouteSite } from "./route-site.ts";

/**
 * Where a VirtualService's tcp rules send connections of this port: the first rule that holds for the caller. Undefined when
 * none does. Conditions on addresses have no effect yet (effects.ts): an entry that has one never matches.
 */
export function tcpClusters(
  model: Model,
  { object, provenance }: Pick<BoundVirtualService, "object" | "provenance">,
  site: RouteSite,
): readonly WeightedCluster[] | undefined {
  for (const [index, { match = [], route = [] }] of (object.spec?.tcp ?? []).entries()) {
    const holds = match.length === 0 || match.some((entry) => !asksAddresses(entry) && holdsHere(entry, object, site));
    if (!holds || route.length === 0) continue;
    return weightedClusters(model, { object, route, from: { ...provenance, path: ["spec", "tcp", index] } }, site);
  }
  return undefined;
}

function asksAddresses({
  destinationSubnets = [],
  sourceSubnet = "",
}: {
  readonly destinationSubnets?: readonly string[];
  readonly sourceSubnet?: string;
}): boolean {
  return destinationSubnets.length > 0 || sourceSubnet !== "";
}
