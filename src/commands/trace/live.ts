import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import type { AccessLogReader } from "../../base/access-log-line.ts";
import { compact } from "../../base/compact.ts";
import { delay } from "../../base/delay.ts";
import { ClusterError, EnvironmentError } from "../../base/errors.ts";
import { explicitPort } from "../../base/explicit-port.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Symptom } from "../../why/types.ts";
import { proxyLines, symptomIn } from "../why/lines.ts";
import { placeOf } from "../../why/words.ts";
import { serverOf } from "./border.ts";
import { type CallerDeps, callerIn } from "./caller.ts";
import { compare, type Happened } from "./compare.ts";
import { dialled } from "./dial.ts";
import { type Answered, exchange } from "./send.ts";
import { type Asked, isBytes, type Live, nameOf, portOf, type Trace } from "./types.ts";

/** How long lines of the access log may take: Envoy writes them in bulk. */
const LOG_MS = 12_000;
const POLL_MS = 250;

/** A proxy of the walk, and where its log is read. */
export interface LoggedProxy {
  readonly proxy: Proxy;
  readonly cluster: Cluster;
  readonly read: AccessLogReader;
  /** Name of its cluster, where that is not the client's. */
  readonly of?: string;
}

/** What a live request needs. */
export interface LiveDeps extends Omit<CallerDeps, "cluster"> {
  readonly model: Model;
  /** Of a request that somebody else sent; undefined: it is sent here. */
  readonly requestId: string | undefined;
}

/**
 * Sends the request through the client's proxy, finds it in the access logs of the proxies of the walk, and says where it went
 * another way. Throws EnvironmentError when it cannot be sent from here.
 */
export async function sendLive(
  deps: LiveDeps,
  { from, others }: { readonly from: LoggedProxy; readonly others: readonly LoggedProxy[] },
  asked: Asked,
  walked: Trace,
): Promise<Live> {
  const id = deps.requestId ?? randomUUID();
  const sent = deps.requestId === undefined ? await answered(deps, from, asked, id) : undefined;
  const isItsOwn = markOf(asked, id, sent);
  const own = isItsOwn === undefined ? undefined : await lineOf(deps, from, isItsOwn, Date.now() + LOG_MS);
  const isTheSame = markBehind(asked, id, own);
  const behind = isTheSame === undefined ? [] : servedBy(deps, from, others, own);
  // a client's proxy without logs has been waited for already
  const until = own === undefined ? 0 : Date.now() + LOG_MS;
  const servers = isTheSame === undefined ? [] : await linesOf(deps, behind, isTheSame, until);
  const lines = [own, ...servers].flatMap((line, index) => {
    const { proxy, of } = [from, ...behind][index] ?? from;
    return line === undefined
      ? []
      : [{ proxy: nameOf(proxy), ...(of === undefined ? {} : { cluster: of }), text: line.text }];
  });
  const seen = servers.filter((line) => line !== undefined);
  const happened = { ...outcomeOf(asked, sent, own), own, servers: seen };
  const differences = compare(walked, happened);
  const { status, bytes, closed, error } = happened;
  return {
    requestId: id,
    ...compact({ status, bytes, closed, error }),
    lines,
    agrees: differences.length === 0,
    differences,
  };
}

/** What came back; of a request that somebody else sent, what the client's proxy wrote down. */
function outcomeOf(asked: Asked, sent: Sent | undefined, own: Symptom | undefined): Omit<Happened, "own" | "servers"> {
  const { status, error, bytes, closed } = sent?.answer ?? {};
  if (bytes !== undefined) return { status: undefined, error, bytes, closed: closed === true };
  return { status: isBytes(asked) ? undefined : (status ?? own?.status), error };
}

/** Proxies whose logs tell of it: of several servers the one that it went to, which the walk need not have named. */
function servedBy(
  { model }: LiveDeps,
  from: LoggedProxy,
  others: readonly LoggedProxy[],
  own: Symptom | undefined,
): readonly LoggedProxy[] {
  if (own === undefined) return others;
  const { address } = placeOf(own.upstreamHost ?? "") ?? {};
  if (address === undefined) return [];
  const met = others.filter(({ proxy, of }) => of !== undefined || proxy.addresses.includes(address));
  const server = serverOf({ model }, address);
  return met.length > 0 || server === undefined ? met : [{ ...from, proxy: server }];
}

/** What was sent, and from which address, where that is known. */
interface Sent {
  readonly answer: Answered;
  readonly from?: string;
}

/** By what a line tells of the request: its id, or, of bytes that no proxy reads, where the connection comes from. */
type Mark = (line: Symptom) => boolean;

/** At the client's proxy; undefined: nothing would tell it from another. */
function markOf(asked: Asked, id: string, sent: Sent | undefined): Mark | undefined {
  if (asked.url.protocol === "http:") return ({ text }) => text.includes(id);
  const from = sent?.from;
  if (from === undefined) return asked.url.protocol === "https:" ? ({ text }) => text.includes(id) : undefined;
  return ({ remoteAddress }) => remoteAddress === from;
}

/** At proxies behind it. */
function markBehind(asked: Asked, id: string, own: Symptom | undefined): Mark | undefined {
  if (!isBytes(asked) && own?.requestId !== undefined) return ({ text }) => text.includes(id);
  const from = own?.upstreamLocalAddress;
  if (from !== undefined && asked.url.protocol !== "http:") return ({ remoteAddress }) => remoteAddress === from;
  return asked.url.protocol === "http:" ? ({ text }) => text.includes(id) : undefined;
}

async function answered(deps: LiveDeps, from: LoggedProxy, asked: Asked, id: string): Promise<Sent> {
  const { stream, ...rest } = await wayIn(deps, from, asked, id);
  if (stream === undefined) return { answer: { error: rest.error ?? "no connection" } };
  const answer = await exchange(stream, asked, id).finally(() => stream.destroy());
  return rest.from === undefined ? { answer } : { answer, from: rest.from };
}

interface WayIn {
  readonly stream?: Duplex;
  readonly from?: string;
  readonly error?: string;
}

/**
 * Into the port of a gateway; through the HTTP proxy of a sidecar whose addresses are explicit; else from inside the client's pod, as
 * its application would connect.
 */
async function wayIn(deps: LiveDeps, { proxy, cluster }: LoggedProxy, asked: Asked, id: string): Promise<WayIn> {
  const { namespace, name: pod, bind } = proxy;
  const port = openPort(deps.model, proxy, asked);
  if (port !== undefined) return { stream: await cluster.portForward({ namespace, pod, port }) };
  const { address, port: asDialled } = dialled(deps.model, proxy, asked.url);
  const { hostname } = asked.url;
  // where nothing is redirected a name leads past the proxy
  const to =
    bind === undefined
      ? { host: hostname.replace(/^\[|\]$/g, ""), port: portOf(asked.url) }
      : { host: address, port: asDialled };
  try {
    const dial = await callerIn({ ...deps, cluster }, { namespace, name: pod });
    return await dial(to.host, to.port);
  } catch (error) {
    if (!(error instanceof EnvironmentError) && !(error instanceof ClusterError)) throw error;
    throw new EnvironmentError("no-way-in", `nothing can be sent from pod ${namespace}/${pod}: ${error.message}`, {
      hint: byHand(asked, { namespace, pod, id }),
      cause: error,
    });
  }
}

/** How somebody who may run a program in the pod sends it. */
function byHand(
  asked: Asked,
  { namespace, pod, id }: { readonly namespace: string; readonly pod: string; readonly id: string },
): string {
  if (isBytes(asked))
    return "It takes the permission to patch pods/ephemeralcontainers, and to create pods/portforward.";
  return `Send it there, then ask with --request-id: kubectl exec -n ${namespace} ${pod} -- curl -sS -H 'x-request-id: ${id}' '${String(asked.url)}'`;
}

/** A port of the pod that takes it from outside; undefined: only the pod's own programs get into the proxy. */
function openPort(model: Model, from: Proxy, { url }: Asked): number | undefined {
  if (from.type === "router") {
    const listens = model.gateways.listenPort(from, portOf(url));
    return from.bind === undefined ? listens : explicitPort(listens);
  }
  return url.protocol === "http:" ? from.bind?.httpProxyPort : undefined;
}

/** The proxy's line about the request; undefined when there is none in time. */
/**
 * The line of each. Which of a far cluster's servers its gateway has chosen nobody tells here: all of them are asked, until one has it.
 */
function linesOf(
  deps: LiveDeps,
  proxies: readonly LoggedProxy[],
  mark: Mark,
  until: number,
): Promise<readonly (Symptom | undefined)[]> {
  const met = new AbortController();
  const abroad = { ...deps, signal: AbortSignal.any([deps.signal, met.signal]) };
  return Promise.all(
    proxies.map(async (one) => {
      const isAbroad = one.of !== undefined;
      const line = await lineOf(isAbroad ? abroad : deps, one, mark, until);
      if (line !== undefined && isAbroad && one.proxy.type === "sidecar") met.abort();
      return line;
    }),
  );
}

async function lineOf(
  { signal }: LiveDeps,
  { proxy, cluster, read }: LoggedProxy,
  mark: Mark,
  until: number,
): Promise<Symptom | undefined> {
  for (;;) {
    const lines = await proxyLines(cluster, proxy);
    const last = lines.flatMap((line) => symptomIn(line, read) ?? []).findLast(mark);
    if (last !== undefined || Date.now() > until || signal.aborted) return last;
    await delay(POLL_MS, signal);
  }
}
