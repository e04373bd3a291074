import { compact } from "../base/compact.ts";
import type { GatewayChain } from "../ir/listener.ts";
import { hostMatches } from "../model/host.ts";
import type { Model } from "../model/model.ts";
import { refOf } from "../resources/object.ts";
import { apiChains } from "./gateway-api/chains.ts";
import { terminatedTls, terminates } from "./gateway-tls.ts";
import type { PlacedServer } from "./placed-server.ts";
import { meshServerName } from "./names.ts";
import type { RouteSite } from "./route-site.ts";
import type { ScopeFacts } from "./scope.ts";
import { tcpFeatures } from "./tcp-features.ts";
import { tcpClusters } from "./tcp-routes.ts";
import { tlsChains } from "./tls-routes.ts";

/** A server's hosts without the namespaces they take VirtualServices from. */
export function bareHosts({ hosts }: PlacedServer["server"]): readonly string[] {
  return hosts.map((host) => host.slice(host.indexOf("/") + 1));
}

/** The site of routes on this server, apart from the host. */
export function siteOf({ namespace, labels }: ScopeFacts, { gateway, server }: PlacedServer): Omit<RouteSite, "host"> {
  const tls = server.tls !== undefined && terminates(server.tls.mode);
  return { namespace, labels, gateway: `${gateway.namespace}/${gateway.name}`, port: server.port.number, tls };
}

/** All plaintext HTTP servers of a port are one chain and one route table. */
export function plainChain(group: readonly PlacedServer[], first: PlacedServer): GatewayChain {
  const lost = group.flatMap(({ provenance }) => provenance.lost);
  return compact({
    serverNames: [],
    tls: undefined,
    routeTable: first.table,
    clusters: [],
    grpcWeb: group.some(speaksGrpcWeb) ? (true as const) : undefined,
    provenance: { ...first.provenance, lost },
  }) as GatewayChain;
}

function speaksGrpcWeb({ server }: PlacedServer): boolean {
  return server.port.protocol.toUpperCase() === "GRPC-WEB";
}

/** Chains of a TLS or TCP server; one without a route, or without a certificate to serve, has none. */
export function chainsOf(model: Model, facts: ScopeFacts, placed: PlacedServer): readonly GatewayChain[] {
  const { server, table, provenance, api } = placed;
  if (server.tls?.mode === "AUTO_PASSTHROUGH") return meshChains(model, facts, placed);
  if (api !== undefined) return apiChains(model, facts, { api, table, provenance });
  if (placed.kind === "tls" && !terminates(server.tls?.mode)) return passedChains(model, facts, placed);
  return endedChains(model, facts, placed);
}

/** The chain of a server whose TLS ends here, or that has none. */
function endedChains(model: Model, facts: ScopeFacts, placed: PlacedServer): readonly GatewayChain[] {
  const { server, table, provenance } = placed;
  const tls = server.tls === undefined ? undefined : terminatedTls(server.tls, model.meshConfig());
  if (placed.kind === "tls" && tls === undefined) return [];
  const hosts = bareHosts(server);
  const serverNames = hosts.includes("*") || placed.kind === "tcp" ? [] : hosts;
  if (table !== undefined) return [{ serverNames, tls, routeTable: table, clusters: [], provenance }];
  const target = bytesTarget(model, facts, placed);
  return target === undefined ? [] : [{ serverNames, tls, routeTable: undefined, ...target, provenance }];
}

/** Where bytes of this server go: by the first VirtualService that has a tcp rule for it. */
function bytesTarget(
  model: Model,
  facts: ScopeFacts,
  placed: PlacedServer,
): Pick<GatewayChain, "clusters" | "tcp"> | undefined {
  for (const { object, host } of model.virtualServices.ofGatewayServer(placed.gateway, placed.server.hosts)) {
    const site: RouteSite = { ...siteOf(facts, placed), host };
    const clusters = tcpClusters(model, { object, provenance: { from: refOf(object), path: [], lost: [] } }, site);
    if (clusters === undefined) continue;
    const tcp = tcpFeatures(model, facts, clusters);
    return tcp === undefined ? { clusters } : { clusters, tcp };
  }
  return undefined;
}

/** TLS passed on unopened, by the tls rules of the VirtualServices on this server. */
function passedChains(model: Model, facts: ScopeFacts, placed: PlacedServer): readonly GatewayChain[] {
  const taken = new Set<unknown>();
  return model.virtualServices.ofGatewayServer(placed.gateway, placed.server.hosts).flatMap(({ object, host }) => {
    if (taken.has(object)) return [];
    taken.add(object);
    const provenance = { from: refOf(object), path: [], lost: [] };
    return tlsChains(model, { object, provenance }, { ...siteOf(facts, placed), host }).map(
      ({ provenance: from, ...chain }): GatewayChain => ({
        ...chain,
        tls: { mode: "PASSTHROUGH" },
        routeTable: undefined,
        provenance: from ?? provenance,
      }),
    );
  });
}

/** What mesh clients offer in their handshake. */
const MESH_ALPN = ["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

/**
 * Connections of mesh clients to services of the mesh, passed on unopened by the server name that says which port and subset
 * is meant. Only such connections match: what is no mutual TLS of the mesh has other names or offers.
 */
function meshChains(model: Model, facts: ScopeFacts, placed: PlacedServer): readonly GatewayChain[] {
  const hosts = bareHosts(placed.server);
  return model.services.allVisible(facts.namespace).flatMap((service) => {
    if (service.meshExternal || !hosts.some((host) => hostMatches(host, service.hostname))) return [];
    const rule = model.destinationRules.effective(facts, service.hostname, service.namespace);
    const subsets = ["", ...(rule?.subsets ?? []).map(({ subset }) => subset.name)];
    const ports = service.ports.filter(({ protocol }) => protocol !== "udp");
    return ports.flatMap(({ number: port }) =>
      subsets.map((subset): GatewayChain => {
        const name = meshServerName({ port, subset, host: service.hostname });
        return {
          serverNames: [name],
          applicationProtocols: MESH_ALPN,
          tls: { mode: "PASSTHROUGH" },
          routeTable: undefined,
          clusters: [{ cluster: name, weight: 1, provenance: placed.provenance }],
          provenance: placed.provenance,
        };
      }),
    );
  });
}

/** Envoy refuses a listener in which two chains match the same: the first stays, the server names of later ones are left out. */
export function distinctChains(chains: readonly GatewayChain[]): readonly GatewayChain[] {
  const taken = new Set<string>();
  return chains.flatMap((chain) => {
    const rest = `${(chain.destinations ?? []).join(" ")} ${(chain.applicationProtocols ?? []).join(" ")}`;
    const wanted = chain.serverNames.length === 0 ? [""] : chain.serverNames;
    const free = wanted.filter((name) => !taken.has(`${name} ${rest}`));
    for (const name of free) taken.add(`${name} ${rest}`);
    if (free.length === 0) return [];
    return [free.length === wanted.length ? chain : { ...chain, serverNames: free }];
  });
}
