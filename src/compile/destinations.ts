import type { Provenance } from "../ir/provenance.ts";
import type { WeightedCluster } from "../ir/route.ts";
import { resolveHost } from "../model/host.ts";
import type { Model } from "../model/model.ts";
import type { VirtualService } from "../model/virtual-services.ts";
import { headerChanges } from "./header-changes.ts";
import type { HttpRule } from "./http-match.ts";
import { outboundCluster } from "./names.ts";
import type { RouteSite } from "./route-site.ts";

/** Destinations of http, tls and tcp rules: only the first kind has header changes. */
export type Destinations = readonly {
  readonly destination: NonNullable<HttpRule["route"]>[number]["destination"];
  readonly weight?: number;
  readonly headers?: HttpRule["headers"];
}[];

/**
 * Destinations with their shares. One alone gets all; of several those without weight get nothing, as in Istio. A service
 * nobody knows still names a cluster: Envoy answers 503 (no cluster), as for a subset nobody defined.
 */
export function weightedClusters(
  model: Model,
  { object, route, from }: { readonly object: VirtualService; readonly route: Destinations; readonly from: Provenance },
  site: RouteSite,
): readonly WeightedCluster[] {
  const all = route.map(({ destination, weight, headers }, index): WeightedCluster => {
    const changes = headerChanges(headers);
    return {
      cluster: destinationCluster(model, destination, object, site),
      weight: route.length === 1 ? 1 : (weight ?? 0),
      ...(changes === undefined ? {} : { features: { headers: changes } }),
      provenance: { ...from, path: [...from.path, "route", index] },
    };
  });
  const weighted = all.filter(({ weight }) => weight > 0);
  return weighted.length > 0 ? weighted : all.slice(0, 1).map((only) => ({ ...only, weight: 1 }));
}

/** The cluster of a destination. Without a port it is the service's only one, else the one the client dialled. */
export function destinationCluster(
  model: Model,
  { host, subset = "", port }: Destinations[number]["destination"],
  { metadata }: VirtualService,
  site: RouteSite,
): string {
  const full = model.aliases.target(resolveHost(host, metadata.namespace ?? "", model.domain));
  const ports = model.sight.visible(site, full)?.ports ?? [];
  const only = ports.length === 1 ? ports[0]?.number : undefined;
  return outboundCluster({ port: port?.number ?? only ?? site.port, subset, host: full });
}
