import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * A whole-CLI scenario as text: blocks that begin with `==== <name>`. Blocks are `test` (words), `file <path>` (any number),
 * `env NAME` (value), `command` (one line, without `meshctl`), `stdin`, `stdout`, `stderr`, `exit`. Outputs are compared whole;
 * what is not given is not compared, except `exit`, which is 0 then.
 */
export interface Scenario {
  readonly test: string;
  readonly files: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly stdin: string;
  readonly stdout: string | undefined;
  readonly stderr: string | undefined;
  readonly exit: number;
}

/** Reads a scenario's text. */
export function parseScenario(text: string): Scenario {
  const blocks = readBlocks(text);
  const body = (name: string, fallback: string): string => blocks.get(name) ?? fallback;
  const named = (prefix: string): [string, string][] =>
    [...blocks].flatMap(([name, content]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), content]] : []));
  const command = body("command", "").trim();
  return {
    test: body("test", command).trim(),
    files: new Map(named("file ")),
    env: Object.fromEntries(named("env ").map(([name, content]) => [name, content.trim()])),
    command: command.split(/\s+/),
    stdin: body("stdin", ""),
    stdout: blocks.get("stdout"),
    stderr: blocks.get("stderr"),
    exit: Number(body("exit", "0")),
  };
}

function readBlocks(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^==== (.*)$\n?/m).slice(1);
  const blocks = new Map<string, string>();
  for (let index = 0; index < parts.length; index += 2) blocks.set(parts[index]?.trim() ?? "", parts[index + 1] ?? "");
  const known = /^(?:test|command|stdin|stdout|stderr|exit|file .+|env .+)$/;
  const unknown = [...blocks.keys()].filter((name) => !known.test(name));
  if (unknown.length > 0 || !blocks.has("command"))
    throw new Error(`not a scenario: ${unknown.join(", ") || "no command"}`);
  return blocks;
}

/** What a program did. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** Runs a scenario with the built CLI in a directory of its own, without kubeconfig or colours; the directory's path reads `<dir>`. */
export async function runScenario(scenario: Scenario, program: string): Promise<Outcome> {
  const dir = await mkdtemp(join(tmpdir(), "meshctl-scenario-"));
  try {
    for (const [name, body] of scenario.files) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), body);
    }
    const outcome = await execute(program, scenario, dir);
    const hide = (text: string): string => text.replaceAll(dir, "<dir>");
    return { ...outcome, stdout: hide(outcome.stdout), stderr: hide(outcome.stderr) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function execute(program: string, { command, env, stdin }: Scenario, cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...command], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ stdout, stderr, exit: code ?? -1 }));
    child.stdin.end(stdin);
  });
}

/** The scenario's text with the outcome in place of what was there. */
export async function rewriteScenario(path: string, scenario: Scenario, outcome: Outcome): Promise<void> {
  const text = await readFile(path, "utf8");
  const kept = text.split(/^(?===== )/m).filter((block) => !/^==== (?:stdout|stderr|exit)\b/.test(block));
  const block = (name: string, body: string | undefined): string => (body === undefined ? "" : `==== ${name}\n${body}`);
  const added = [
    block("stdout", outcome.stdout),
    // stderr is kept out of a scenario that never had it: it may tell of this machine
    block("stderr", scenario.stderr === undefined && outcome.stderr === "" ? undefined : outcome.stderr),
    block("exit", `${outcome.exit}\n`),
  ];
  await writeFile(path, [...kept, ...added].join(""));
}
