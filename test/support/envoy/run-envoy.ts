import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { waitFor } from "../wait.ts";

/** A running Envoy. */
export interface RunningEnvoy {
  /** Answers of the admin interface, as text. */
  admin(path: string): Promise<string>;
  /** What it logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface RunOptions {
  /** Becomes its working directory; holds its files and the socket of its admin interface. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command to run it under, e.g. in a network namespace. */
  readonly under?: readonly string[];
  /** How long connections may stay at what was replaced; default: 45, as the agent has it. */
  readonly drainSeconds?: number;
}

/** Starts Envoy with a bootstrap (JSON form, without admin: that is a socket here). Resolves when it answers. */
export async function runEnvoy(
  binary: string,
  bootstrap: Readonly<Record<string, unknown>>,
  { folder, env, under = [], drainSeconds = 45 }: RunOptions,
): Promise<RunningEnvoy> {
  mkdirSync(folder, { recursive: true });
  // it may run as another user
  chmodSync(folder, 0o777);
  const file = (name: string): string => join(folder, name);
  const admin = { address: { pipe: { path: file("admin") } } };
  writeFileSync(file("bootstrap.json"), JSON.stringify({ ...bootstrap, admin }, null, 1));
  const command = [
    ...under,
    binary,
    "-c",
    file("bootstrap.json"),
    "--disable-hot-restart",
    "--concurrency",
    "1",
    // as the agent starts it: with the default, connections stay at replaced filter chains until chance closes them, minutes later
    "--drain-time-s",
    String(drainSeconds),
    "--drain-strategy",
    "immediate",
    "--file-flush-interval-msec",
    "500",
  ];
  const out = openSync(file("output.log"), "w");
  const child = spawn(command[0] ?? "", [...command.slice(1), "-l", "warning"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  const log = (): string => readFileSync(file("output.log"), "utf8");
  const ask = (path: string): Promise<string> => get(file("admin"), path);
  try {
    await waitFor(
      () => {
        if (child.exitCode !== null) return "ended";
        return ask("/server_info");
      },
      { timeoutMs: 20_000, what: `Envoy in ${folder}` },
    );
    if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}: ${log()}`);
    return { admin: ask, log, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false, headers: { host: "admin" } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
