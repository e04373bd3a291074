import { createServer, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { parseArgs } from "node:util";
import { CALLER_PORT, DIALLED_FROM, NOT_DIALLED } from "../base/caller.ts";
import { errorText, UsageError } from "../base/errors.ts";
import { type ClientIo, number, parse } from "./client-commands.ts";

const OPTIONS = {
  port: { type: "string", default: String(CALLER_PORT) },
  idleSeconds: { type: "string", default: "600" },
} as const;

/** How long a connection may take to be made. */
const CONNECT_MS = 20_000;

interface CallerIo extends ClientIo {
  readonly onTerminate: (act: () => void) => void;
}

/**
 * `mesh-agent caller`: makes connections as the pod's application would, for somebody who reaches this port of the pod alone
 * (`meshctl trace-route --live`): names are looked up here, and the proxy captures what goes out. It is asked by HTTP's CONNECT. It listens
 * on the pod's own loopback, and ends by itself after the idle time: a container that is put into a running pod cannot be taken away.
 */
export async function callerCommand(args: readonly string[], io: CallerIo): Promise<number> {
  const { values } = parse(() => parseArgs({ args: [...args], options: OPTIONS, strict: true }));
  const port = number("port", values.port);
  const idleMs = number("idleSeconds", values.idleSeconds) * 1_000;
  const server = createServer((_, response) => response.writeHead(405, { allow: "CONNECT" }).end());
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("connect", (asked: IncomingMessage, client: Duplex) => pass(asked.url ?? "", client));
  // where nothing is redirected pods share one network, and have an address to bind
  const host = io.env["BIND_ADDRESS"] ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new UsageError(`caller: ${errorText(error)}`)));
    server.listen(port, host, resolve);
  });
  io.out(`makes connections for ${host}:${port}, until nobody asks for ${idleMs / 1_000} s\n`);
  await new Promise<void>((resolve) => {
    let idleSince = Date.now();
    const timer = setInterval(
      () => {
        if (sockets.size > 0) idleSince = Date.now();
        else if (Date.now() - idleSince >= idleMs) resolve();
      },
      Math.min(1_000, idleMs),
    );
    io.onTerminate(resolve);
    server.once("close", () => clearInterval(timer));
  });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  return 0;
}

/** Connects where the client says and joins both; an answer without success has the reason in it. */
function pass(authority: string, client: Duplex): void {
  client.on("error", () => client.destroy());
  const colon = authority.lastIndexOf(":");
  const host = authority.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(authority.slice(colon + 1));
  if (colon <= 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    client.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    return;
  }
  const refuse = (error: Error): void => {
    const reason = errorText(error).replaceAll(/[\r\n]+/g, " ");
    client.end(`HTTP/1.1 502 Bad Gateway\r\n${NOT_DIALLED}: ${reason}\r\n\r\n`);
  };
  const target = connect({ host, port });
  const timer = setTimeout(() => target.destroy(new Error(`no connection in ${CONNECT_MS / 1_000} s`)), CONNECT_MS);
  target.once("close", () => clearTimeout(timer));
  target.once("error", refuse);
  target.once("connect", () => {
    clearTimeout(timer);
    target.off("error", refuse);
    join(target, client);
  });
}

function join(target: Socket, client: Duplex): void {
  target.on("error", () => client.destroy());
  target.once("close", () => client.destroy());
  client.once("close", () => target.destroy());
  const from = `${target.localAddress ?? ""}:${target.localPort ?? 0}`;
  client.write(`HTTP/1.1 200 OK\r\n${DIALLED_FROM}: ${from}\r\n\r\n`);
  client.pipe(target);
  target.pipe(client);
}
