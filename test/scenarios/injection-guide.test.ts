import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";

// docs/guides/injection.md: its files, its commands that need no cluster, and what they say; the other command lines are read.

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/guides/injection.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "meshctl-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Block {
  readonly head: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...page.matchAll(/^```(\S.*)\n([\s\S]*?)^```$/gm)].map(
  ([, head = "", text = ""]) => ({
    head,
    text,
  }),
);

/** Blocks of commands with the block of their output behind them, in order; files are written as they come. */
const shown = blocks.flatMap((block, index) => {
  const next = blocks[index + 1];
  return block.head === "sh" && next?.head.startsWith("text") === true ? [{ command: block.text.trim(), next }] : [];
});

test("every command with an output in the guide prints it", () => {
  for (const { head, text } of blocks)
    if (head.startsWith("yaml file=")) writeFileSync(join(folder, head.slice("yaml file=".length)), text);
  for (const { command, next } of shown) {
    const [program, ...args] = command.split(" ");
    expect(program).toBe("meshctl");
    const run = spawnSync(process.execPath, [join(root, "bin/meshctl.js"), ...args], { cwd: folder, encoding: "utf8" });
    expect(run.stdout + run.stderr, command).toBe(next.text);
    expect(run.status, command).toBe(Number(/exit=(\d)/.exec(next.head)?.[1] ?? 0));
  }
  expect(shown.length).toBeGreaterThanOrEqual(4);
  const written = blocks.find(({ head }) => head === "yaml file=web.yaml")?.text;
  expect(readFileSync(join(folder, "mesh.yaml"), "utf8")).toBe(written);
});

test("every other command line of the guide is one that there is", () => {
  const lines = blocks.filter(({ head }) => head === "sh").flatMap(({ text }) => text.trim().split("\n"));
  const ours = lines.map((line) => line.split(" | ")[0] ?? "").filter((line) => line.startsWith("meshctl "));
  expect(ours.length).toBeGreaterThan(8);
  for (const line of ours) expect(parse(line.split(" ").slice(1)).type, line).toBe("run");
});
