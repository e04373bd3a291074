import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ServerDeps } from "./server.ts";

export async function handleUpgrade(_deps: ServerDeps, _message: IncomingMessage, socket: Duplex): Promise<void> {
  await Promise.resolve();
  socket.destroy();
}
