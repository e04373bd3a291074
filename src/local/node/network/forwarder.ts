import { type AddressInfo, type Socket, connect } from "node:net";
import { type Listen, listenHere } from "../../listen.ts";

/** Where a forwarder sends its next connection; undefined when there is nowhere. */
export type PickTarget = () => { readonly ip: string; readonly port: number } | undefined;

/** Accepts TCP on an address and passes each connection to a target. Ends all of them on close. */
export interface Forwarder {
  readonly port: number;
  close(): void;
}

/** Port 0 takes a free one; `listen` opens it. Rejects with the bind error (e.g. EADDRINUSE). */
export async function startForwarder(
  host: string,
  port: number,
  pick: PickTarget,
  listen: Listen = listenHere,
): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const server = await listen(host, port);
  server.on("error", () => undefined);
  server.on("connection", (client: Socket) => {
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
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
