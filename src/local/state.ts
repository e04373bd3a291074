import { readFileSync } from "node:fs";
import { mkdir, open, readFile, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { NetworkKind } from "./network-kind.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A process, told apart from a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot at which it started. */
  readonly startTime: string;
}

/** What `up` leaves for a later `up` or `down` of the same name. */
export interface ClusterState {
  readonly name: string;
  readonly phase: "starting" | "up";
  /** Ending it ends the cluster. While starting: the starting program. */
  readonly process: ProcessId;
  readonly network: NetworkKind;
  /** The one link on the machine's side. */
  readonly link?: string;
  /** Folder of the node's files on the machine's disk. */
  readonly runDir?: string;
  readonly kubeconfig: string;
  readonly server?: string;
  /** A kubeconfig that the cluster's entries were merged into. */
  readonly merged?: string;
}

/** Folder of all local clusters. */
export function statesDir(env: Env): string {
  const home = env["XDG_STATE_HOME"] ?? join(env["HOME"] ?? "/", ".local", "state");
  return join(home, "meshctl");
}

/** Folder of one cluster: state, kubeconfig, log. */
export function stateDir(env: Env, name: string): string {
  return join(statesDir(env), name);
}

/** The process as it is now; undefined when there is none. */
export function identify(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { pid, startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** Whether it is still that very process. */
export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.startTime === id.startTime;
}

export async function readState(directory: string): Promise<ClusterState | undefined> {
  const text = await readFile(join(directory, "state.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as ClusterState;
  } catch {
    return undefined;
  }
}

/** Takes the name: of two at once only one gets true. */
export async function claimState(directory: string, state: ClusterState): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    const file = await open(join(directory, "state.json"), "wx", 0o600);
    await file.writeFile(JSON.stringify(state));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

export async function writeState(directory: string, state: ClusterState): Promise<void> {
  const next = join(directory, "state.json.new");
  await writeFile(next, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  await rename(next, join(directory, "state.json"));
}

/** Removes the folder and what became empty above it. */
export async function removeStateDir(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  for (let folder = dirname(directory), depth = 0; depth < 3; folder = dirname(folder), depth++) {
    const entries = await readdir(folder).catch(() => ["?"]);
    if (entries.length > 0) return;
    await rmdir(folder).catch(() => undefined);
  }
}
