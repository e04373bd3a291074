import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { limitConnections } from "../base/connection-limit.ts";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentMetrics } from "./metrics.ts";
import { probeTarget, readProbes, runProbe } from "./probe.ts";
import { createReadyCheck, type ReadyDeps } from "./ready-check.ts";
import type { Runner } from "./runner.ts";
import { mergedMetrics, type Scrape } from "./scrape.ts";

export interface HealthDeps extends ReadyDeps {
  readonly config: AgentConfig;
  readonly metrics: AgentMetrics;
  /** What POST /drain and POST /quitquitquit ask of Envoy's supervisor. */
  readonly ask: (event: "drain-only" | "quit") => void;
  readonly log: Logger;
  readonly logLevel: LogLevel;
}

/** The level of the agent's own log, by the names of `--log_output_level`. `set` answers false for a name that there is not. */
export interface LogLevel {
  readonly get: () => string;
  readonly set: (name: string) => boolean;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Consumes Envoy's admin interface and the application's ports; offers on 15020 readiness, merged metrics, the rewritten
 * probes of the application, and the two requests that end the proxy (from the pod itself only).
 */
export function createHealth(deps: HealthDeps): Runner {
  const { config, log } = deps;
  const routes = createRoutes(deps);
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const handler = routes.get(path);
    if (handler === undefined) {
      send(response, 404, "not found\n");
      return;
    }
    handler(request, response).catch((error: unknown) => {
      log.warn({ path }, errorText(error));
      if (!response.headersSent) send(response, 500, `${errorText(error)}\n`);
    });
  });
  // Probes and scrapes each open their own connection.
  server.keepAliveTimeout = 1_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  limitConnections(server);
  return {
    name: "health",
    start: () =>
      new Promise((resolve, reject) => {
        server.once("error", (cause: NodeJS.ErrnoException) => reject(portError(config, cause)));
        server.listen({ host: config.addresses.listen, port: config.ports.status }, resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Exact paths; probes come from ISTIO_KUBE_APP_PROBERS. */
function createRoutes(deps: HealthDeps): ReadonlyMap<string, Handler> {
  const { config, metrics, ask, log } = deps;
  const { probes, problems } = readProbes(config.appProbers);
  for (const problem of problems) log.warn({}, problem);
  const target = probeTarget(config.appAddress, config.addresses.explicit);
  const scrape: Handler = async (request, response) => {
    await sendMetrics(request, response, await mergedMetrics(config, metrics, request.headers.accept));
  };
  return new Map<string, Handler>([
    ["/healthz/ready", readiness(deps)],
    ["/metrics", scrape],
    ["/stats/prometheus", scrape],
    ["/logging", logging(deps)],
    ["/debug/ndsz", nameTable(deps)],
    ["/drain", control(() => ask("drain-only"))],
    ["/quitquitquit", control(() => ask("quit"))],
    ...[...probes].map(([path, probe]): [string, Handler] => [
      path,
      async (request, response) => {
        const answer = await runProbe(probe, target, request.headers);
        send(response, answer.status, answer.body);
      },
    ]),
  ]);
}

function readiness(deps: HealthDeps): Handler {
  const check = createReadyCheck(deps);
  let last = "";
  return async (_request, response) => {
    const result = await check();
    const words = result.ready ? "ready" : result.reason;
    if (words !== last) deps.log.info({}, result.ready ? "Envoy is ready" : `not ready: ${result.reason}`);
    last = words;
    send(response, result.ready ? 200 : 503, result.ready ? "" : `${result.reason}\n`);
  };
}

function control(act: () => void): Handler {
  return (request, response) => {
    if (request.method !== "POST") send(response, 405, "POST only\n");
    else if (!fromPod(request)) send(response, 403, "only from the pod itself\n");
    else {
      act();
      send(response, 200, "OK\n");
    }
    return Promise.resolve();
  };
}

/** From loopback. In explicit mode the listener's own pod is 127.w and so are its callers. */
function fromPod(request: IncomingMessage): boolean {
  const from = request.socket.remoteAddress ?? "";
  const to = request.socket.localAddress ?? "";
  const bare = from.replace(/^::ffff:/, "");
  return (
    bare === "::1" || bare === "127.0.0.1" || (bare.startsWith("127.") && sameNet(bare, to.replace(/^::ffff:/, "")))
  );
}

function sameNet(a: string, b: string): boolean {
  return a.split(".").slice(0, 2).join(".") === b.split(".").slice(0, 2).join(".");
}

async function sendMetrics(request: IncomingMessage, response: ServerResponse, scrape: Scrape): Promise<void> {
  const isZipped = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  response.writeHead(200, { "content-type": scrape.contentType, ...(isZipped ? { "content-encoding": "gzip" } : {}) });
  await (isZipped ? pipeline(scrape.body, createGzip({ level: 1 }), response) : pipeline(scrape.body, response));
}

/** GET answers with the agent's log level, POST `?level=debug` changes it; Envoy's are its admin's `/logging`. */
function logging({ logLevel }: HealthDeps): Handler {
  return (request, response) => {
    const level = new URL(request.url ?? "/", "http://agent").searchParams.get("level");
    if (request.method !== "POST" || level === null) send(response, 200, `${logLevel.get()}\n`);
    else if (!fromPod(request)) send(response, 403, "only from the pod itself\n");
    else if (logLevel.set(level)) send(response, 200, `${logLevel.get()}\n`);
    else send(response, 400, `expected debug, info, warning, error or none, got ${JSON.stringify(level)}\n`);
    return Promise.resolve();
  };
}

/** What DNS queries are answered from, for the pod itself. */
function nameTable({ names }: HealthDeps): Handler {
  return (request, response) => {
    const table = names?.()?.table;
    if (!fromPod(request)) send(response, 403, "only from the pod itself\n");
    else if (names === undefined) send(response, 404, "no DNS queries are captured here\n");
    else send(response, 200, `${JSON.stringify({ table })}\n`);
    return Promise.resolve();
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(body);
}

function portError(config: AgentConfig, cause: NodeJS.ErrnoException): EnvironmentError {
  const where = `${config.addresses.listen}:${config.ports.status}`;
  return new EnvironmentError("agent-port", `cannot listen on ${where}: ${cause.code ?? cause.message}`, {
    hint: "End the process that holds the port, or give this pod another statusPort.",
    cause,
  });
}
