import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";

// docs/guides/rate-limits.md: its files are clean, as the page says, and its command lines are ones that there are.

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/guides/rate-limits.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "meshctl-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));

const blocks = [...page.matchAll(/^```(\S.*)\n([\s\S]*?)^```$/gm)].map(([, head = "", text = ""]) => ({ head, text }));
const files = blocks.filter(({ head }) => head.startsWith("yaml file="));
const lines = blocks.filter(({ head }) => head === "sh").flatMap(({ text }) => text.trim().split("\n"));

test("the files of the guide are clean", () => {
  expect(files.length).toBe(2);
  for (const { head, text } of files) {
    const name = head.slice("yaml file=".length);
    writeFileSync(join(folder, name), text);
    const line = lines.find((each) => each.endsWith(` ${name}`)) ?? "";
    const run = spawnSync(process.execPath, [join(root, "bin/meshctl.js"), ...line.split(" ").slice(1)], {
      cwd: folder,
      encoding: "utf8",
    });
    expect({ line, said: run.stdout, code: run.status }).toEqual({
      line: `meshctl analyze --offline ${name}`,
      said: "",
      code: 0,
    });
  }
});

test("the command lines of the guide are ones that there are", () => {
  expect(lines.length).toBe(3);
  for (const line of lines) expect(parse(line.split(" ").slice(1)).type, line).toBe("run");
});
