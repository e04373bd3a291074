import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// The list of attacks is true: each line names a test that is there.
const root = join(import.meta.dirname, "../..");
const rows = readFileSync(join(root, "docs/internals/attacks.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (Attack|-)/.test(line))
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()));

test("there are attacks", () => {
  expect(rows.length).toBeGreaterThan(20);
});

test.each(rows.map((cells) => [cells[0] ?? "", cells] as const))("%s", (_attack, cells) => {
  const [, outcome, file = "", name = ""] = cells;
  expect(cells, "four columns").toHaveLength(4);
  expect(outcome).not.toBe("");
  expect(existsSync(join(root, file)), file).toBe(true);
  // a step of a scenario or a case has its title, a test its name
  const text = readFileSync(join(root, file), "utf8");
  expect(text, `${file}: ${name}`).toContain(name);
});
