import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { connect, createServer, type Server } from "node:net";

/** Ports of applications that do not behave; nobody listens on `nobody`. */
export const ODD_PORTS = {
  closes: 7001,
  http1: 7003,
  nobody: 7004,
  loopback: 7005,
  half: 7006,
  malformed: 7007,
} as const;

/** Starts them for one workload: `host` is where its proxy reaches applications, `loopback` what only the pod itself reaches. */
export async function startOddApplications(host: string, loopback: string): Promise<{ close(): void }> {
  const closes = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.destroy());
  });
  const http1 = createHttp((_, response) => response.end("HTTP/1 only"));
  const hidden = createHttp((_, response) => response.end("nobody sees this"));
  const half = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe first half", () => socket.destroy());
    });
  });
  const malformed = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"));
  });
  const servers: readonly (readonly [Server, number, string])[] = [
    [closes, ODD_PORTS.closes, host],
    [http1, ODD_PORTS.http1, host],
    [half, ODD_PORTS.half, host],
    [malformed, ODD_PORTS.malformed, host],
    [hidden, ODD_PORTS.loopback, loopback],
  ];
  await Promise.all(
    servers.map(
      ([server, port, address]) =>
        new Promise<void>((resolve, reject) => {
          server.on("error", reject);
          server.listen(port, address, resolve);
        }),
    ),
  );
  return {
    close() {
      for (const [server] of servers) server.close();
    },
  };
}

/** Where connections are neither taken nor refused. */
const SILENT = { host: "127.0.0.97", port: 7010 } as const;
/** More than a queue of one takes. */
const FILLING = 6;

/**
 * An address like that of a node that is gone: a process listens there that is stopped, and its queue is full, so that the kernel
 * answers no more.
 */
export async function startSilence(): Promise<{ close(): void }> {
  const listen = { ...SILENT, backlog: 1 };
  const program = `require("node:net").createServer().listen(${JSON.stringify(listen)}, () => process.stdout.write("up"))`;
  const child: ChildProcess = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no output");
  await once(child.stdout, "data");
  child.kill("SIGSTOP");
  const fill = Array.from({ length: FILLING }, () => connect({ ...SILENT }).on("error", () => undefined));
  return {
    close() {
      for (const socket of fill) socket.destroy();
      child.kill("SIGKILL");
    },
  };
}
