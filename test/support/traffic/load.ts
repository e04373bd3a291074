import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Target } from "./ask.ts";

/** What a stream of requests asks for. */
export interface LoadRequest {
  readonly target: Target;
  readonly path: string;
  /** By TLS, with the target's authority as server name; whatever certificate is shown is taken. */
  readonly secure: boolean;
  /** How many times as many clients as usual. */
  readonly times: number;
}

/** One answered request. */
export interface Hit {
  /** Who answered, by its own word. */
  readonly who: string;
  /** Alternative names of the certificate shown; empty without TLS. */
  readonly certificate: string;
  /** By a connection of its own: one that stays shows the certificate it began with. */
  readonly isFresh: boolean;
}

/** Requests that go on until they are stopped. */
export interface Load {
  readonly sent: () => number;
  /** What was not a 200, and when, in words. */
  readonly failures: readonly string[];
  /** Forgets what failed until now: what is started is not always ready. */
  restart(): void;
  /** Resolves when `fits` holds for as many answers in a row, from now on. */
  steady(fits: (hit: Hit) => boolean, count: number): Promise<void>;
  /** Resolves when as many requests in a row failed, from now on. */
  failing(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Some ask over a connection that stays, some over a new one each time. */
const KEPT = 2;
const FRESH = 2;
const PAUSE_MS = 5;
const TIMEOUT_MS = 10_000;
const STEADY_MS = 15_000;

/** Starts asking. */
export function startLoad(request: LoadRequest): Load {
  const failures: string[] = [];
  const started = Date.now();
  const listeners = new Set<(hit: Hit | undefined) => void>();
  let sent = 0;
  let isStopped = false;
  const agents: readonly (Agent | SecureAgent)[] = Array.from({ length: KEPT * request.times }, () => {
    const options = { keepAlive: true, maxSockets: 1 };
    return request.secure ? new SecureAgent(options) : new Agent(options);
  });
  const runs = Array.from({ length: (KEPT + FRESH) * request.times }, async (_, index) => {
    while (!isStopped) {
      sent += 1;
      const outcome = await once(request, agents[index]);
      if (typeof outcome === "string") failures.push(`after ${Date.now() - started} ms: ${outcome}`);
      for (const listener of listeners) listener(typeof outcome === "string" ? undefined : outcome);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  return {
    sent: () => sent,
    failures,
    restart: () => void failures.splice(0),
    steady: (fits, count) => inARow((hit) => hit !== undefined && fits(hit), count),
    failing: (count) => inARow((hit) => hit === undefined, count),
    async stop() {
      isStopped = true;
      await Promise.all(runs);
      for (const agent of agents) agent.destroy();
    },
  };

  function inARow(fits: (hit: Hit | undefined) => boolean, count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let row = 0;
      let last: Hit | undefined;
      const end = (error?: Error): void => {
        clearTimeout(late);
        listeners.delete(listen);
        if (error === undefined) resolve();
        else reject(error);
      };
      const late = setTimeout(() => {
        const words = `${JSON.stringify(last)}; failures: ${failures.slice(0, 3).join("; ")}`;
        end(new Error(`the answers did not settle within ${STEADY_MS} ms: the last was ${words}`));
      }, STEADY_MS);
      const listen = (hit: Hit | undefined): void => {
        last = hit;
        row = fits(hit) ? row + 1 : 0;
        if (row >= count) end();
      };
      listeners.add(listen);
    });
  }
}

/** The answer, or why there was none that counts. */
function once({ target, path, secure }: LoadRequest, agent: Agent | undefined): Promise<Hit | string> {
  return new Promise((resolve) => {
    const { host, port, authority } = target;
    const options = { host, port, path, agent: agent ?? false, timeout: TIMEOUT_MS, headers: { host: authority } };
    const onResponse = (response: IncomingMessage): void => {
      const certificate = secure ? namesOf(response.socket as TLSSocket) : "";
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => resolve(String(error)));
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const who = /"who":\s*"(\w+)"/.exec(body)?.[1] ?? "";
        if (response.statusCode === 200) resolve({ who, certificate, isFresh: agent === undefined });
        else resolve(`status ${response.statusCode}: ${body.slice(0, 200)}`);
      });
    };
    const sent: ClientRequest = secure
      ? secureRequest({ ...options, servername: authority, rejectUnauthorized: false }, onResponse)
      : plainRequest(options, onResponse);
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    sent.on("error", (error) => resolve(`${agent === undefined ? "new" : "kept"} connection: ${String(error)}`));
    sent.end();
  });
}

function namesOf(socket: TLSSocket): string {
  return socket.getPeerCertificate().subjectaltname ?? "";
}
