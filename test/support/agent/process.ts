import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

/** `files`: path in the container -> content. `program`: arguments of node; default: the sources. */
// oxlint-disable-next-line eslint/max-params -- the program is a rest, which only benches give
export function startAgent(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  program: readonly string[] = SOURCES,
): AgentProcess {
  const directory = mkdtempSync(join(tmpdir(), "mesh-agent-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  const chunks: string[] = [];
  const child = spawn(process.execPath, [...program, ...args], {
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
