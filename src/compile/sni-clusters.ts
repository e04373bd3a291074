import type { Cluster } from "../ir/cluster.ts";
import type { Endpoint, EndpointGroup } from "../ir/service.ts";
import type { OutboundClusters } from "./clusters.ts";
import type { CompileContext } from "./context.ts";
import { type OutboundName, outboundCluster } from "./names.ts";
import { onNetwork } from "./networks.ts";

/** Clusters behind gateways that pass mutual TLS of the mesh on unopened: named as the client's server name. */
export interface SniClusters {
  /** Undefined for a name of another form, or of a service that is not seen. */
  cluster(scope: string, name: string): Cluster | undefined;
  endpoints(scope: string, name: string): EndpointGroup | undefined;
}

/**
 * Such a cluster is the service's own without TLS of ours, and with those endpoints alone that take the mesh's and stand on the
 * gateway's own network: what came in from one network is not passed on to another.
 */
export function createSniClusters(context: CompileContext, clusters: OutboundClusters): SniClusters {
  const served = (scope: string, endpoints: readonly Endpoint[]): readonly Endpoint[] =>
    onNetwork(context.scope(scope).network, endpoints).filter(({ tlsMode }) => tlsMode === "istio");
  return {
    cluster(scope, name) {
      const parsed = parseServerName(name);
      const made = parsed && clusters.cluster(scope, outboundCluster(parsed));
      return made && { ...made, name, protocol: "tcp", tls: undefined, endpoints: served(scope, made.endpoints) };
    },
    endpoints(scope, name) {
      const parsed = parseServerName(name);
      const group = parsed && clusters.endpoints(scope, outboundCluster(parsed));
      return group && { ...group, clusterName: name, endpoints: served(scope, group.endpoints) };
    },
  };
}

/** The parts of `outbound_.80_.v1_.reviews.shop.svc.cluster.local`. */
function parseServerName(name: string): OutboundName | undefined {
  const [direction, port, subset, host] = name.split("_.");
  if (direction !== "outbound" || port === undefined || subset === undefined || host === undefined) return undefined;
  return { port: Number(port), subset, host };
}
