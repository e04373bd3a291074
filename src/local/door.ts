import { type ChildProcess, spawn } from "node:child_process";
import type { Server } from "node:net";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { DaemonConfig, DaemonMessage, DoorAnswer, DoorEnd, DoorRequest } from "./daemon-protocol.ts";
import { listenHere } from "./listen.ts";
import { addressPlan } from "./node/network/netns-plan.ts";
import { findTool } from "./tools.ts";
import { USERNS_FLAGS, USERNS_INIT, nodeCommand } from "./unshare.ts";

const END_MS = 3000;

/** What the starting command handed over. */
export interface DoorOptions {
  readonly config: DaemonConfig;
  readonly handedOver: Server | undefined;
  readonly log: Logger;
  /** Resolves when this process is told to end. */
  readonly ended: Promise<void>;
}

/**
 * Stands on the machine's side of a user namespace: starts the node in it, opens ports of the machine for it and hands them in, and
 * passes on what the node tells. The namespace ends with this process, and this process with the namespace.
 */
export async function runDoor({ config, handedOver, log, ended }: DoorOptions): Promise<void> {
  const node = spawnInside(config);
  const gone = new Promise<void>((resolve) => {
    node.once("error", (error) => {
      log.error({ error: errorText(error) }, "the user namespace could not be made");
      resolve();
    });
    node.once("exit", () => {
      resolve();
    });
  });
  node.on("message", (message) => {
    const said = message as DaemonMessage | DoorRequest;
    if (said.type === "listen") void open(node, said);
    else if (process.connected) process.send?.(said);
  });
  const inside = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  node.send({ ...config, inside } satisfies DaemonConfig, handedOver, () => handedOver?.close());
  await Promise.race([gone, ended]);
  await end(node, gone);
}

/** The kernel ends the namespace when we die, however that comes: unshare dies with us, its child with it, and all others with that. */
function spawnInside({ planIndex }: DaemonConfig): ChildProcess {
  const path = process.env["PATH"];
  const { nodeIp, serviceCidr } = addressPlan(planIndex);
  const init = ["sh", "-c", USERNS_INIT, "sh", nodeIp, serviceCidr, ...nodeCommand()];
  const args = ["--pdeathsig", "KILL", "--", findTool("unshare", path) ?? "unshare", ...USERNS_FLAGS, ...init];
  return spawn(findTool("setpriv", path) ?? "setpriv", args, {
    cwd: "/",
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
}

async function open(node: ChildProcess, { id, host, port }: DoorRequest): Promise<void> {
  try {
    const server = await listenHere(host, port);
    node.send({ type: "listening", id } satisfies DoorAnswer, server, () => server.close());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    node.send({ type: "refused", id, message: errorText(error), code } satisfies DoorAnswer);
  }
}

/** The node ends at once when told to, and with it its namespaces; unshare waits for the last process of them. */
async function end(node: ChildProcess, gone: Promise<void>): Promise<void> {
  if (node.connected) node.send({ type: "end" } satisfies DoorEnd, () => undefined);
  const late = setTimeout(() => node.kill("SIGKILL"), END_MS);
  await gone;
  clearTimeout(late);
}
