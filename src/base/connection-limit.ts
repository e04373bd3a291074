import type { Server, Socket } from "node:net";
import { createRateLimit, type Rate } from "./rate-limit.ts";

/** How many connections a server takes. */
export interface ConnectionLimits {
  /** Open at a time. */
  readonly total: number;
  /** Open at a time from one address. */
  readonly perClient: number;
  /** New ones from one address. */
  readonly rate: Rate;
}

/**
 * Many proxies may come from one address: those of another network come through its gateway. An API server opens hundreds a
 * second when many pods are made at once. A handshake costs less than a millisecond, so that one address cannot keep a control
 * plane busy with them.
 */
export const CONNECTION_LIMITS: ConnectionLimits = {
  total: 50_000,
  perClient: 10_000,
  rate: { burst: 2_000, perSecond: 500 },
};

/**
 * Ends each connection beyond the limits as soon as it is accepted, before anything is read from it. The machine's own address
 * (a port-forward, a mesh on loopback) counts for the total alone.
 */
export function limitConnections(server: Server, limits: ConnectionLimits = CONNECTION_LIMITS): void {
  server.maxConnections = limits.total;
  const rate = createRateLimit(limits.rate);
  const open = new Map<string, number>();
  server.prependListener("connection", (socket: Socket) => {
    const client = socket.remoteAddress ?? "";
    if (isOwnAddress(client)) return;
    const before = open.get(client) ?? 0;
    if (before >= limits.perClient || !rate.take(client)) {
      socket.resetAndDestroy();
      return;
    }
    open.set(client, before + 1);
    socket.once("close", () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left === 0) open.delete(client);
      else open.set(client, left);
    });
  });
}

/** Whether an address is loopback's own: who calls from it is on this machine, or in this pod. */
export function isOwnAddress(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.0\.0\.1$/.test(address);
}
