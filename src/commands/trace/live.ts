import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { delay } from "../../base/delay.ts";
import { EnvironmentError, errorText } from "../../base/errors.ts";
import { explicitPort } from "../../base/explicit-port.ts";
import type { AccessLogReader } from "../../base/access-log-line.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Model } from "../../model/model.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Symptom } from "../../why/types.ts";
import { proxyLines, symptomIn } from "../why/lines.ts";
import type { Asked, Ending, Live, Trace } from "./types.ts";

/** How long lines of the access log may take: Envoy writes them in bulk. */
const LOG_MS = 12_000;
const POLL_MS = 250;
const ANSWER_MS = 30_000;

/** What a live request needs. */
export interface LiveDeps {
  readonly cluster: Cluster;
  readonly model: Model;
  readonly read: AccessLogReader;
  /** Of a request that somebody else sent; undefined: it is sent here. */
  readonly requestId: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Sends the request through the client's proxy, finds it in the access logs of the proxies of the walk, and says where it went
 * another way. Throws EnvironmentError when it cannot be sent from here.
 */
export async function sendLive(
  deps: LiveDeps,
  { from, others }: { readonly from: Proxy; readonly others: readonly Proxy[] },
  asked: Asked,
  walked: Trace,
): Promise<Live> {
  const id = deps.requestId ?? randomUUID();
  const answer = deps.requestId === undefined ? await answered(deps, from, asked, id) : undefined;
  const [own, ...servers] = await Promise.all([from, ...others].map((proxy) => lineOf(deps, proxy, id)));
  const lines = [own, ...servers].flatMap((line, index) =>
    line === undefined ? [] : [{ proxy: nameOf([from, ...others][index] ?? from), text: line.text }],
  );
  const status = answer?.status ?? own?.status;
  const differences = compare(walked, { status, own, error: answer?.error });
  return {
    requestId: id,
    ...(status === undefined ? {} : { status }),
    ...(answer?.error === undefined ? {} : { error: answer.error }),
    lines,
    agrees: differences.length === 0,
    differences,
  };
}

function nameOf({ name, namespace }: Proxy): string {
  return `${name}.${namespace}`;
}

interface Answered {
  readonly status?: number;
  readonly error?: string;
}

/** Through the HTTP proxy of a sidecar whose addresses are explicit, or into the port of a gateway. */
async function answered({ cluster, model }: LiveDeps, from: Proxy, asked: Asked, id: string): Promise<Answered> {
  const port = portOf(model, from, asked.url);
  if (port === undefined)
    throw new EnvironmentError(
      "no-way-in",
      `nothing can be sent through the sidecar of ${nameOf(from)} from outside its pod`,
      {
        hint: `Send it there, then ask with --request-id: kubectl exec -n ${from.namespace} ${from.name} -- curl -sS -H 'x-request-id: ${id}' '${String(asked.url)}'`,
      },
    );
  const stream = await cluster.portForward({ namespace: from.namespace, pod: from.name, port });
  const isTls = asked.url.protocol === "https:";
  const socket = isTls
    ? connectTls({ socket: stream, servername: asked.url.hostname, rejectUnauthorized: false })
    : stream;
  return exchange(socket, asked, id).finally(() => stream.destroy());
}

function portOf(model: Model, from: Proxy, url: URL): number | undefined {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (from.type === "router") {
    const listens = model.gateways.listenPort(from, port);
    return from.bind === undefined ? listens : explicitPort(listens);
  }
  return url.protocol === "https:" ? undefined : from.bind?.httpProxyPort;
}

function exchange(socket: Duplex, { url, method, headers }: Asked, id: string): Promise<Answered> {
  return new Promise((resolve) => {
    const given = Object.fromEntries(headers);
    const sent = httpRequest(
      {
        method,
        path: `${url.pathname}${url.search}`,
        createConnection: () => socket as never,
        headers: {
          host: url.host,
          "user-agent": `meshctl-trace/${id}`,
          ...given,
          "x-request-id": id,
          connection: "close",
        },
      },
      (response) => {
        response.resume();
        response.on("error", () => undefined);
        response.on("end", () => resolve({ status: response.statusCode ?? 0 }));
      },
    );
    // a forwarded connection is no socket: it has no timer of its own
    const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${ANSWER_MS / 1_000} s`)), ANSWER_MS);
    sent.on("close", () => clearTimeout(timer));
    sent.on("error", (error) => resolve({ error: errorText(error) }));
    sent.end();
  });
}

/** The proxy's line about the request; undefined when there is none in time. */
async function lineOf({ cluster, read, signal }: LiveDeps, proxy: Proxy, id: string): Promise<Symptom | undefined> {
  const until = Date.now() + LOG_MS;
  for (;;) {
    const lines = await proxyLines(cluster, proxy);
    const found = lines.filter((line) => line.includes(id)).flatMap((line) => symptomIn(line, read) ?? []);
    const last = found.at(-1);
    if (last !== undefined || Date.now() > until || signal.aborted) return last;
    await delay(POLL_MS, signal);
  }
}

interface Happened {
  readonly status: number | undefined;
  readonly own: Symptom | undefined;
  readonly error: string | undefined;
}

/** Where what happened is another thing than what the walk says. */
function compare({ branches, ends }: Trace, happened: Happened): readonly string[] {
  const all = branches.length === 0 ? [ends] : branches.filter(({ share }) => share > 0).map((branch) => branch.ends);
  const mayArrive = all.some(({ kind }) => kind === "delivered" || kind === "left");
  const clusters = branches.map((branch) => branch.cluster);
  return [
    ...elsewhere(clusters, happened),
    ...(mayArrive ? notArrived(happened) : otherAnswer(all, clusters, happened)),
  ];
}

function elsewhere(clusters: readonly string[], { own }: Happened): readonly string[] {
  const cluster = own?.upstreamCluster;
  if (cluster === undefined || clusters.length === 0 || clusters.includes(cluster)) return [];
  return [`it went to ${cluster}, the walk to ${clusters.join(" or ")}`];
}

function notArrived({ own, error }: Happened): readonly string[] {
  if (own === undefined) return error === undefined ? [] : [`no answer came: ${error}; the walk arrives`];
  const isLost = own.flags.some((flag) => ["UH", "NC", "NR", "UF"].includes(flag));
  return isLost ? [`it failed with ${own.flags.join(",")} (${own.details ?? ""}), the walk arrives`] : [];
}

function otherAnswer(
  all: readonly Ending[],
  clusters: readonly string[],
  { status, own }: Happened,
): readonly string[] {
  const answers = [...new Set(all.flatMap(({ text }) => /\b([1-5]\d\d)\b/.exec(text)?.[1] ?? []))];
  const isOther = status !== undefined && answers.length > 0 && !answers.includes(String(status));
  const wasSent = clusters.length === 0 && own?.details === "via_upstream";
  return [
    ...(isOther ? [`the status was ${status}, the walk says ${answers.join(" or ")}`] : []),
    ...(wasSent ? ["it was sent on, the walk is answered by the proxy itself"] : []),
  ];
}
