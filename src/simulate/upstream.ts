import type { Messages } from "../wire/codec.ts";
import type { Address } from "./request.ts";

type Cluster = Messages["envoy.config.cluster.v3.Cluster"];
type Assignment = Messages["envoy.config.endpoint.v3.ClusterLoadAssignment"];
type LbEndpoint = Messages["envoy.config.endpoint.v3.LbEndpoint"];
type TransportSocket = Messages["envoy.config.core.v3.TransportSocket"];
type UpstreamTls = Messages["envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"];

/** One address that a cluster may send to. */
export interface Destination {
  /** A name where DNS decides. */
  readonly address: Address;
  readonly tls: UpstreamTls | undefined;
  /** Its part of the requests among those of its cluster. */
  readonly weight: number;
}

/**
 * Where a cluster sends to when all of its endpoints are well: those of the first priority that has any; for clusters that follow
 * the connection, the address it was meant for.
 */
export function destinationsOf(
  cluster: Cluster,
  assignment: Assignment | undefined,
  meant: Address | undefined,
): readonly Destination[] {
  const { endpoints = [] } = assignment ?? cluster.load_assignment ?? {};
  const inUse = endpoints.flatMap(({ lb_endpoints = [], priority = 0 }) =>
    lb_endpoints.flatMap((endpoint) => (endpoint.health_status === "DRAINING" ? [] : [{ endpoint, priority }])),
  );
  const first = Math.min(...inUse.map(({ priority }) => priority));
  const found = inUse.filter(({ priority }) => priority === first).flatMap(({ endpoint }) => place(cluster, endpoint));
  if (found.length > 0 || cluster.type !== "ORIGINAL_DST" || meant === undefined) return found;
  return [{ address: meant, tls: tlsOf(cluster, undefined), weight: 1 }];
}

function place(cluster: Cluster, endpoint: LbEndpoint): readonly Destination[] {
  const socket = endpoint.endpoint?.address?.socket_address;
  if (socket?.address === undefined) return [];
  const address = { address: socket.address, port: socket.port_value ?? 0 };
  return [{ address, tls: tlsOf(cluster, endpoint), weight: endpoint.load_balancing_weight ?? 1 }];
}

/** TLS towards an endpoint: the first transport whose conditions its metadata meets, else the cluster's own. */
function tlsOf(cluster: Cluster, endpoint: LbEndpoint | undefined): UpstreamTls | undefined {
  const said = endpoint?.metadata?.filter_metadata?.["envoy.transport_socket_match"] ?? {};
  const matched = (cluster.transport_socket_matches ?? []).find(({ match = {} }) =>
    Object.entries(match).every(([key, value]) => said[key] === value),
  );
  return opened(matched?.transport_socket ?? cluster.transport_socket);
}

/** The TLS context of a transport, below a PROXY header too; undefined: plain bytes. */
function opened(socket: TransportSocket | undefined): UpstreamTls | undefined {
  const config = socket?.typed_config as
    | (UpstreamTls & { readonly "@type": string; readonly transport_socket?: TransportSocket })
    | undefined;
  if (config?.transport_socket !== undefined) return opened(config.transport_socket);
  return config?.["@type"].endsWith(".UpstreamTlsContext") === true ? config : undefined;
}
