import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { EnvironmentError } from "../base/errors.ts";
import { runProgram } from "./node/run.ts";
import { type ClusterState, isAlive, readState, removeStateDir } from "./state.ts";

const TERM_MS = 10_000;
const GONE_MS = 10_000;
const POLL_MS = 20;

/** Ends what a state file tells of, alive or left over, and removes every trace. False when there was nothing. */
export async function stopCluster(directory: string): Promise<boolean> {
  const state = await readState(directory);
  if (state === undefined) {
    const there = existsSync(directory);
    await removeStateDir(directory);
    return there;
  }
  await endProcesses(state);
  await removeStateDir(directory);
  return true;
}

/** Ends the process of a cluster and what it has outside of its state folder. */
export async function endProcesses(
  state: Pick<ClusterState, "process" | "network" | "link" | "runDir">,
): Promise<void> {
  const { process: id, network, link, runDir } = state;
  if (isAlive(id)) {
    // A netns node is ended by the kernel, whole; the others see to it that nothing is left before they end.
    if (network !== "netns") {
      kill(id.pid, "SIGTERM");
      await until(() => !isAlive(id), TERM_MS);
    }
    if (isAlive(id)) kill(id.pid, "SIGKILL");
    if (!(await until(() => !isAlive(id), GONE_MS))) {
      throw new EnvironmentError("not-ended", `process ${id.pid} of the local cluster does not end`);
    }
  }
  if (link !== undefined) await removeLink(link);
  if (runDir !== undefined) {
    // Its watchdog removes it, after the last process; we make sure.
    await until(() => !existsSync(runDir), network === "loopback" ? 2000 : 0);
    await rm(runDir, { recursive: true, force: true });
  }
}

/** The link goes with its namespace, which the kernel may keep a while for connections that are closing. */
async function removeLink(link: string): Promise<void> {
  if (!existsSync(`/sys/class/net/${link}`)) return;
  await runProgram("ip", ["link", "del", link]).catch(() => undefined);
  if (!(await until(() => !existsSync(`/sys/class/net/${link}`), GONE_MS))) {
    throw new EnvironmentError("link-left", `network link ${link} could not be removed`, {
      hint: `run ip link del ${link}`,
    });
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone meanwhile
  }
}

async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}
