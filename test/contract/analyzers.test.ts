import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { analyzers } from "../../src/analyzers/index.ts";
import { codes } from "../../src/diagnostics/codes.ts";
import { type KindName, kindOf } from "../../src/resources/kinds.ts";
import type { World } from "../../src/resources/world.ts";
import { analyzeCase, readCase } from "../support/case-findings.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "test/analyzers/testdata");
const casesOf = (name: string): readonly string[] =>
  readdirSync(join(folder, name))
    .filter((file) => file.endsWith(".in.yaml"))
    .map((file) => join(folder, name, file));

test("the registry is sorted and is what the folders hold", () => {
  const names = analyzers.map(({ name }) => name);
  expect(names).toEqual(names.toSorted());
  expect(new Set(names).size).toBe(names.length);
  const folders = readdirSync(join(root, "src/analyzers"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const files = folders.flatMap((entry) => readdirSync(join(root, "src/analyzers", entry.name)));
  const shared = (file: string): boolean => file === "index.ts" || file.startsWith("shared-");
  expect(
    files
      .filter((file) => !shared(file))
      .map((file) => basename(file, ".ts"))
      .toSorted(),
  ).toEqual(names);
});

/** Codes that take more than one World to raise, and where that is tested. */
const ELSEWHERE: Readonly<Record<string, string>> = { IST0170: "test/analyzers/multi-cluster.test.ts" };

test.each(analyzers.map((analyzer) => [analyzer.name, analyzer] as const))(
  "%s: what it says it reads is what it reads, and each code it names is raised in some case",
  (name, analyzer) => {
    expect(analyzer.summary).toMatch(/^[A-Z].*\.$/);
    const read = new Set<KindName>();
    const raised = new Set<string>();
    for (const path of casesOf(name)) {
      const { objects } = readCase(path);
      for (const { code } of analyzeCase(analyzer, objects, (world) => recording(world, read))) raised.add(code);
    }
    expect([...read].toSorted()).toEqual([...analyzer.reads].toSorted());
    const elsewhere = analyzer.codes.filter((code) => code in ELSEWHERE);
    expect([...raised, ...elsewhere].toSorted()).toEqual([...analyzer.codes].toSorted());
    for (const code of elsewhere) expect(readFileSync(join(root, ELSEWHERE[code] ?? ""), "utf8")).toContain(code);
    for (const code of analyzer.codes) expect(Object.keys(codes)).toContain(code);
  },
);

/** The World, noting kinds that are asked for; index reads are noted by what they found. */
function recording(world: World, read: Set<KindName>): World {
  return {
    get: (kind, namespace, name) => {
      read.add(kind);
      return world.get(kind, namespace, name);
    },
    list: (kind, namespace) => {
      read.add(kind);
      return world.list(kind, namespace);
    },
    by: (index, key) => {
      const found = world.by(index, key);
      for (const object of found) {
        const kind = kindOf(object);
        if (kind !== undefined) read.add(kind);
      }
      return found;
    },
  };
}
