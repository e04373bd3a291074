import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandTable } from "../../src/cli-table.ts";
import type { CommandReference } from "../../src/commands/reference.ts";
import { completionOf, flagOf } from "../../src/complete/flags.ts";
import { lacking } from "../support/programs.ts";

const root = join(import.meta.dirname, "../..");
const visible = commandTable.filter(({ hidden }) => hidden !== true);
const manuals = readdirSync(join(root, "docs/man"));

test("every command has a manual and a section of the reference, and nothing else has", () => {
  const names = visible.map(({ name }) => `meshctl-${name.replaceAll(" ", "-")}.1`);
  expect(manuals.toSorted()).toEqual([...names, "meshctl.1"].toSorted());
  const data = JSON.parse(readFileSync(join(root, "docs/reference/commands.json"), "utf8")) as CommandReference;
  expect(data.commands.map(({ name }) => name)).toEqual(visible.map(({ name }) => name));
  const page = readFileSync(join(root, "docs/reference/commands.md"), "utf8");
  const sections = [...page.matchAll(/^## meshctl (.+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(visible.map(({ name }) => name));
  for (const { name, options } of visible) {
    const flags = data.commands.find((command) => command.name === name)?.flags.map((flag) => flag.name) ?? [];
    const shown = options.filter(({ hidden }) => hidden !== true).map((spec) => flagOf(spec).long);
    expect(flags, name).toEqual(shown);
  }
});

const noMandoc = lacking("mandoc");
test.skipIf(noMandoc !== undefined)(
  `mandoc has nothing to say about the manuals${noMandoc === undefined ? "" : `: ${noMandoc}`}`,
  () => {
    const files = manuals.map((file) => join(root, "docs/man", file));
    const { status, stdout, stderr } = spawnSync("mandoc", ["-Tlint", ...files], { encoding: "utf8" });
    expect(stdout + stderr).toBe("");
    expect(status).toBe(0);
  },
);

/** Placeholders of values that only the user knows; all others can be completed. */
const FREE =
  /^(?:address|archive|bytes|command|count|days|domain|duration|header|hub|id|image|image=command|kind\.group=path|name|number|pairs|path|place|port|registry|rule|seconds|service|size|tag|url|version)$/;

test("what a value may be is offered by completion, unless only the user can know", () => {
  const silent = visible.flatMap(({ name, options, args = [] }) => {
    const flags = options.filter((spec) => spec.hidden !== true && flagOf(spec).placeholder !== undefined);
    return [...flags, ...args]
      .filter((spec) => completionOf(spec) === undefined)
      .map((spec) => ({ name, word: flagOf({ ...spec, summary: "" }).placeholder ?? "" }))
      .filter(({ word }) => !FREE.test(word))
      .map(({ word }) => `${name}: ${word}`);
  });
  expect(silent, "give these a `complete` in the command table, or say in FREE that only the user can know").toEqual(
    [],
  );
});
