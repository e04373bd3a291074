import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { commandTable } from "../../src/cli-table.ts";
import { CHANGING, ELSEWHERE, OF_FILES, QUESTIONS } from "../support/readers/questions.ts";

// Every read-only command is asked of every reader by test/support/readers/step.ts; here only that none is forgotten.

/** The command that a line is for. */
function commandOf(line: string): (typeof commandTable)[number] {
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  return parsed.spec;
}

const names = commandTable.filter(({ hidden }) => hidden !== true).map(({ name }) => name);

test("every command is asked of every reader, or is said to look into no mesh", () => {
  const asked = [...new Set(QUESTIONS.map(({ line }) => commandOf(line).name))];
  expect([...asked, ...Object.keys(ELSEWHERE), ...CHANGING, ...OF_FILES].toSorted()).toEqual(names);
});

test("every command that reads a dump is asked of one", () => {
  const reading = commandTable.filter(({ options }) =>
    options.some(({ flags, summary }) => flags.startsWith("-f, --file ") && /dump/.test(summary)),
  );
  expect(reading.length).toBeGreaterThan(8);
  const asked = new Set(QUESTIONS.flatMap(({ dump }) => (dump === undefined ? [] : [commandOf(dump.line).name])));
  for (const { name } of reading) expect(asked, name).toContain(name);
});

test("who refuses says why", () => {
  for (const { line, bundle, xds, because } of QUESTIONS)
    expect(because !== undefined, line).toBe(bundle === "refused" || xds === "refused");
});
