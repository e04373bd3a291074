import { PEER_KEYS } from "../base/peer.ts";
import type { Endpoint, EndpointGroup } from "../ir/service.ts";
import type { Messages } from "../wire/codec.ts";
import type { EnvoyEndpoints } from "./types.ts";

type LbEndpoint = Messages["envoy.config.endpoint.v3.LbEndpoint"];

/**
 * The endpoints of one cluster, grouped by locality, all sorted, so that equal groups give equal bytes. Metadata says
 * whether an endpoint takes mutual TLS (`tlsMode`), and who it is: `istio.peer` for our metrics. Istio's `istio.workload`, which
 * only its own filters in Envoy read, would cost each sidecar two or three kilobytes an endpoint.
 */
export function buildEndpoints(group: EndpointGroup): EnvoyEndpoints {
  const localities = new Map<string, Endpoint[]>();
  for (const endpoint of group.endpoints) {
    const { region, zone, subzone } = endpoint.locality;
    const key = JSON.stringify([endpoint.priority ?? 0, region, zone, subzone]);
    const known = localities.get(key);
    if (known === undefined) localities.set(key, [endpoint]);
    else known.push(endpoint);
  }
  return {
    cluster_name: group.clusterName,
    endpoints: [...localities].sort(byKey).map(([, endpoints]) => locality(endpoints, group.localityWeights)),
  };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function locality(
  endpoints: readonly Endpoint[],
  weights: EndpointGroup["localityWeights"],
): NonNullable<EnvoyEndpoints["endpoints"]>[number] {
  const { locality: first, priority = 0 } = endpoints[0] ?? {};
  const place = first === undefined ? "" : localityText(first);
  return {
    ...(first === undefined || first.region === ""
      ? {}
      : { locality: { region: first.region, zone: first.zone, sub_zone: first.subzone } }),
    lb_endpoints: endpoints.toSorted(byAddress).map(lbEndpoint),
    load_balancing_weight: weights?.[place] ?? endpoints.reduce((sum, { weight }) => sum + Math.max(1, weight), 0),
    ...(priority === 0 ? {} : { priority }),
  };
}

/** How a locality is named: `region/zone/subzone`. */
function localityText({ region, zone, subzone }: Endpoint["locality"]): string {
  return `${region}/${zone}/${subzone}`;
}

function byAddress(a: Endpoint, b: Endpoint): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.port - b.port;
}

const SOCKET = "unix://";

function addressOf({ address, port }: Endpoint): Messages["envoy.config.core.v3.Address"] {
  if (address.startsWith(SOCKET)) return { pipe: { path: address.slice(SOCKET.length) } };
  return { socket_address: { address, port_value: port } };
}

function lbEndpoint(endpoint: Endpoint): LbEndpoint {
  const { peer } = endpoint;
  return {
    endpoint: { address: addressOf(endpoint) },
    ...(endpoint.draining === true ? { health_status: "DRAINING" as const } : {}),
    metadata: {
      filter_metadata: {
        ...(endpoint.tlsMode === "istio" ? { "envoy.transport_socket_match": { tlsMode: "istio" } } : {}),
        "istio.peer": Object.fromEntries(PEER_KEYS.map((key) => [key, peer[key]])),
      },
    },
    load_balancing_weight: Math.max(1, endpoint.weight),
  };
}
