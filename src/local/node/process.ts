import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, closeSync, constants, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import type { ContainerLog } from "./log.ts";
import type { ProcessUser } from "./network/types.ts";
import { runProgram } from "./run.ts";

export interface ProcessExit {
  /** 128 + number for an end by signal. */
  readonly code: number;
  readonly signal: number | undefined;
}

/** A started program, leader of a process group of its own. */
export interface RunningProcess {
  readonly pid: number | undefined;
  readonly exited: Promise<ProcessExit>;
  /** To the program alone, as container runtimes do. */
  signal(name: NodeJS.Signals): void;
  /** To it and everything it started in its group. */
  killGroup(): void;
}

/** Tells whoever cleans up after the node which process groups are alive. */
export interface GroupWatcher {
  started(group: number): void;
  ended(group: number): void;
}

export interface StartOptions {
  readonly command: { readonly file: string; readonly args: readonly string[]; readonly cwd: string };
  readonly env: ReadonlyMap<string, string>;
  readonly log: ContainerLog;
  /** A path that does not exist yet; a named pipe stands there for a moment. */
  readonly pipePath: string;
  readonly user: ProcessUser | undefined;
  readonly watcher: GroupWatcher;
}

const DRAIN_MS = 1000;

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/**
 * Starts a program whose output goes to the log. Its stdout and stderr are a named pipe that belongs to its user, so that it may
 * open /dev/stdout again, as Envoy does; the sockets that Node would make cannot be opened.
 */
export async function startProcess(options: StartOptions): Promise<RunningProcess> {
  const { command, env, log, pipePath, user, watcher } = options;
  await runProgram("mkfifo", ["-m", "600", pipePath]);
  if (user !== undefined) chownSync(pipePath, user.uid, user.gid);
  const readEnd = openSync(pipePath, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(pipePath, constants.O_WRONLY);
  unlinkSync(pipePath);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  const drained = new Promise<void>((resolve) => {
    reader.on("data", (chunk: Buffer) => {
      log.append(chunk);
    });
    reader.on("error", () => undefined);
    reader.once("close", resolve);
  });
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: Object.fromEntries(env),
    stdio: ["ignore", writeEnd, writeEnd],
    detached: true,
  });
  closeSync(writeEnd);
  const { pid } = child;
  if (pid !== undefined) watcher.started(pid);
  const killGroup = (): void => {
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // already gone
    }
  };
  const exited = waitForExit(child, log).then(async (exit) => {
    killGroup();
    if (pid !== undefined) watcher.ended(pid);
    const late = setTimeout(() => reader.destroy(), DRAIN_MS); // something that left the group may hold the pipe for ever
    await drained;
    clearTimeout(late);
    log.end();
    return exit;
  });
  return { pid, exited, signal: (name) => child.kill(name), killGroup };
}

function waitForExit(child: ChildProcess, log: ContainerLog): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      log.append(Buffer.from(`${error.message}\n`));
      resolve({ code: 127, signal: undefined });
    });
    child.once("exit", (code, signal) => {
      const number = signal === null ? undefined : signalNumbers[signal];
      resolve({ code: code ?? 128 + (number ?? 0), signal: number });
    });
  });
}
