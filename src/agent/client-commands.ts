import { parseArgs } from "node:util";
import { errorText, UsageError } from "../base/errors.ts";
import { fetchText } from "./envoy-admin.ts";
import { type Env, parseJsonObject } from "./metadata.ts";

export interface ClientIo {
  readonly out: (text: string) => void;
  readonly env: Env;
}

const WAIT_OPTIONS = {
  url: { type: "string" },
  timeoutSeconds: { type: "string", default: "60" },
  periodMillis: { type: "string", default: "500" },
  requestTimeoutMillis: { type: "string", default: "500" },
} as const;

/**
 * `mesh-agent wait`: 0 as soon as the proxy of this pod is ready, 1 when time is over. A postStart hook with it holds the
 * application's start.
 */
export async function waitCommand(args: readonly string[], io: ClientIo): Promise<number> {
  const { values } = parse(() => parseArgs({ args: [...args], options: WAIT_OPTIONS, strict: true }));
  const url = parse(() => new URL(values.url ?? `http://${ownAddress(io.env)}:15021/healthz/ready`));
  const [timeout, period, requestTimeout] = [
    number("timeoutSeconds", values.timeoutSeconds) * 1000,
    number("periodMillis", values.periodMillis),
    number("requestTimeoutMillis", values.requestTimeoutMillis),
  ];
  const until = Date.now() + timeout;
  let last = "";
  while (Date.now() < until) {
    const target = { host: url.hostname, port: Number(url.port || 80), path: url.pathname, method: "GET" };
    const answer = await fetchText({ ...target, timeout: requestTimeout }).catch((error: unknown) => errorText(error));
    if (typeof answer !== "string" && answer.status === 200) return 0;
    last = typeof answer === "string" ? answer : `status ${answer.status}: ${answer.body.trim()}`;
    await new Promise((resolve) => setTimeout(resolve, period));
  }
  io.out(`not ready after ${timeout / 1000} s: ${last}\n`);
  return 1;
}

/** `mesh-agent request [--debug-port 15000] METHOD PATH`: one request to Envoy's admin or the agent, the body on stdout. */
export async function requestCommand(args: readonly string[], io: ClientIo): Promise<number> {
  const options = { "debug-port": { type: "string", default: "15000" } } as const;
  const { values, positionals } = parse(() =>
    parseArgs({ args: [...args], options, strict: true, allowPositionals: true }),
  );
  const [method, path, ...rest] = positionals;
  if (method === undefined || path === undefined || rest.length > 0) {
    throw new UsageError("request: expected METHOD PATH", "Run mesh-agent request GET /stats.");
  }
  const answer = await fetchText({
    host: ownAddress(io.env),
    port: number("debug-port", values["debug-port"]),
    method: method.toUpperCase(),
    path: path.startsWith("/") ? path : `/${path}`,
    timeout: 30_000,
  });
  io.out(answer.body);
  return answer.status < 400 ? 0 : 1;
}

/** Loopback, or the pod's mesh address in explicit mode. */
function ownAddress(env: Env): string {
  const bind = env["ISTIO_META_MESH_BIND"];
  if (bind === undefined || bind === "") return "127.0.0.1";
  return `${String(parseJsonObject("ISTIO_META_MESH_BIND", bind)["prefix"])}.0.1`;
}

/** What an option parser reads; its complaints are mistakes of the command line. */
export function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UsageError(errorText(cause));
  }
}

/** A number above 0 that a flag was given. Throws UsageError. */
export function number(flag: string, value: string): number {
  const result = Number(value);
  if (Number.isFinite(result) && result > 0) return result;
  throw new UsageError(`--${flag}: expected a number above 0, got ${value}`);
}
