import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** A mesh-agent run from the sources, in a directory that stands for its container's root. */
export interface AgentProcess {
  readonly process: ChildProcess;
  readonly directory: string;
  /** stdout and stderr of the agent and its Envoy so far. */
  output(): string;
  readonly exited: Promise<number>;
  /** Kills what is left and removes the directory. */
  clean(): Promise<void>;
}

const SOURCES = [
  "--import",
  pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href,
  "-e",
  `import(${JSON.stringify(pathToFileURL(join(root, "src/agent.ts")).href)}).then((m) => m.start(process.argv.slice(1)))`,
  "--",
];

/** How a command of mesh-agent is run. */
export interface AgentRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Path in the container -> content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Arguments of node; default: the sources. */
  readonly program?: readonly string[] | undefined;
  /** A command to run it under. */
  readonly under?: readonly string[];
  /** User and group that own the files; default: this process's. */
  readonly owner?: number;
}

/** Starts it. */
export function startAgent(run: AgentRun): AgentProcess {
  const { args, env, files = {}, program = SOURCES, under = [], owner } = run;
  const directory = mkdtempSync(join(tmpdir(), "mesh-agent-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  if (owner !== undefined) chownAll(directory, owner);
  const chunks: string[] = [];
  const [command = "", ...words] = [...under, process.execPath, ...program, ...args];
  const child = spawn(command, words, {
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"],
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  const exited = new Promise<number>((resolve) => {
    child.on("exit", (status, signal) => resolve(status ?? (signal === "SIGKILL" ? 137 : 128)));
  });
  return {
    process: child,
    directory,
    output: () => chunks.join(""),
    exited,
    clean: async () => {
      child.kill("SIGKILL");
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function chownAll(directory: string, owner: number): void {
  const inside = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((path) => join(directory, path));
  for (const path of [directory, ...inside]) chownSync(path, owner, owner);
}
