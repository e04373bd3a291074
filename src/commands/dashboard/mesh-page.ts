import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import { errorText } from "../../base/errors.ts";
import type { Cluster, PodPort } from "../../resources/cluster.ts";
import type { Io } from "../io.ts";
import { NOT_CONNECTED, readStates } from "../proxy-status/states.ts";
import { observedGraph } from "../traffic/graph.ts";
import { edgesOf } from "../traffic/rows.ts";
import { between, proxyPods, totals } from "../traffic/scrape.ts";

/** What the page asks beside what the control plane answers: who calls whom, which only proxies know; and which proxies it does not know. */
type OwnAnswers = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * The control plane's page at a port of this machine. What the page asks goes on to the control plane's pod, but for who calls
 * whom, which the proxies are asked here, and which pods' proxies are not connected: by the rights of whoever runs the command.
 */
export function meshPage(cluster: Cluster, target: PodPort, io: Pick<Io, "err">): Server {
  const own: OwnAnswers = {
    "/ui/observed": observer(cluster, io),
    "/ui/lost": () => lostProxies(cluster, target.namespace),
  };
  return createServer((asked, answer) => {
    // a page in the same browser may make its own name lead here; it cannot change what it is called by
    if (!isOwnName(asked.headers.host)) return refuse(answer, 403, "not by this name");
    if (asked.method !== "GET") return refuse(answer, 405, "expected GET");
    const answerOwn = own[asked.url ?? ""];
    if (answerOwn !== undefined)
      return void answerOwn().then(
        (body) => answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body)),
        (error: unknown) => refuse(answer, 503, errorText(error)),
      );
    void passOn(cluster, target, asked, answer);
  });
}

/** Running pods with a proxy that no instance of the control plane knows: their Envoy is dead, or cannot reach it. */
async function lostProxies(cluster: Cluster, istioNamespace: string): Promise<unknown> {
  const states = await readStates(cluster, { istioNamespace, wait: true }, { err: () => undefined });
  return states.filter(({ status }) => status === NOT_CONNECTED).map(({ name, namespace }) => ({ name, namespace }));
}

function isOwnName(host = ""): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || isIP(name) !== 0;
}

function refuse(answer: ServerResponse, status: number, words: string): void {
  if (!answer.headersSent) answer.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  answer.end(`${words}\n`);
}

/** One GET to the pod, by a connection of its own. */
async function passOn(
  cluster: Cluster,
  target: PodPort,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  try {
    const stream = await cluster.portForward(target);
    const headers = { host: "localhost", accept: asked.headers.accept ?? "*/*", connection: "close" };
    const call = request({ path: asked.url ?? "/", headers, createConnection: () => stream }, (told) => {
      const { connection: _, ...rest } = told.headers;
      answer.writeHead(told.statusCode ?? 502, rest);
      told.pipe(answer);
    });
    answer.on("close", () => stream.destroy());
    call.on("error", (error) => refuse(answer, 502, errorText(error)));
    call.end();
  } catch (error) {
    refuse(answer, 502, errorText(error));
  }
}

/** Asks all proxies: the first time what they hold, then what was counted since the last time. */
function observer(cluster: Cluster, io: Pick<Io, "err">): () => Promise<unknown> {
  let last: { readonly at: number; readonly proxies: Awaited<ReturnType<typeof totals>> } | undefined;
  return async () => {
    const at = performance.now();
    const proxies = await totals(cluster, await proxyPods(cluster, undefined), io);
    const before = last;
    last = { at, proxies };
    if (before === undefined) return observedGraph(edgesOf(proxies));
    const seconds = (at - before.at) / 1000;
    // calls that rest for an interval stay in the picture, without a rate
    const now = edgesOf(between(before.proxies, proxies, seconds));
    const moving = new Set(now.map(nameOf));
    const resting = edgesOf(proxies).filter((edge) => !moving.has(nameOf(edge)));
    const still = resting.map((edge) => ({ ...edge, requests: 0, rps: 0 }));
    return { seconds, ...observedGraph([...now, ...still]) };
  };
}

function nameOf({ from, to, service, protocol }: ReturnType<typeof edgesOf>[number]): string {
  return [from.namespace, from.workload, to.namespace, to.workload, service, protocol].join(" ");
}
