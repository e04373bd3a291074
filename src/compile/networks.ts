import { compact } from "../base/compact.ts";
import type { Endpoint, MeshService } from "../ir/service.ts";
import type { Model } from "../model/model.ts";
import type { NetworkGateway } from "../model/networks.ts";
import { peerOf } from "../model/workload.ts";
import type { ScopeFacts } from "./scope.ts";

/** Where a caller stands, as far as it decides which endpoints it reaches and how. */
export interface Position {
  /** Given where only endpoints of these clusters count: a service is each cluster's own, or is shared by some. */
  readonly clusters?: readonly string[];
  /** Networks alone whose endpoints count, where the caller asks for that (ISTIO_META_REQUESTED_NETWORK_VIEW). */
  readonly view?: readonly string[];
  /** Given where networks have gateways; "" for a caller on none, which reaches all directly. */
  readonly network?: string;
}

/** What counts of a caller's place for a service; nothing in a mesh of one cluster and one network. */
export function positionOf(model: Model, facts: ScopeFacts, service: MeshService): Position {
  const { cluster, network, networkView: view } = facts;
  return compact({ clusters: cluster === undefined ? undefined : clustersFor(model, cluster, service), network, view });
}

function clustersFor(model: Model, cluster: string, service: MeshService): readonly string[] | undefined {
  const isLocal = service.from.kind === "Service" && model.isClusterLocal(service.hostname);
  return isLocal ? [cluster] : model.clusterSet.seenFrom(service, cluster);
}

/** The endpoints that a caller reaches: those of other networks by the gateways of these. */
export function reachedFrom(model: Model, position: Position, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const { clusters, network, view } = position;
  const isMeant = (endpoint: Endpoint): boolean =>
    clusters?.includes(endpoint.cluster ?? model.clusterId) !== false &&
    (endpoint.network === undefined || view?.includes(endpoint.network) !== false);
  const meant = clusters === undefined && view === undefined ? endpoints : endpoints.filter(isMeant);
  return network === undefined ? meant : byGateways(model, network, meant);
}

/** Of the endpoints those that stand on the network itself, or on none: what a gateway of the network passes on to. */
export function onNetwork(network: string | undefined, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (network === undefined || network === "") return endpoints;
  return endpoints.filter((endpoint) => endpoint.network === undefined || endpoint.network === network);
}

/**
 * Endpoints of another network that has gateways are reached through these, by the server name alone: those that do not take
 * mutual TLS are not reached. A gateway stands for all endpoints of its network and locality, with their weights in sum; all
 * weights are scaled so that equal shares of gateways are whole numbers (as Istio does).
 */
function byGateways(model: Model, network: string, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ways = endpoints.map((endpoint) => ({ endpoint, gateways: gatewaysTo(model, network, endpoint) }));
  if (ways.every(({ gateways }) => gateways.length === 0)) return endpoints;
  const scale = ways.reduce((multiple, { gateways }) => commonMultiple(multiple, Math.max(1, gateways.length)), 1);
  const direct: Endpoint[] = [];
  const through = new Map<string, Endpoint>();
  for (const { endpoint, gateways } of ways) {
    const weight = endpoint.weight * scale;
    if (gateways.length === 0) direct.push({ ...endpoint, weight });
    else if (endpoint.tlsMode === "istio" && endpoint.draining !== true)
      for (const gateway of gateways) addShare(through, { endpoint, gateway, weight: weight / gateways.length });
  }
  return [...direct, ...through.values()];
}

/** Those of its own cluster, if there are some. */
function gatewaysTo({ networks, clusterId }: Model, from: string, endpoint: Endpoint): readonly NetworkGateway[] {
  const { network = "", cluster = clusterId } = endpoint;
  if (from === "" || network === "" || network === from) return [];
  const all = networks.gateways(network);
  const own = all.filter((gateway) => gateway.clusterId === cluster);
  return own.length > 0 ? own : all;
}

function addShare(
  through: Map<string, Endpoint>,
  {
    endpoint,
    gateway,
    weight,
  }: { readonly endpoint: Endpoint; readonly gateway: NetworkGateway; readonly weight: number },
): void {
  const { locality, network = "", cluster } = endpoint;
  const key = JSON.stringify([gateway.address, gateway.port, locality]);
  const known = through.get(key);
  through.set(key, {
    address: gateway.address,
    port: gateway.port,
    labels: {},
    peer: peerOf({ cluster: endpoint.peer.cluster }),
    serviceAccount: "",
    tlsMode: "istio",
    locality,
    network,
    ...(cluster === undefined ? {} : { cluster }),
    weight: (known?.weight ?? 0) + weight,
  });
}

function commonMultiple(a: number, b: number): number {
  let [large, small] = [a, b];
  while (small !== 0) [large, small] = [small, large % small];
  return (a / large) * b;
}
