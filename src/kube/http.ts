import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { ClusterError } from "../base/errors.ts";
import { statusError, transportError } from "./errors.ts";

/** One request to the API server. `path` holds the query. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Default application/json. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole answer; absent: 30 s. */
  readonly timeoutMs?: number;
}

/** Talks HTTP to one API server with the credentials of a kubeconfig; connections are kept and shared. */
export interface ApiClient {
  readonly server: string;
  readonly contextName: string;
  /** Parsed JSON, or undefined for 404. Other refusals are ClusterError. */
  json(request: ApiRequest): Promise<Record<string, unknown> | undefined>;
  text(request: ApiRequest): Promise<string>;
  /** The Date that the server puts on an answer. */
  date(): Promise<Date | undefined>;
  /** The open response of a GET that succeeded: the caller reads it and destroys it. */
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** Ends connections that nobody uses now: after one was found dead without a word, they may be so too. */
  dropIdle(): void;
}

const CREDENTIALS_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

interface Credentials {
  readonly options: RequestOptions;
  readonly until: number;
}

/** Builds the client; opens no connection. */
export function createApiClient(config: KubeConfig): ApiClient {
  const server = config.getCurrentCluster()?.server ?? "";
  const where = { name: config.getCurrentContext(), server };
  const base = parseServer(server);
  const { refresh, agentNow } = credentialSource(config, base.protocol === "https:");

  async function open(request: ApiRequest, retried = false): Promise<IncomingMessage> {
    const { options } = await refresh(retried);
    const response = await send(base, options, request).catch((error: unknown) => {
      throw transportError(error, where);
    });
    if (response.statusCode !== 401 || retried) return response;
    response.resume();
    return open(request, true);
  }

  async function body(request: ApiRequest): Promise<{ status: number; text: string }> {
    const response = await open(request);
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
    } catch (error) {
      throw transportError(error, where);
    }
  }

  return {
    server,
    contextName: where.name,
    async json(request) {
      const { status, text } = await body(request);
      if (status === 404) return undefined;
      if (status >= 300) throw statusError(status, text, where);
      return parseObject(text, where);
    },
    async text(request) {
      const { status, text } = await body(request);
      if (status >= 300) throw statusError(status, text, where);
      return text;
    },
    async date() {
      const response = await open({ method: "GET", path: "/version" });
      response.resume();
      const time = Date.parse(response.headers.date ?? "");
      return Number.isNaN(time) ? undefined : new Date(time);
    },
    dropIdle() {
      for (const sockets of Object.values(agentNow()?.freeSockets ?? {}))
        for (const socket of sockets ?? []) socket.destroy();
    },
    async stream(path, signal) {
      const response = await open({ method: "GET", path, signal, timeoutMs: 0 });
      if ((response.statusCode ?? 0) < 300) return response;
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      throw statusError(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"), where);
    },
  };
}

function parseServer(server: string): URL {
  try {
    return new URL(server);
  } catch (cause) {
    throw new ClusterError("bad-kubeconfig", `expected a URL as the cluster's server, got ${JSON.stringify(server)}`, {
      hint: "correct `clusters[].cluster.server` in the kubeconfig",
      cause,
    });
  }
}

function parseObject(text: string, where: { name: string; server: string }): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through: not JSON.
  }
  throw new ClusterError("bad-answer", `${where.server} did not answer with JSON: ${text.slice(0, 80)}`, {
    hint: "check that the context's server is a Kubernetes API server",
  });
}

/** Credentials as client-node reads them (files, exec plugins, tokens), kept for a minute with one agent of ours. */
function credentialSource(
  config: KubeConfig,
  tls: boolean,
): {
  readonly refresh: (force: boolean) => Promise<Credentials>;
  readonly agentNow: () => HttpAgent | HttpsAgent | undefined;
} {
  let current: Credentials | undefined;
  let pending: Promise<Credentials> | undefined;
  let identity = "";
  let agent: HttpAgent | HttpsAgent | undefined;

  async function read(): Promise<Credentials> {
    const options: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const now = JSON.stringify([ca, cert, key, servername, rejectUnauthorized]);
    if (agent === undefined || now !== identity) {
      identity = now;
      const proxied = config.getCurrentCluster()?.proxyUrl !== undefined;
      if (proxied && options.agent instanceof HttpAgent) agent = options.agent;
      else
        agent = tls ? new HttpsAgent({ keepAlive: true, ...tlsOptions(options) }) : new HttpAgent({ keepAlive: true });
    }
    const auth = typeof options.auth === "string" ? { auth: options.auth } : {};
    return { options: { headers: options.headers ?? {}, agent, ...auth }, until: Date.now() + CREDENTIALS_MS };
  }

  const refresh = async (force: boolean): Promise<Credentials> => {
    if (!force && current !== undefined && Date.now() < current.until) return current;
    pending ??= read().finally(() => {
      pending = undefined;
    });
    current = await pending.catch((error: unknown) => {
      throw new ClusterError("no-credentials", `the kubeconfig's credentials cannot be read: ${String(error)}`, {
        hint: "check the user of the current context (files, exec plugin)",
        cause: error,
      });
    });
    return current;
  };
  return { refresh, agentNow: () => agent };
}

function tlsOptions(options: RequestOptions): AgentOptions {
  const out: AgentOptions = {};
  for (const name of ["ca", "cert", "key", "servername", "rejectUnauthorized"] as const) {
    const value = options[name];
    if (value !== undefined && value !== null) Object.assign(out, { [name]: value });
  }
  return out;
}

function send(base: URL, options: RequestOptions, request: ApiRequest): Promise<IncomingMessage> {
  const payload = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const headers: Record<string, unknown> = {
    ...(options.headers as Record<string, unknown>),
    accept: "application/json, */*",
  };
  if (payload !== undefined) {
    headers["content-type"] = request.contentType ?? "application/json";
    headers["content-length"] = payload.length;
  }
  const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const make = base.protocol === "https:" ? httpsRequest : httpRequest;
    const signal = request.signal === undefined ? {} : { signal: request.signal };
    const call = make(new URL(joinPath(base, request.path)), {
      ...options,
      ...signal,
      method: request.method,
      headers: headers as Record<string, string>,
    });
    const limit = timeoutMs === 0 ? CONNECT_TIMEOUT_MS + DEFAULT_TIMEOUT_MS : timeoutMs;
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${limit / 1000} s`)), limit);
    call.on("socket", (socket) => {
      socket.setKeepAlive(true, 30_000);
      if (!socket.connecting) return;
      const connect = setTimeout(
        () => call.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)),
        CONNECT_TIMEOUT_MS,
      );
      socket.once("connect", () => clearTimeout(connect));
      socket.once("close", () => clearTimeout(connect));
    });
    call.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.on("response", (response) => {
      if (timeoutMs === 0) clearTimeout(timer);
      else response.on("close", () => clearTimeout(timer));
      resolve(response);
    });
    call.end(payload);
  });
}

function joinPath(base: URL, path: string): string {
  const prefix = base.pathname.replace(/\/+$/, "");
  return `${base.origin}${prefix}${path}`;
}
