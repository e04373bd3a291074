import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import { metadataRules, rulesByKind, validateObject } from "../../src/validation/index.ts";
import type { Rule } from "../../src/validation/rule.ts";
import { expectGolden } from "../support/golden.ts";
import { CASES, validationCases } from "../support/validation-cases.ts";

// A case is a file: <Kind>/invalid/<rule>.yaml and <Kind>/warns/<rule>.yaml hold objects that break the rule, one after the
// other; <Kind>/valid/<topic>.yaml hold objects that nothing is said of. findings.txt has the words.

const cases = validationCases();
const rules = [...Object.values(rulesByKind), metadataRules].flat() as readonly Rule<unknown>[];
const byName = new Map(rules.map((rule) => [rule.name, rule]));

/** Too big for a file: test/validation/sizes.test.ts has them. */
const BY_SIZE = new Set(["virtual-service-direct-response-large"]);

test.each(cases.filter(({ bucket }) => bucket === "valid"))("$kind/valid/$name: nothing is said", ({ objects }) => {
  expect(objects.length).toBeGreaterThan(0);
  for (const object of objects) expect({ object, said: validateObject(object) }).toEqual({ object, said: [] });
});

/** The rules that an object breaks, the schema's under the one name `schema`. */
function broken(object: KubeObject): readonly string[] {
  return validateObject(object).map(({ args, code }) => {
    const rule =
      code === "IST0130"
        ? "virtual-service-reachable"
        : code === "IST0131"
          ? "virtual-service-effective-match"
          : String(args["rule"]);
    return rule.startsWith("schema-") ? "schema" : rule;
  });
}

test.each(cases.filter(({ bucket }) => bucket !== "valid"))(
  "$kind/$bucket/$name: each object breaks the rule",
  ({ objects, bucket, name }) => {
    if (name !== "schema") expect(byName.get(name)?.severity).toBe(bucket === "invalid" ? "error" : "warning");
    expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) {
      const isRefused = validateObject(object).some(({ level }) => level === "Error");
      expect({ object, isRefused }).toEqual({ object, isRefused: bucket === "invalid" });
      expect({ object, broken: broken(object) }).toEqual({ object, broken: expect.arrayContaining([name]) as unknown });
    }
  },
);

test("every rule has its own name, starting with its kind, a sentence, and objects that break it", () => {
  expect(byName.size).toBe(rules.length);
  for (const { holds } of rules) expect(holds).toMatch(/^\S.*\.$/);
  for (const [kind, list] of Object.entries(rulesByKind)) {
    const prefix = kind.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
    for (const { name } of list) expect(name.startsWith(`${prefix}-`) ? name : `${kind}: ${name}`).toBe(name);
  }
  const seen = new Set(cases.filter(({ bucket }) => bucket !== "valid").map(({ name }) => name));
  expect(rules.map(({ name }) => name).filter((name) => !seen.has(name) && !BY_SIZE.has(name))).toEqual([]);
});

test("every kind has objects that nothing is said of", () => {
  const kinds = new Set(cases.filter(({ bucket }) => bucket === "valid").map(({ kind }) => kind));
  expect(Object.keys(rulesByKind).filter((kind) => !kinds.has(kind))).toEqual([]);
});

const kinds = [...new Set(cases.map(({ kind }) => kind))];

test.each(kinds)("%s: the words of every finding", (kind) => {
  const pages = cases
    .filter((each) => each.kind === kind && each.bucket !== "valid")
    .map(({ objects, bucket, name, report }) => `## ${bucket}/${name}\n\n${report(objects.flatMap(validateObject))}`);
  expectGolden(join(CASES, kind, "findings.txt"), `${pages.join("\n")}\n`);
});

test("no folder without a kind", () => {
  const folders = readdirSync(CASES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).toSorted()).toEqual(kinds.toSorted());
});
