import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

/** Where a forwarder sends its next connection; undefined when there is nowhere. */
export type PickTarget = () => { readonly ip: string; readonly port: number } | undefined;

/** Accepts TCP on an address and passes each connection to a target. Ends all of them on close. */
export interface Forwarder {
  readonly port: number;
  close(): void;
}

/** Port 0 takes a free one. Rejects with the bind error (e.g. EADDRINUSE). */
export function startForwarder(host: string, port: number, pick: PickTarget): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    const target = pick();
    if (target === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = keep(connect({ host: target.ip, port: target.port, allowHalfOpen: true }));
    client.pipe(upstream).pipe(client);
    upstream.once("close", () => client.destroy());
    client.once("close", () => upstream.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}
