import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseScenario, rewriteScenario, runScenario } from "./scenario.ts";

/** Every `.scenario` below this folder, run with the built CLI; UPDATE_GOLDEN=1 writes the outputs. */
const root = join(import.meta.dirname, "../..");
const program = join(root, "bin/meshctl.js");
const files = readdirSync(import.meta.dirname, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".scenario"))
  .toSorted();

test("the CLI is built", () => {
  expect(existsSync(join(root, "dist/cli.js")), "run npm run build first").toBe(true);
});

test.concurrent.each(files)("%s", async (file) => {
  const path = join(import.meta.dirname, file);
  const scenario = parseScenario(readFileSync(path, "utf8"));
  const outcome = await runScenario(scenario, program);
  if (process.env["UPDATE_GOLDEN"] === "1") return rewriteScenario(path, scenario, outcome);
  expect({ ...outcome, stderr: scenario.stderr === undefined ? undefined : outcome.stderr }).toEqual({
    stdout: scenario.stdout ?? outcome.stdout,
    stderr: scenario.stderr,
    exit: scenario.exit,
  });
});
