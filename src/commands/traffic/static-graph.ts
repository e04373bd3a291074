import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import { workloadOwner } from "../../model/workload.ts";
import { refOf } from "../../resources/object.ts";
import { type Permission, permissionsAt } from "../authz/can.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { principalOf, proxiesOf } from "../offline/proxies.ts";
import { type Graph, type GraphEdge, type GraphNode, nodesOf } from "./graph.ts";

/**
 * Who may call whom by configuration: a client's proxy has the service (visibility, Sidecar), endpoints of it are pods of the
 * server, and the server's policies let the client's identity do something there. An edge is `limited` where they let it do a part.
 */
export function staticGraph(mesh: OfflineMesh, now: Date): Graph {
  const { model } = mesh.mesh;
  const workloads = workloadsByAddress(model);
  const permissions = new Map<string, readonly Permission[]>();
  const edges = new Map<string, GraphEdge>();
  for (const client of oneOfEach(model, proxiesOf(model))) {
    const from = nodeOf(model, client);
    for (const { address, host } of reached(mesh, client)) {
      const server = workloads.get(address);
      if (server === undefined || server.node.id === from.id) continue;
      const key = `${from.id} ${server.node.id} ${host}`;
      if (edges.has(key)) continue;
      const told =
        permissions.get(server.node.id) ?? (server.proxy === undefined ? [] : permissionsAt(mesh, server.proxy, now));
      permissions.set(server.node.id, told);
      const edge = allowedEdge(told, principalOf(model, client));
      if (edge !== undefined) edges.set(key, { from: from.id, to: server.node.id, service: host, ...edge });
    }
  }
  const all = [...edges.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { source: "configured", nodes: nodesOf([...workloads.values()].map(({ node }) => node)), edges: all };
}

function keyOf({ from, to, service }: GraphEdge): string {
  return `${from} ${to} ${service}`;
}

/** Undefined where nothing is allowed. A server without policies, or without a proxy, allows all. */
function allowedEdge(
  permissions: readonly Permission[],
  principal: string,
): { readonly limited?: boolean } | undefined {
  const own = permissions.filter((one) => one.principal === principal);
  const allowed = own.filter(({ decision }) => decision === "allow" || decision === "ask");
  if (own.length > 0 && allowed.length === 0) return undefined;
  return allowed.length < own.length ? { limited: true } : {};
}

/** Addresses that the clusters of a proxy lead to, with the host each is reached by. */
function reached(mesh: OfflineMesh, client: Proxy): readonly { readonly address: string; readonly host: string }[] {
  const config = mesh.mesh.proxyConfig(client);
  return config.clusterNames().flatMap(({ name }) => {
    const [direction, , , host = ""] = name.split("|");
    if (direction !== "outbound") return [];
    const endpoints = config.endpoints(name)?.endpoints ?? [];
    return endpoints.map(({ address }) => ({ address, host }));
  });
}

interface KnownWorkload {
  readonly node: GraphNode;
  readonly proxy: Proxy | undefined;
}

/** Workloads by the addresses of their pods. */
function workloadsByAddress(model: Model): ReadonlyMap<string, KnownWorkload> {
  const proxies = new Map(proxiesOf(model).map((proxy) => [`${proxy.namespace}/${proxy.name}`, proxy]));
  const found = new Map<string, KnownWorkload>();
  for (const pod of model.world.list("Pod")) {
    const { namespace, name } = refOf(pod);
    const proxy = proxies.get(`${namespace}/${name}`);
    const workload = workloadOwner(pod.metadata)?.name ?? name;
    const node = { id: `${namespace}/${workload}`, kind: "workload" as const, name: workload, namespace };
    const addresses = proxy?.addresses ?? [(pod.status as { podIP?: string } | undefined)?.podIP ?? ""];
    for (const address of addresses) if (address !== "") found.set(address, { node, proxy });
  }
  return found;
}

/** One proxy of each workload: pods of one workload may do the same. */
function oneOfEach(model: Model, proxies: readonly Proxy[]): readonly Proxy[] {
  return [...new Map(proxies.map((proxy) => [nodeOf(model, proxy).id, proxy])).values()];
}

function nodeOf(model: Model, { namespace, name }: Proxy): GraphNode {
  const pod = model.world.get("Pod", namespace, name);
  const workload = (pod === undefined ? undefined : workloadOwner(pod.metadata)?.name) ?? name;
  return { id: `${namespace}/${workload}`, kind: "workload", name: workload, namespace };
}
