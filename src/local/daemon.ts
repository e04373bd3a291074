import type { Server } from "node:net";
import type { Logger } from "../base/logger.ts";
import type { DaemonConfig } from "./daemon-protocol.ts";

/**
 * The process behind `meshctl up`: takes its configuration from the IPC channel and runs until it is told to end. For a user
 * namespace it stays before the door, and starts itself once more inside.
 */
export async function runDaemon(log: Logger): Promise<void> {
  const [config, handedOver] = await new Promise<[DaemonConfig, Server | undefined]>((resolve) => {
    process.once("message", (message, handle) => {
      resolve([message as DaemonConfig, handle as Server | undefined]);
    });
  });
  const atDoor = config.network === "userns" && config.inside === undefined;
  const ended = new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    // before the door it is the node's input: that ends, and we with it
    if (!config.tied || atDoor) return;
    for (const event of ["end", "close", "error"]) process.stdin.once(event, resolve);
    process.stdin.resume();
  });
  if (config.inside === undefined) endWithStarter();
  if (atDoor) {
    const { runDoor } = await import("./door.ts");
    await runDoor({ config, handedOver, log, ended });
  } else {
    const { runNode } = await import("./main.ts");
    await runNode({ config, handedOver, log }, ended);
  }
}

/** Until the starting command says "keep", its end is ours: it may have been killed before anyone knew of this cluster. */
function endWithStarter(): void {
  const end = (): void => {
    process.kill(process.pid, "SIGTERM");
  };
  process.once("disconnect", end);
  process.once("message", () => {
    process.off("disconnect", end);
  });
}
