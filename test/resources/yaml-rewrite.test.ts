import fc from "fast-check";
import { expect, test } from "vitest";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { rewriteYaml } from "../../src/resources/yaml-rewrite.ts";

const text = `# head
a: 1 # one
list:
  # first
  - name: p # is p
    v: 1
  - name: q
    more:
      deep: true # deep
# tail of list
last: {k: v} # flow
`;
const before = readValues(text)[0] as Record<string, unknown>;

test.each<[string, object, string[]]>([
  ["a key more", { ...before, b: { c: [1, 2] } }, []],
  ["a key less", { list: before["list"], last: before["last"] }, ["# head", "a: 1 # one"]],
  ["a flow map grows", { ...before, last: { k: "v", z: true } }, ["last: {k: v} # flow"]],
  [
    "items before, between and behind",
    {
      ...before,
      list: [
        { name: "0" },
        { name: "p", v: 1 },
        { name: "1" },
        { name: "q", more: { deep: true, er: 1 } },
        { name: "2", o: [] },
      ],
    },
    [],
  ],
  [
    "an item less",
    { ...before, list: [{ name: "q", more: { deep: true } }] },
    ["  # first", "  - name: p # is p", "    v: 1"],
  ],
])("%s: every other line stays", (_, after, lost) => {
  const made = rewriteYaml(text, before, after);
  expect(made.kept).toBe(true);
  expect(readValues(made.text)).toEqual([after]);
  const lines = new Set(made.text.split("\n"));
  expect(text.split("\n").filter((line) => !lines.has(line))).toEqual(lost);
});

test("lists whose items have no names are compared by their places", () => {
  const list = "items:\n  - kind: A # a\n  - kind: B # b\n";
  const made = rewriteYaml(
    list,
    { items: [{ kind: "A" }, { kind: "B" }] },
    { items: [{ kind: "A" }, { kind: "B", x: 1 }] },
  );
  expect(made.text).toBe("items:\n  - kind: A # a\n  - kind: B # b\n    x: 1\n");
});

const { value } = fc.letrec<{ value: unknown; map: unknown; list: unknown; named: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(1, true, "text", "", "a: b", "l1\nl2\n"),
    tie("map"),
    tie("list"),
    tie("named"),
  ),
  map: fc.dictionary(fc.constantFrom("a", "b", "c", "name"), tie("value"), { maxKeys: 3 }),
  list: fc.array(tie("value"), { maxLength: 3 }),
  named: fc.uniqueArray(fc.record({ name: fc.constantFrom("x", "y", "z"), v: tie("value") }), {
    selector: ({ name }) => name,
    maxLength: 3,
  }),
}));
const document = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), value, { minKeys: 1, maxKeys: 4 });

test("property: whatever the values, the text is read as the new one", () => {
  fc.assert(
    fc.property(document, document, (old, now) => {
      const made = rewriteYaml(toYaml(old), old, now);
      expect(readValues(made.text)[0]).toEqual(now);
    }),
    { numRuns: 500 },
  );
});
