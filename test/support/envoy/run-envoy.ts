import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
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

/**
 * Starts Envoy with a bootstrap (JSON form) whose admin address has port 0, in `folder`, which becomes its working
 * directory. Resolves when the admin interface answers.
 */
export async function runEnvoy(
  binary: string,
  bootstrap: unknown,
  options: { readonly folder: string; readonly env?: Readonly<Record<string, string>> },
): Promise<RunningEnvoy> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  writeFileSync(file("bootstrap.json"), JSON.stringify(bootstrap, null, 1));
  const args = ["-c", file("bootstrap.json"), "--admin-address-path", file("admin"), "--log-path", file("envoy.log")];
  const out = openSync(file("output.log"), "w");
  const child = spawn(binary, [...args, "--disable-hot-restart", "--concurrency", "1", "-l", "warning"], {
    cwd: folder,
    env: { ...options.env },
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  const log = (): string => ["envoy.log", "output.log"].map((name) => read(file(name))).join("");
  try {
    const address = await waitFor(
      () => {
        if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}: ${log()}`);
        return read(file("admin")).trim() || undefined;
      },
      { timeoutMs: 20_000, what: `Envoy in ${folder}` },
    );
    const admin = async (path: string): Promise<string> => (await fetch(`http://${address}${path}`)).text();
    await waitFor(() => admin("/server_info"), { what: "Envoy's admin interface" });
    return { admin, log, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
