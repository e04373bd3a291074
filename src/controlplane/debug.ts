import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isOwnAddress } from "../base/connection-limit.ts";
import { errorText } from "../base/errors.ts";
import { VERSION } from "../gen/version.ts";
import { decodeMessage, typeOfUrl } from "../wire/codec.ts";
import { NAME_TABLE } from "../xds/name-table.ts";
import { TYPE_URLS, type XdsKind } from "../xds/types.ts";
import type { Caller } from "./caller.ts";
import { configDump } from "./config-dump.ts";
import type { Question } from "./debug-question.ts";
import { type Answer, JSON_TYPE, json } from "./http.ts";
import type { Metrics } from "./metrics.ts";
import { answerPage } from "./page.ts";
import type { ProxyStatus } from "./xds-status.ts";
import type { XdsStream } from "./xds-stream.ts";

export interface MonitoringDeps {
  readonly metrics: Metrics;
  readonly streams: ReadonlySet<XdsStream>;
  readonly authenticate: (peer: {
    readonly address: string;
    readonly certificate: undefined;
    readonly bearer: string | undefined;
  }) => Promise<Caller | undefined>;
  /** Accounts of these namespaces, our own first, may ask everything; of another only about proxies of their own. */
  readonly debugNamespaces: readonly string[];
  /** The analyzers' findings about the World as it is now, as JSON (AnalysisReport); of one namespace unless that is "". */
  readonly analyse: (namespace: string) => Promise<Uint8Array>;
  /** Further questions, by name, for callers who may see everything. */
  readonly more: Readonly<Record<string, Question>>;
}

const COMMANDS = ["analysis", "config_dump", "connections", "list", "ndsz", "syncz"];
/** What accounts of any namespace may ask, about proxies of their own. */
const OPEN: ReadonlySet<string> = new Set(["config_dump", "ndsz"]);

/**
 * Port 15014: metrics and version for everyone, /debug for callers on the pod's own loopback (port-forward) and for callers
 * whose token proves an account that may see it (design D16).
 */
export async function answerMonitoring(deps: MonitoringDeps, request: IncomingMessage, url: URL): Promise<Answer> {
  const command = commandIn(url);
  const question = questionAt(deps, url.pathname, command);
  const refusal = refusalOf(request, question);
  if (refusal !== undefined) return refusal;
  const open = await openAnswer(deps, url.pathname);
  if (open !== undefined) return open;
  if (question === undefined && !COMMANDS.includes(command)) return { status: 404, body: "not found\n" };
  const viewer = await viewerOf(deps, request);
  if (viewer === undefined) return { status: 401, body: "expected a bearer token for audience istio-ca\n" };
  if (question !== undefined) return answerQuestion(question, { isChange: request.method === "POST", url, viewer });
  return answerCommand(deps, command, url, viewer);
}

/** One question of /debug by a caller that is known already: `viewer` is the namespace whose proxies it may see, or "*". */
export async function answerDebugQuestion(deps: MonitoringDeps, url: URL, viewer: string): Promise<Answer> {
  const command = commandIn(url);
  const question = questionAt(deps, url.pathname, command);
  if (question !== undefined) return answerQuestion(question, { isChange: false, url, viewer });
  return COMMANDS.includes(command) ? answerCommand(deps, command, url, viewer) : { status: 404, body: "not found\n" };
}

function commandIn({ pathname }: URL): string {
  return /^\/debug\/([a-z_]+)$/.exec(pathname)?.[1] ?? "";
}

function answerCommand(deps: MonitoringDeps, command: string, url: URL, viewer: string): Answer | Promise<Answer> {
  return command === "analysis" ? answerAnalysis(deps, url, viewer) : answerDebug(deps, command, url, viewer);
}

/** Only what changes something is asked by POST, and not by a page: one in somebody's browser may send a POST to a forwarded port. */
function refusalOf({ method, headers }: IncomingMessage, question: Question | undefined): Answer | undefined {
  if (method === "GET") return undefined;
  if (method !== "POST" || question?.change === undefined) return { status: 405, body: "expected GET\n" };
  // a page cannot help saying where it is from
  return headers.origin === undefined ? undefined : { status: 403, body: "not for pages\n" };
}

function answerQuestion(
  { answer, change = answer }: Question,
  { isChange, url, viewer }: { readonly isChange: boolean; readonly url: URL; readonly viewer: string },
): Answer | Promise<Answer> {
  if (viewer !== "*") return { status: 403, body: "not open to this caller\n" };
  return isChange ? change(url) : answer(url);
}

/** What is for callers who may see everything: the page, and further questions of /debug. */
function questionAt({ more }: MonitoringDeps, path: string, command: string): Question | undefined {
  if (/^\/ui(?:\/|$)/.test(path)) return { answer: ({ pathname }) => answerPage(pathname) };
  return Object.hasOwn(more, command) ? more[command] : undefined;
}

/** What everyone may ask. */
async function openAnswer({ metrics }: MonitoringDeps, path: string): Promise<Answer | undefined> {
  if (path === "/metrics")
    return { status: 200, body: await metrics.text(), contentType: "text/plain; version=0.0.4; charset=utf-8" };
  // without an end of line: istioctl prints the answer as it is
  return path === "/version" ? { status: 200, body: VERSION } : undefined;
}

/** `?namespace=` leaves the findings about that namespace's objects. */
async function answerAnalysis(deps: MonitoringDeps, url: URL, viewer: string): Promise<Answer> {
  const namespace = url.searchParams.get("namespace") ?? "";
  try {
    const body = await deps.analyse(viewer === "*" ? namespace : viewer);
    return { status: 200, body, contentType: JSON_TYPE };
  } catch (error) {
    return { status: 503, body: `${errorText(error)}\n` };
  }
}

/** Which namespace's proxies a caller may see; "*": all. */
async function viewerOf(deps: MonitoringDeps, request: IncomingMessage): Promise<string | undefined> {
  const address = request.socket.remoteAddress ?? "";
  if (isOwnAddress(address) && isOwnName(request.headers.host)) return "*";
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const caller = await deps.authenticate({ address, certificate: undefined, bearer });
  return caller && namespaceSeenBy(deps, caller);
}

/** The namespace whose proxies an account may see; "*": all. */
export function namespaceSeenBy({ debugNamespaces }: MonitoringDeps, { identity }: Caller): string {
  return debugNamespaces.includes(identity.namespace) ? "*" : identity.namespace;
}

/**
 * Whether a request is for this machine by its own name or an address. A page in the browser of whoever forwards the port may
 * make its own name lead to loopback; it cannot change what it is called by.
 */
function isOwnName(host = ""): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return name === "" || name === "localhost" || isIP(name) !== 0;
}

function answerDebug(deps: MonitoringDeps, command: string, url: URL, viewer: string): Answer {
  const isPretty = url.searchParams.has("pretty");
  if (command === "list") return json([...COMMANDS, ...Object.keys(deps.more)].sort(), isPretty);
  if (!OPEN.has(command) && viewer !== "*")
    return { status: 403, body: `only ${[...OPEN].join(" and ")} are open to this caller\n` };
  if (command === "connections") return json(connections(deps.streams), isPretty);
  const visible = [...deps.streams].filter(({ claim }) => viewer === "*" || claim.namespace === viewer);
  if (command === "syncz") return json(synced(visible, url.searchParams.get("namespace")), isPretty);
  const proxyId = url.searchParams.get("proxyID");
  if (proxyId === null || proxyId === "") return { status: 400, body: "expected ?proxyID=<pod>.<namespace>\n" };
  const found = visible.find(({ proxy }) => proxy === proxyId) ?? visible.find(({ proxy }) => proxy.includes(proxyId));
  if (found === undefined)
    return { status: 404, body: "the proxy is not connected to this instance of the control plane\n" };
  if (command === "config_dump") return json(configDump(found), isPretty);
  const names = nameTable(found);
  return names === undefined
    ? { status: 404, body: "no DNS queries of the proxy are captured\n" }
    : json(names, isPretty);
}

function synced(streams: readonly XdsStream[], namespace: string | null): unknown {
  const wanted = streams.filter(({ claim }) => namespace === null || namespace === "" || claim.namespace === namespace);
  return statusesOf(wanted).map((status) => ({ ...status, ...sentAndAcked(status.types) }));
}

/** How every proxy of these streams stands, each once, by name. */
export function statusesOf(wanted: readonly XdsStream[]): readonly ProxyStatus[] {
  const names = newestByProxy(wanted.filter(isNamesOnly));
  const envoys = newestByProxy(wanted.filter((stream) => !isNamesOnly(stream)));
  return [...new Map([...names, ...envoys]).values()]
    .map((stream) => {
      const status = stream.status();
      const nametable = names.get(stream.proxy)?.status().types.nametable;
      const types = nametable === undefined ? status.types : { ...status.types, nametable };
      return { ...status, types };
    })
    .toSorted((a, b) => (a.proxy < b.proxy ? -1 : 1));
}

/** Istio's names of what `types` says; a reader of these sees sync where the two are equal. */
const OF_ISTIO = {
  cluster: "cluster",
  listener: "listener",
  route: "route",
  endpoint: "endpoint",
  extension: "extensionconfig",
} as const satisfies Partial<Record<XdsKind, string>>;

function sentAndAcked(types: ProxyStatus["types"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(OF_ISTIO).flatMap(([kind, name]) => {
      const status = types[kind as keyof typeof OF_ISTIO];
      return status === undefined
        ? []
        : [
            [`${name}_sent`, status.sentHash],
            [`${name}_acked`, status.ackedHash],
          ];
    }),
  );
}

/** The stream of an agent, which wants the table of names and nothing that Envoy runs. */
function isNamesOnly(stream: XdsStream): boolean {
  return stream.subscription("nametable") !== undefined && stream.subscription("cluster") === undefined;
}

/** An Envoy that reconnected may have left a stream that has not noticed yet: the newest speaks for it. */
function newestByProxy(streams: readonly XdsStream[]): ReadonlyMap<string, XdsStream> {
  const newest = new Map<string, XdsStream>();
  for (const stream of streams) {
    const other = newest.get(stream.proxy);
    if (other === undefined || other.connectedAt <= stream.connectedAt) newest.set(stream.proxy, stream);
  }
  return newest;
}

function connections(streams: ReadonlySet<XdsStream>): unknown {
  const clients = [...streams].map(({ proxy, connectedAt, address }) => ({
    connectionId: proxy,
    connectedAt: new Date(connectedAt).toISOString(),
    address,
  }));
  return { totalClients: clients.length, clients };
}

/** What the proxy's agent answers DNS queries from. */
function nameTable(stream: XdsStream): unknown {
  const resource = stream.snapshot()?.nametable.get(NAME_TABLE);
  return resource && decodeMessage(typeOfUrl(TYPE_URLS.nametable), resource.bytes);
}
