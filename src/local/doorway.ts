import type { Server } from "node:net";
import type { DoorAnswer, DoorEnd, DoorRequest } from "./daemon-protocol.ts";
import type { Listen } from "./listen.ts";

/** The door seen from inside the user namespace. */
export interface Doorway {
  /** Opens a port of the machine. */
  readonly listen: Listen;
}

/** From here on this process ends at once when the one before the door says so, or is gone. */
export function openDoorway(): Doorway {
  const waiting = new Map<number, { resolve: (server: Server) => void; reject: (error: Error) => void }>();
  let next = 0;
  process.on("message", (message, handle) => {
    const answer = message as DoorAnswer | DoorEnd;
    if (answer.type === "end") {
      die();
      return;
    }
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.type === "refused") request?.reject(Object.assign(new Error(answer.message), compactCode(answer.code)));
    else if (handle !== undefined) request?.resolve(halfOpen(handle as Server));
  });
  process.once("disconnect", die);
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        process.send?.({ type: "listen", id, host, port } satisfies DoorRequest);
      }),
  };
}

/** Nothing in the namespaces outlives this process; files outside of them are not ours. */
function die(): void {
  process.kill(process.pid, "SIGKILL");
}

/** A server that came over IPC has not the options it was made with. */
function halfOpen(server: Server): Server {
  return Object.assign(server, { allowHalfOpen: true });
}

function compactCode(code: string | undefined): { code?: string } {
  return code === undefined ? {} : { code };
}
