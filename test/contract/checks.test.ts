import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allChecks } from "../../src/checks/registry.ts";
import { CAUSES } from "../checks/cases.ts";
import { checksPage } from "../checks/page.ts";
import { expectGolden } from "../support/golden.ts";

/** Every check has a cause that makes it fail (test/checks), a page, and texts that people can act on. */
const names = allChecks.map(({ name }) => name);

test("there are at least 100 checks, permissions counting as one", () => {
  expect(new Set(names).size).toBe(names.length);
  expect(allChecks.filter(({ category }) => category === "permissions")).toHaveLength(1);
  expect(names.length).toBeGreaterThanOrEqual(100);
});

test("every check has a cause that makes it fail, and every cause a check", () => {
  expect(Object.keys(CAUSES).toSorted()).toEqual(names.toSorted());
});

test("the page has an entry for every check, and no other", () => {
  const file = join(import.meta.dirname, "../../docs/checks/README.md");
  expectGolden(file, checksPage());
  const page = readFileSync(file, "utf8");
  const anchors = [...page.matchAll(/^### (\S+)$/gm)].map(([, name]) => name ?? "");
  expect(anchors.toSorted()).toEqual(names.toSorted());
});

test.each(allChecks.map((check) => [check.name, check] as const))("%s: texts and needs", (_, check) => {
  expect(check.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  expect(check.affirmation).toMatch(/[^.]$/);
  expect(check.hint).toMatch(/^[a-z].*[^.]$/s);
  expect(check.about).toMatch(/^[A-Z`].*\.$/s);
  for (const need of check.needs ?? []) {
    const needed = allChecks.find(({ name }) => name === need);
    expect(needed, need).toBeDefined();
    // what a check needs is run whenever it is
    if (needed?.phase !== undefined) expect(check.phase, need).toBe(needed.phase);
  }
});
