import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, isIP } from "node:net";
import { checkHealth } from "../grpc/health-client.ts";
import { isRecord } from "./metadata.ts";

/** A probe of the application as injection stored it; times in milliseconds. */
export type Probe =
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      readonly scheme: "HTTP" | "HTTPS";
      /** Where the probe's own `host` field points; undefined is the pod. */
      readonly host: string | undefined;
      readonly headers: readonly (readonly [string, string])[];
      readonly timeout: number;
    }
  | { readonly kind: "tcp"; readonly port: number; readonly host: string | undefined; readonly timeout: number }
  | { readonly kind: "grpc"; readonly port: number; readonly service: string; readonly timeout: number };

/** Where probed ports are, and the source address that capture rules leave alone. */
export interface ProbeTarget {
  readonly address: string;
  readonly source: string | undefined;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
}

const BODY_LIMIT = 10 * 1024;
const PATH = /^\/(app-health\/[^/]+\/(livez|readyz|startupz)|app-lifecycle\/[^/]+\/(prestopz|poststartz))$/;

/** Reads `ISTIO_KUBE_APP_PROBERS`: path of this agent -> probe. Entries that are not probes are named in `problems`. */
export function readProbes(table: Readonly<Record<string, unknown>>): {
  readonly probes: ReadonlyMap<string, Probe>;
  readonly problems: readonly string[];
} {
  const probes = new Map<string, Probe>();
  const problems: string[] = [];
  for (const [path, value] of Object.entries(table)) {
    const probe = PATH.test(path) && isRecord(value) ? readProbe(value) : undefined;
    if (probe === undefined) problems.push(`ISTIO_KUBE_APP_PROBERS: ${path} is not a probe that can be run`);
    else probes.set(path, probe);
  }
  return { probes, problems };
}

/** Runs one probe: the application's own status for HTTP, 200 or 500 for TCP and gRPC. Never throws. */
export async function runProbe(probe: Probe, target: ProbeTarget, headers: Headers): Promise<ProbeAnswer> {
  switch (probe.kind) {
    case "http":
      return http(probe, target, headers);
    case "tcp":
      return outcome(await tcp(probe, target));
    case "grpc": {
      const { port, service, timeout } = probe;
      return outcome(await checkHealth({ host: target.address, port, service, timeout, ...sourceOf(target) }));
    }
  }
}

/** What capture rules must let pass: inbound connections to the app have this source. */
export function probeTarget(address: string, explicit: boolean): ProbeTarget {
  if (explicit) return { address, source: undefined };
  return { address, source: isIP(address) === 6 ? "::6" : "127.0.0.6" };
}

/** One probe in the form of Kubernetes, or of a WorkloadGroup; undefined when it is none that the agent can run. */
export function readProbe(value: Readonly<Record<string, unknown>>): Probe | undefined {
  const seconds = typeof value["timeoutSeconds"] === "number" ? value["timeoutSeconds"] : 1;
  const timeout = Math.max(1, seconds) * 1000;
  const { httpGet, tcpSocket, grpc } = value;
  if (isRecord(httpGet)) return readHttp(httpGet, timeout);
  if (isRecord(tcpSocket)) {
    const port = portOf(tcpSocket);
    return port === undefined ? undefined : { kind: "tcp", port, host: textOf(tcpSocket, "host"), timeout };
  }
  if (isRecord(grpc)) {
    const port = portOf(grpc);
    const service = typeof grpc["service"] === "string" ? grpc["service"] : "";
    return port === undefined ? undefined : { kind: "grpc", port, service, timeout };
  }
  return undefined;
}

function readHttp(action: Readonly<Record<string, unknown>>, timeout: number): Probe | undefined {
  const port = portOf(action);
  if (port === undefined) return undefined;
  const path = textOf(action, "path") ?? "/";
  return {
    kind: "http",
    port,
    path: path.startsWith("/") ? path : `/${path}`,
    scheme: textOf(action, "scheme")?.toUpperCase() === "HTTPS" ? "HTTPS" : "HTTP",
    host: textOf(action, "host"),
    headers: headerList(action["httpHeaders"]),
    timeout,
  };
}

function textOf(action: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = action[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Named ports were resolved by injection; a name that is left cannot be dialled. */
function portOf(action: Readonly<Record<string, unknown>>): number | undefined {
  const port = Number(action["port"]);
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined;
}

function headerList(value: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (!isRecord(item) || typeof item["name"] !== "string") return [];
    return [[item["name"], typeof item["value"] === "string" ? item["value"] : ""] as const];
  });
}

function outcome(ok: boolean): ProbeAnswer {
  return { status: ok ? 200 : 500, body: "" };
}

function tcp(probe: Extract<Probe, { kind: "tcp" }>, target: ProbeTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, port } = probe;
    const socket = connect(host === undefined ? { host: target.address, port, ...sourceOf(target) } : { host, port });
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(probe.timeout, () => end(false));
    socket.on("connect", () => end(true));
    socket.on("error", () => end(false));
  });
}

function sourceOf(target: ProbeTarget): { localAddress?: string } {
  return target.source === undefined ? {} : { localAddress: target.source };
}

type HttpProbe = Extract<Probe, { kind: "http" }>;
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const MAX_REDIRECTS = 10;

/**
 * As the kubelet does: its headers are forwarded, certificates are not verified, the body is cut, redirects are followed
 * on the same host; one to another host is success.
 */
async function http(probe: HttpProbe, target: ProbeTarget, incoming: Headers): Promise<ProbeAnswer> {
  let next = probe;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await get(next, target, incoming);
    if (answer.location === undefined) return { status: answer.status, body: answer.body };
    const base = `${next.scheme.toLowerCase()}://${next.host ?? "app"}:${next.port}${next.path}`;
    const url = resolveUrl(answer.location, base);
    if (url === undefined || url.hostname !== (next.host ?? "app")) return { status: 200, body: "" };
    const scheme = url.protocol === "https:" ? "HTTPS" : "HTTP";
    const port = url.port === "" ? (scheme === "HTTPS" ? 443 : 80) : Number(url.port);
    next = { ...next, scheme, port, path: `${url.pathname}${url.search}` };
  }
  return { status: 500, body: `more than ${MAX_REDIRECTS} redirects` };
}

function resolveUrl(location: string, base: string): URL | undefined {
  try {
    return new URL(location, base);
  } catch {
    return undefined;
  }
}

interface Answer extends ProbeAnswer {
  readonly location?: string;
}

function get(probe: HttpProbe, target: ProbeTarget, incoming: Headers): Promise<Answer> {
  const options: RequestOptions = {
    host: probe.host ?? target.address,
    port: probe.port,
    path: probe.path,
    method: "GET",
    headers: probeHeaders(probe, incoming),
    timeout: probe.timeout,
    agent: false,
    ...(probe.host === undefined ? sourceOf(target) : {}),
  };
  return new Promise((resolve) => {
    const send = probe.scheme === "HTTPS" ? httpsRequest : httpRequest;
    const call = send({ ...options, ...(probe.scheme === "HTTPS" ? { rejectUnauthorized: false } : {}) }, (answer) => {
      collect(answer, resolve);
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => resolve({ status: 500, body: "the application did not answer" }));
    call.end();
  });
}

function collect(answer: IncomingMessage, resolve: (answer: Answer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const status = answer.statusCode ?? 500;
  const { location } = answer.headers;
  const done = (): void => {
    const body = Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString();
    resolve({ status, body, ...(status >= 300 && status < 400 && location !== undefined ? { location } : {}) });
  };
  answer.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > BODY_LIMIT) answer.destroy();
  });
  answer.on("close", done);
  answer.on("error", done);
}

function probeHeaders(probe: HttpProbe, incoming: Headers): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(incoming)) {
    if (value === undefined || ["host", "connection", "content-length", "transfer-encoding"].includes(name)) continue;
    out[name] = typeof value === "string" ? value : [...value];
  }
  for (const [name, value] of probe.headers) out[name.toLowerCase()] = value;
  return { ...out, connection: "close" };
}
