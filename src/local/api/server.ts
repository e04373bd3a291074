import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { handleRequest } from "./http.ts";
import { handleUpgrade } from "./port-forward.ts";
import type { ServerDeps } from "./server-deps.ts";

/** The listening endpoint. */
export interface RunningServer {
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  close(): Promise<void>;
}

async function listenOn(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return { host, port: (server.address() as AddressInfo).port };
}

/** Serves TLS on every address; client certificates are asked for, not required. */
export async function startServer(deps: ServerDeps): Promise<RunningServer> {
  const { access, listen } = deps;
  const servers: Server[] = [];
  const addresses: { host: string; port: number }[] = [];
  for (const address of listen) {
    const server = createServer({
      key: access.serving.key,
      cert: access.serving.certificate,
      ca: access.caPem,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      keepAliveTimeout: 90_000,
      requestTimeout: 0,
    });
    server.on("request", (message, response) => void handleRequest(deps, message, response));
    server.on(
      "upgrade",
      (message: IncomingMessage, socket: Duplex, head: Buffer) => void handleUpgrade(deps, message, socket, head),
    );
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    server.on("clientError", (_error, socket) => socket.destroy());
    addresses.push(await listenOn(server, address));
    servers.push(server);
  }
  return {
    addresses,
    async close() {
      await Promise.all(
        servers.map(async (server) => {
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}
