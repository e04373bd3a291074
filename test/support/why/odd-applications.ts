import { createServer as createHttp } from "node:http";
import { createServer, type Server } from "node:net";

/** Ports of applications that do not behave; nobody listens on `nobody`. */
export const ODD_PORTS = { closes: 7001, http1: 7003, nobody: 7004, loopback: 7005 } as const;

/** Starts them for one workload: `host` is where its proxy reaches applications, `loopback` what only the pod itself reaches. */
export async function startOddApplications(host: string, loopback: string): Promise<{ close(): void }> {
  const closes = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.destroy());
  });
  const http1 = createHttp((_, response) => response.end("HTTP/1 only"));
  const hidden = createHttp((_, response) => response.end("nobody sees this"));
  const servers: readonly (readonly [Server, number, string])[] = [
    [closes, ODD_PORTS.closes, host],
    [http1, ODD_PORTS.http1, host],
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
