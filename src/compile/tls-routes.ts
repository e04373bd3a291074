import type { SniChain } from "../ir/listener.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { Model } from "../model/model.ts";
import type { BoundVirtualService } from "../model/virtual-services.ts";
import { weightedClusters } from "./destinations.ts";
import { holdsHere } from "./http-routes.ts";
import type { RouteSite } from "./route-site.ts";
import { tcpFeatures } from "./tcp-features.ts";

/**
 * Where a VirtualService's tls rules send connections of this port, by the server name they ask for: a chain for each match
 * that holds for the caller, in order. A name that an earlier match of the same addresses has is left out, since Envoy wants
 * each once; the first rule decides, as the order says.
 */
export function tlsChains(
  model: Model,
  { object, provenance }: Pick<BoundVirtualService, "object" | "provenance">,
  site: RouteSite,
): readonly SniChain[] {
  const taken = new Set<string>();
  return (object.spec?.tls ?? []).flatMap(({ match, route = [] }, index): readonly SniChain[] => {
    if (route.length === 0) return [];
    const from: Provenance = { ...provenance, path: ["spec", "tls", index] };
    return match.flatMap((entry): readonly SniChain[] => {
      if (!holdsHere(entry, object, site)) return [];
      const { sniHosts, destinationSubnets = [] } = entry;
      const where = destinationSubnets.join(" ");
      const names = sniHosts.filter((name) => !taken.has(`${name} ${where}`));
      for (const name of names) taken.add(`${name} ${where}`);
      if (names.length === 0) return [];
      const clusters = weightedClusters(model, { object, route, from }, site);
      const tcp = tcpFeatures(model, site, clusters);
      return [
        {
          serverNames: names,
          ...(destinationSubnets.length === 0 ? {} : { destinations: destinationSubnets }),
          clusters,
          ...(tcp === undefined ? {} : { tcp }),
          provenance: from,
        },
      ];
    });
  });
}
