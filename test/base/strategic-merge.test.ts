import fc from "fast-check";
import { expect, test } from "vitest";
import { strategicDifference, strategicMerge } from "../../src/base/strategic-merge.ts";

const keyOf = (path: readonly string[]): string | undefined =>
  ["list", "inner"].includes(path.at(-1) ?? "") ? "name" : undefined;

test.each<[string, unknown, unknown, unknown]>([
  ["objects key by key", { a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }, { a: { b: 1, c: 3, d: 4 } }],
  ["null removes", { a: 1, b: 2 }, { a: null }, { b: 2 }],
  ["no null of the patch is left", {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
  [
    "lists by key",
    { list: [{ name: "x", v: 1 }] },
    { list: [{ name: "x", w: 2 }, { name: "y" }] },
    { list: [{ name: "x", v: 1, w: 2 }, { name: "y" }] },
  ],
  ["other lists as a whole", { plain: [1, 2] }, { plain: [3] }, { plain: [3] }],
  [
    "items are deleted",
    { list: [{ name: "x" }, { name: "y" }] },
    { list: [{ $patch: "delete", name: "x" }] },
    { list: [{ name: "y" }] },
  ],
  [
    "a list is replaced",
    { list: [{ name: "x" }] },
    { list: [{ $patch: "replace" }, { name: "y" }] },
    { list: [{ name: "y" }] },
  ],
  ["an object is replaced", { a: { b: 1 } }, { a: { $patch: "replace", c: 1 } }, { a: { c: 1 } }],
  ["an object is deleted", { a: { b: 1 }, c: 2 }, { a: { $patch: "delete" } }, { c: 2 }],
  [
    "the order of a list",
    { list: [{ name: "x" }, { name: "y" }, { name: "z" }] },
    { "$setElementOrder/list": ["y", "x"] },
    { list: [{ name: "y" }, { name: "x" }, { name: "z" }] },
  ],
  ["what is left empty goes, when asked", { a: { b: 1 } }, { a: { b: null, $dropIfEmpty: true } }, {}],
  ["what others wrote stays", { a: { b: 1, c: 2 } }, { a: { b: null, $dropIfEmpty: true } }, { a: { c: 2 } }],
])("merge: %s", (_, base, patch, merged) => {
  const before = JSON.stringify([base, patch]);
  expect(strategicMerge(base, patch, keyOf)).toEqual(merged);
  expect(JSON.stringify([base, patch])).toBe(before);
});

const scalar = fc.constantFrom(1, "a", true, "");
const item = fc.record(
  { name: fc.constantFrom("x", "y", "z"), v: scalar, inner: fc.array(fc.record({ name: fc.constantFrom("p", "q") })) },
  { requiredKeys: ["name"] },
);
const data = fc.record(
  {
    a: scalar,
    annotations: fc.dictionary(fc.constantFrom("k", "l"), scalar),
    metadata: fc.record({ labels: fc.dictionary(fc.constantFrom("k", "l"), scalar) }, { requiredKeys: [] }),
    list: fc.array(item, { maxLength: 4 }),
    plain: fc.array(scalar),
    deep: fc.record({ list: fc.array(item), v: scalar }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

test("property: the difference makes one of the other", () => {
  fc.assert(
    fc.property(data, data, (from, to) => {
      const patch = strategicDifference(from, to, keyOf);
      expect(patch === undefined ? from : strategicMerge(from, patch, keyOf)).toEqual(to);
    }),
    { numRuns: 1000 },
  );
});

test("what somebody adds after the difference was taken is kept", () => {
  const from = { annotations: { ours: "1" }, list: [{ name: "ours" }] };
  const patch = strategicDifference(from, {}, keyOf);
  const later = { annotations: { ours: "1", theirs: "2" }, list: [{ name: "ours" }, { name: "theirs" }] };
  expect(strategicMerge(later, patch, keyOf)).toEqual({ annotations: { theirs: "2" }, list: [{ name: "theirs" }] });
});
