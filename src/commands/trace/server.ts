import type { Proxy } from "../../ir/proxy.ts";
import type { MeshService } from "../../ir/service.ts";
import type { Model } from "../../model/model.ts";
import { normalizePath } from "../../simulate/normalize-path.ts";
import { type Target, walkRoutes } from "../../simulate/outcome.ts";
import type { SimulatedCall } from "../../simulate/rbac.ts";
import type { SimulatedConnection, SimulatedRequest } from "../../simulate/request.ts";
import { isGrpc } from "../../simulate/route-match.ts";
import { type Destination, destinationsOf } from "../../simulate/upstream.ts";
import { type Entered, enter } from "../../simulate/walk.ts";
import { ALPN } from "../../xds/tls.ts";
import { principalOf } from "../offline/proxies.ts";
import { authorize, identityIn, remoteIn } from "./authorization.ts";
import { plainProtocols, requestOf } from "./dial.ts";
import type { Tagged } from "../../why/source.ts";
import { type Place, placeIn, serverOf } from "./border.ts";
import { type Branch, type Ending, failed, isBytes, nameOf, notHttp, type Step, sourced, type Walk } from "./types.ts";
import type { ProxyView } from "./view.ts";

/** Listener and chain, with what decided them. */
export function entrySteps(
  { listener, chosen }: Entered,
  { positionOf, meant }: Pick<Walk, "positionOf" | "meant">,
  view: ProxyView,
): Step[] {
  const proxy = nameOf(view.proxy);
  const first: Step = {
    step: "listener",
    proxy,
    chosen: listener?.name ?? "",
    note: `for ${meant.address}:${meant.port}`,
    ...sourced(listener as Tagged | undefined, positionOf),
  };
  if (listener === undefined) return [first];
  const { chain } = chosen;
  const second: Step = {
    step: "chain",
    proxy,
    chosen: chain === undefined ? "" : chainName(chain, chosen.isDefault),
    ...sourced(chain as Tagged | undefined, positionOf),
    rejected: chosen.rejected,
  };
  return [first, second];
}

function chainName(
  chain: {
    readonly name?: string;
    readonly filter_chain_match?: {
      readonly application_protocols?: readonly string[];
      readonly server_names?: readonly string[];
    };
  },
  isDefault: boolean,
): string {
  if (chain.name !== undefined && chain.name !== "") return chain.name;
  if (isDefault) return "default";
  const { application_protocols: protocols = [], server_names: names = [] } = chain.filter_chain_match ?? {};
  const asked = [...names, ...protocols];
  return asked.length === 0 ? "any" : asked.join(", ");
}

/**
 * From a cluster to the application behind it. `request` undefined: bytes that are not read. One branch, unless endpoints stand in
 * several clusters of the mesh: then one for each of these, with its share.
 */
export function branchesOf(
  walk: Walk,
  { cluster: name, share }: Pick<Target, "cluster" | "share">,
  request: SimulatedRequest | undefined,
): readonly Branch[] {
  const { view, positionOf, meant } = walk;
  const proxy = nameOf(view.proxy);
  const cluster = view.cluster(name);
  const steps: Step[] = [
    {
      step: "cluster",
      proxy,
      chosen: cluster === undefined ? "" : name,
      ...sourced(cluster as Tagged | undefined, positionOf),
    },
  ];
  const end = (ends: Ending): readonly Branch[] => [{ share, cluster: name, steps, ends }];
  const answer = (flag: string): string =>
    request === undefined ? `the connection is closed (${flag})` : `503 (${flag})`;
  if (cluster === undefined) return end(failed(`cluster ${name} is not there: ${answer("NC")}`, "cluster"));
  if (name === "BlackHoleCluster")
    return end(failed("nothing outside of the mesh's registry is let through: the connection is closed", "leave"));
  const all = destinationsOf(cluster, view.endpoints(name), meant);
  if (all.length === 0) {
    steps.push({ step: "endpoints", proxy, chosen: "" });
    return end(failed(`no endpoint: ${answer("UH")}`, "endpoint"));
  }
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  return byCluster(walk, all).map((found): Branch => {
    const [first] = found;
    const chosen = found.map(({ address }) => `${address.address}:${address.port}`).join(", ");
    const own: Step[] = [
      ...steps,
      { step: "endpoints", proxy, chosen },
      { step: "tls", proxy, chosen: tlsText(first) },
    ];
    const part = found.reduce((sum, { weight }) => sum + weight, 0) / total;
    return { share: share * part, cluster: name, steps: own, ends: arrival(walk, { first, request }, own) };
  });
}

/** Destinations by the cluster of the mesh that they lead into, in their order. */
function byCluster(walk: Walk, all: readonly Destination[]): readonly (readonly [Destination, ...Destination[]])[] {
  const groups = new Map<string, [Destination, ...Destination[]]>();
  for (const one of all) {
    const key = walk.others === undefined ? "" : (placeIn(walk, one.address)?.there.clusterId ?? "");
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  return [...groups.values()];
}

/** What becomes of a connection that the client's proxy makes. */
function arrival(walk: Walk, { first, request }: Sent, steps: Step[]): Ending {
  const { address, port } = first.address;
  const server = serverOf(walk.mesh, address);
  if (server !== undefined) return serverSide(walk, { server, first, request }, steps);
  const place = placeIn(walk, first.address);
  if (place !== undefined) return acrossBorder(walk, place, { first, request }, steps);
  const service = serviceAt(walk.mesh.model, address);
  if (service !== undefined) return pastProxies(walk, { service, first, request }, steps);
  const where = `${address}:${port}`;
  return podAt(walk.mesh.model, address)
    ? { kind: "delivered", text: `delivered to ${where}, which has no proxy` }
    : { kind: "left", text: `leaves the mesh for ${where}` };
}

/** A connection of the client's proxy, and what is on it. */
interface Sent {
  readonly first: Destination;
  readonly request: SimulatedRequest | undefined;
}

/** Into another cluster: straight to a pod, or through the gateway of its network, which passes the client's TLS on unopened. */
function acrossBorder(walk: Walk, { there, proxy, port }: Place, { first, request }: Sent, steps: Step[]): Ending {
  const { clusterId = "", mesh, positionOf } = there;
  const inside: Step[] = [];
  const done = (ends: Ending): Ending => {
    steps.push(...inside.map((step) => ({ ...step, cluster: clusterId })));
    return ends.kind === "delivered" ? { ...ends, text: `${ends.text} in ${clusterId}` } : ends;
  };
  if (proxy.type !== "router") return done(serverSide(walk, { server: proxy, first, request, there }, inside));
  const view = walk.views(mesh, proxy);
  const at = { ...first, address: { address: proxy.addresses[0] ?? "", port } };
  const entered = enter(view.listeners(), () => false, arriving(walk, at, request));
  inside.push(...entrySteps(entered, { positionOf, meant: at.address }, view));
  const { leads, listener } = entered;
  if (listener === undefined)
    return done(failed("the gateway does not listen there: the connection is refused", "listener"));
  const [target] = leads.kind === "tcp" ? leads.clusters : [];
  if (target === undefined)
    return done(failed("no filter chain of the gateway is for the server name: the connection is closed", "chain"));
  const cluster = view.cluster(target.cluster);
  const chosen = cluster === undefined ? "" : target.cluster;
  inside.push({ step: "cluster", proxy: nameOf(proxy), chosen, ...sourced(cluster as Tagged | undefined, positionOf) });
  const found = cluster === undefined ? [] : destinationsOf(cluster, view.endpoints(target.cluster), undefined);
  const text = found.map(({ address }) => `${address.address}:${address.port}`).join(", ");
  inside.push({ step: "endpoints", proxy: nameOf(proxy), chosen: text });
  const [next] = found;
  if (next === undefined) return done(failed("the gateway has no endpoint: the connection is closed", "endpoint"));
  const server = serverOf(mesh, next.address.address);
  if (server === undefined)
    return done({
      kind: "delivered",
      text: `delivered to ${next.address.address}:${next.address.port}, which has no proxy`,
    });
  const source = proxy.addresses[0] ?? "";
  return done(serverSide(walk, { server, first: { ...first, address: next.address }, request, there, source }, inside));
}

function serverSide(
  walk: Walk,
  {
    server,
    first,
    request,
    there = walk,
    source = walk.view.proxy.addresses[0] ?? "",
  }: Sent & {
    readonly server: Proxy;
    /** The server's cluster; default: the client's. */
    readonly there?: Pick<Walk, "mesh" | "positionOf">;
    /** Whose connection the server sees; default: the client's proxy's. */
    readonly source?: string;
  },
  steps: Step[],
): Ending {
  const { mesh, positionOf } = there;
  const view = walk.views(mesh, server);
  const arrived = { ...arriving(walk, first, request), source: { address: source, port: 40_000 } };
  // what is captured on its way in never meets a listener for what goes out
  const inbound = view.listeners().filter(({ traffic_direction: way }) => way !== "OUTBOUND");
  const entered = enter(inbound, ({ name }) => name === "virtualInbound", arrived);
  steps.push(...entrySteps(entered, { positionOf, meant: first.address }, view));
  const { leads } = entered;
  if (leads.kind === "nothing")
    return failed("no filter chain of the server takes the connection: it is reset", "server chain");
  if (leads.kind === "http" && isBytes(walk.asked)) return notHttp(nameOf(server));
  const call = callAt(walk, { entered, first, request, source });
  const said = authorize({ positionOf, asked: walk.asked }, view, { entered, call });
  steps.push(...said.steps);
  if (said.refused !== undefined) return said.refused;
  const clusters =
    leads.kind === "tcp" ? leads.clusters.map(({ cluster }) => cluster) : inlineClusters(leads.manager, walk, request);
  const [target] = clusters;
  if (target === undefined) return failed("the server has no route for the request: 404 (NR)");
  steps.push({ step: "application", proxy: nameOf(server), chosen: target });
  return { kind: "delivered", text: `delivered to ${nameOf(server)}` };
}

/** The call as the server's filters see it. */
function callAt(
  { mesh, view, asked, token }: Walk,
  { entered, first, request, source }: Sent & { readonly entered: Entered; readonly source: string },
): SimulatedCall {
  const { leads } = entered;
  const seen = leads.kind === "http" ? seenBy(leads.manager, request ?? requestOf(asked)) : undefined;
  return {
    peer: identityIn(entered, `spiffe://${principalOf(mesh.model, view.proxy)}`),
    source,
    remote: leads.kind === "http" && seen ? remoteIn(leads.manager, source, seen.headers) : source,
    destination: first.address,
    serverName: first.tls?.sni,
    request: seen,
    ...(token === undefined ? {} : { token }),
  };
}

/** With the path as the server's manager writes it; one that it refuses stays as it is. What another proxy's filters left is not here. */
function seenBy(
  manager: Extract<Entered["leads"], { kind: "http" }>["manager"],
  request: SimulatedRequest,
): SimulatedRequest {
  const { metadata: _, ...rest } = request;
  return { ...rest, path: normalizePath(request.path, manager) ?? request.path };
}

function inlineClusters(
  manager: Extract<Entered["leads"], { kind: "http" }>["manager"],
  { asked }: Walk,
  request: SimulatedRequest | undefined,
): readonly string[] {
  const { outcome } = walkRoutes(manager.route_config ?? {}, request ?? requestOf(asked));
  return outcome.kind === "forward" ? outcome.targets.map(({ cluster }) => cluster) : [];
}

/** The connection that the client's proxy makes, as the server's sees it. */
function arriving(
  { asked, view }: Walk,
  { address, tls }: Destination,
  request: SimulatedRequest | undefined,
): SimulatedConnection {
  const ends = { destination: address, source: { address: view.proxy.addresses[0] ?? "", port: 40_000 } };
  const isHttp2 = request !== undefined && isGrpc(request);
  if (tls !== undefined) {
    const applicationProtocols = offered(tls, request === undefined ? "tcp" : isHttp2 ? "h2" : "h1");
    return { ...ends, transport: "tls", serverName: tls.sni, applicationProtocols };
  }
  // the client's own TLS, passed on unopened
  if (request === undefined && asked.url.protocol === "https:")
    return { ...ends, ...CLIENT_TLS, serverName: asked.url.hostname };
  const plain = request === undefined ? plainProtocols(asked) : [isHttp2 ? "h2c" : "http/1.1"];
  return { ...ends, transport: "raw_buffer", serverName: undefined, applicationProtocols: plain };
}

/** Clusters that take over the client's protocol offer it request by request. */
function offered({ common_tls_context: context }: NonNullable<Destination["tls"]>, speaks: keyof typeof ALPN) {
  const own = context?.alpn_protocols ?? [];
  return own.join() === ALPN.tcp.join() ? ALPN[speaks] : own;
}

const CLIENT_TLS = { transport: "tls", applicationProtocols: ["h2", "http/1.1"] } as const;

function tlsText({ tls }: Destination): string {
  if (tls === undefined) return "plain text";
  const { common_tls_context: context, sni = "" } = tls;
  const isMesh = (context?.tls_certificate_sds_secret_configs ?? []).some(({ name }) => name === "default");
  return isMesh ? `mutual TLS of the mesh, server name ${sni}` : `TLS, server name ${sni === "" ? "none" : sni}`;
}

/** To a Service's own address: the node leads it to one of the pods behind that port, if there are any. */
function pastProxies(
  walk: Walk,
  { service, first, request }: Sent & { readonly service: MeshService },
  steps: Step[],
): Ending {
  const { kind, namespace, name } = service.from;
  const { port } = first.address;
  const words = `${kind} ${namespace}/${name}`;
  if (!service.ports.some(({ number }) => number === port))
    return failed(`${words} has no port ${port}: the connection is refused`, "port");
  const [pod] = walk.mesh.model.endpoints.of(service, port);
  // where nothing is redirected its address leads back to the proxy
  if (pod === undefined || walk.view.proxy.bind !== undefined)
    return failed(`nobody is behind port ${port} of ${words}: the connection is refused`, "endpoint");
  const address = { address: pod.address, port: pod.port };
  return arrival(walk, { first: { ...first, address }, request }, steps);
}

/** The Service whose virtual address this is. */
function serviceAt(model: Model, address: string): MeshService | undefined {
  return model.services.all().find(({ addresses }) => addresses.includes(address));
}

function podAt(model: Model, address: string): boolean {
  return model.pods.byIp(address) !== undefined;
}
