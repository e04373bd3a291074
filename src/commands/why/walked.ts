import type { Proxy } from "../../ir/proxy.ts";
import type { Symptom } from "../../why/types.ts";
import type { Messages } from "../../wire/codec.ts";
import { dialled, enterClient } from "../trace/dial.ts";
import { trace } from "../trace/trace.ts";
import { type Asked, type Branch, isBytes, type Missing, nameOf, type Trace } from "../trace/types.ts";
import type { ProxyView } from "../trace/view.ts";
import { viewOf } from "../trace/view.ts";
import type { Mesh } from "../../compile/mesh.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { proxiesOf } from "../offline/proxies.ts";
import type { AskedProxy, Gatherer, Sources } from "./gather.ts";

/** A failure that a walk foresees, at the proxy that it would be seen at. */
export interface Foreseen {
  readonly symptom: Symptom;
  readonly at: AskedProxy;
}

/** A proxy of a walk; `clusterId`: of another cluster of the mesh than the client's. */
export interface PlacedProxy {
  readonly proxy: Proxy;
  readonly clusterId?: string;
}

/** A walk, with the proxies of which it was, the client's first. */
export interface Walked {
  readonly trace: Trace;
  readonly proxies: readonly PlacedProxy[];
  readonly foreseen: Foreseen | undefined;
}

/** What an access log would say. */
const AS_LOGGED: Readonly<Record<Missing, Pick<Symptom, "flags" | "details"> & { readonly status?: number }>> = {
  listener: { flags: [], details: "no_listener" },
  chain: { flags: ["NR"], details: "filter_chain_not_found" },
  route: { flags: ["NR"], details: "route_not_found", status: 404 },
  cluster: { flags: ["NC"], details: "cluster_not_found", status: 503 },
  endpoint: { flags: ["UH"], details: "no_healthy_upstream", status: 503 },
  port: { flags: ["UF"], details: "connection_refused" },
  leave: { flags: ["UH"], details: "no_healthy_upstream" },
  "server chain": { flags: ["NR"], details: "filter_chain_not_found" },
  permission: { flags: [], details: "rbac_access_denied_matched_policy[none]", status: 403 },
};

/** Who asks proxies of the mesh's other clusters; undefined: nobody can. */
export type GathererOf = (there: OfflineMesh) => Gatherer | undefined;

/** A proxy that was asked, and the mesh of its cluster. */
interface Known extends AskedProxy {
  readonly there: OfflineMesh;
}

/** Walks a request that nobody sends through what the proxies run; `foreseen` is undefined when nothing fails. */
export async function foresee(
  { offline }: Sources,
  gatherer: Gatherer,
  {
    from,
    asked,
    abroad = () => undefined,
  }: { readonly from: Proxy; readonly asked: Asked; readonly abroad?: GathererOf },
): Promise<Walked> {
  const client: Known = { ...(await gatherer.ask(from)), there: offline };
  const known = [client];
  const find = (mesh: Mesh, proxy: Proxy): Known | undefined =>
    known.find((one) => one.there.mesh === mesh && keyOf(one.proxy) === keyOf(proxy));
  const views = (mesh: Mesh, proxy: Proxy): ProxyView => {
    const live = find(mesh, proxy);
    return live === undefined
      ? viewOf(mesh, proxy)
      : { ...live.facts.config, proxy: live.proxy, config: mesh.proxyConfig(live.proxy) };
  };
  const first = trace(offline, client.proxy, asked, views);
  // who else decides is known by now: they are asked, and the walk is walked again
  for (const there of [offline, ...(offline.others ?? [])]) {
    const asks = there === offline ? gatherer : abroad(there);
    const isHere = (cluster: string | undefined): boolean => cluster === there.clusterId;
    const names = new Set(stepsOf(first).flatMap(({ proxy, cluster }) => (isHere(cluster) ? [proxy] : [])));
    for (const proxy of asks === undefined || names.size === 0 ? [] : proxiesOf(there.mesh.model))
      if (asks !== undefined && names.has(nameOf(proxy)) && find(there.mesh, proxy) === undefined)
        known.push({ ...(await asks.ask(proxy)), there });
  }
  const walked = known.length > 1 ? trace(offline, client.proxy, asked, views) : first;
  const foreseen = failureOf({ offline, walked, asked, proxies: known });
  const proxies = known.map(({ proxy, there }): PlacedProxy => {
    const { clusterId } = there;
    return there === offline || clusterId === undefined ? { proxy } : { proxy, clusterId };
  });
  return { trace: walked, proxies, foreseen };
}

interface WalkedProxies {
  readonly offline: Sources["offline"];
  readonly walked: Trace;
  readonly asked: Asked;
  /** The client's first. */
  readonly proxies: readonly AskedProxy[];
}

/** What fails on the way, as the proxy at which it does would log it. */
function failureOf({ offline, walked, asked, proxies }: WalkedProxies): Foreseen | undefined {
  const [client, ...servers] = proxies;
  if (client === undefined) return undefined;
  const branch = walked.branches.find(({ ends, share }) => ends.kind === "failed" && share > 0);
  const missing = branch?.ends.missing ?? walked.ends.missing;
  const lacking = lacksCertificate(client, offline, asked);
  if (!lacking && arrives(walked)) return undefined;
  const server = refusesAtServer(branch, missing) ? servers[0] : undefined;
  const place = server === undefined ? dialled(offline.mesh.model, client.proxy, asked.url) : arrival(branch);
  const [caller = ""] = client.proxy.addresses;
  const seen = symptomOf({ walked, branch, missing, asked, place, caller });
  const symptom = lacking ? { ...seen, flags: [], details: "secret_not_ready", text: "the handshake fails" } : seen;
  return { symptom, at: server ?? client };
}

/** Whether the server's proxy is the one that ends it. */
function refusesAtServer(branch: Branch | undefined, missing: Missing | undefined): boolean {
  return missing === "server chain" || (missing === "permission" && branch !== undefined);
}

function arrives({ ends }: Trace): boolean {
  return ends.kind === "delivered" || ends.kind === "left";
}

/** Whether a gateway takes the connection by a chain whose certificate it does not have. */
function lacksCertificate(
  { proxy, facts }: AskedProxy,
  { mesh, positionOf }: Sources["offline"],
  asked: Asked,
): boolean {
  const { secrets, config } = facts;
  if (secrets === undefined || proxy.type !== "router" || asked.url.protocol !== "https:") return false;
  const view = { ...config, proxy, config: mesh.proxyConfig(proxy) };
  const meant = dialled(mesh.model, proxy, asked.url);
  const { chosen } = enterClient({ mesh, positionOf, views: viewOf, view, asked, meant, token: undefined });
  const tls = chosen.chain?.transport_socket?.typed_config as Partial<DownstreamTls> | undefined;
  const named = (tls?.common_tls_context?.tls_certificate_sds_secret_configs ?? []).map(({ name = "" }) => name);
  return named.some((name) => !secrets.has(name));
}

type DownstreamTls = Messages["envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"];

function keyOf({ name, namespace }: Proxy): string {
  return `${namespace}/${name}`;
}

function stepsOf({ steps, branches }: Trace): Trace["steps"] {
  return [...steps, ...branches.flatMap((branch) => branch.steps)];
}

/** Where the request came to the server, by the words of the walk. */
function arrival(branch: Branch | undefined): { readonly address: string; readonly port: number } {
  const text = branch?.steps.find(({ step }) => step === "endpoints")?.chosen.split(", ")[0] ?? "";
  const colon = text.lastIndexOf(":");
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** What is logged of a connection that no proxy reads: no status, and what refused it as the reason of its end. */
function ofBytes({
  flags,
  details,
}: Pick<Symptom, "flags" | "details">): Pick<Symptom, "flags" | "details" | "terminationDetails"> {
  return details?.startsWith("rbac_") === true
    ? { flags, terminationDetails: details }
    : { flags, ...(details === undefined ? {} : { details }) };
}

interface Parts {
  readonly walked: Trace;
  readonly branch: Branch | undefined;
  readonly missing: Missing | undefined;
  readonly asked: Asked;
  readonly place: { readonly address: string; readonly port: number };
  readonly caller: string;
}

function symptomOf({ walked, branch, missing, asked, place, caller }: Parts): Symptom {
  const { url, method } = asked;
  const isTls = url.protocol === "https:";
  const said = missing === undefined ? { flags: [], details: "direct_response" } : AS_LOGGED[missing];
  const cluster = missing === "cluster" ? undefined : branch?.cluster;
  const http = { method, path: `${url.pathname}${url.search}`, protocol: "HTTP/1.1", authority: url.host };
  return {
    ...(isBytes(asked) ? ofBytes(said) : { ...said, ...http }),
    from: "walk",
    text: (branch?.ends ?? walked.ends).text,
    others: {},
    localAddress: `${place.address}:${place.port}`,
    remoteAddress: `${caller}:40000`,
    ...(isTls ? { serverName: url.hostname } : {}),
    ...(cluster === undefined ? {} : { upstreamCluster: cluster }),
  };
}
