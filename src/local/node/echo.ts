import { createServer } from "node:http";
import { hostname } from "node:os";
import { EnvironmentError } from "../../base/errors.ts";
import { unprivilegedPort } from "./network/loopback-plan.ts";

export interface EchoOptions {
  /** `--stand-in PORT…`, or the flags of http-echo: `-listen=:5678`, `-text=…`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Where to listen and what to answer; no text: the request is told back. */
export interface EchoPlan {
  readonly ports: readonly number[];
  readonly text: string | undefined;
}

/** Reads the arguments. http-echo takes one or two dashes, `-flag=value` or `-flag value`. */
export function echoPlan(args: readonly string[], env: EchoOptions["env"]): EchoPlan {
  if (args[0] === "--stand-in") return { ports: args.length > 1 ? args.slice(1).map(Number) : [8080], text: undefined };
  const flags = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const match = /^--?([a-z-]+)(?:=([\s\S]*))?$/.exec(args[index] ?? "");
    if (match !== null) flags.set(match[1] ?? "", match[2] ?? args[++index] ?? "");
  }
  const port = Number(/:(\d+)$/.exec(flags.get("listen") ?? ":5678")?.[1] ?? 5678);
  return { ports: [port], text: flags.get("text") ?? env["ECHO_TEXT"] };
}

/** Answers until the signal aborts. */
export async function serveEcho({ args, env, out, signal }: EchoOptions): Promise<void> {
  const { ports, text } = echoPlan(args, env);
  const bind = env["BIND_ADDRESS"];
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const servers = ports.map((port) => {
    const server = createServer((request, response) => {
      const told = `${request.method ?? ""} ${request.url ?? ""} on ${env["HOSTNAME"] ?? hostname()}\n`;
      response.setHeader("content-type", "text/plain; charset=utf-8");
      response.end(text === undefined ? told : `${text}\n`);
    });
    const real = bind === undefined ? port : unprivilegedPort(port);
    server.once("error", (error) => {
      fail(new EnvironmentError("cannot-listen", error.message, { cause: error }));
    });
    server.listen(real, bind, () => {
      out(`echo server is listening on ${bind ?? ""}:${real}\n`);
    });
    return server;
  });
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
  await Promise.race([stopped, failed]);
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}
