import { expect, test } from "vitest";
import { parsePath, pathText, valueAt, withValueAt } from "../../src/base/field-path.ts";
import { merge } from "../../src/base/merge.ts";
import { nearest } from "../../src/base/nearest.ts";
import { fillTemplate, TemplateError } from "../../src/base/template.ts";

const data = { a: { b: 1, list: ["x", "y"], empty: "", off: false }, labels: { "app.kubernetes.io/name": "web" } };

test.each<[string, unknown, unknown]>([
  ["a value with its type", "${a.b}", 1],
  ["a whole list", "${a.list}", ["x", "y"]],
  ["words inside text", "n=${a.b}!", "n=1!"],
  ["nothing inside text for what is undefined", "<${a.c}>", "<>"],
  ["the first that is defined", '${a.c ?? labels["app.kubernetes.io/name"]}', "web"],
  ["an empty text is defined", "${a.empty ?? a.b}", ""],
  ["keys without a value are left out", { k: "${a.c}", l: "${a.b}" }, { l: 1 }],
  ["items without a value are left out", ["${a.c}", "${a.b}"], [1]],
  [
    "objects with $when",
    [
      { $when: "a.b", v: 1 },
      { $when: "a.off", v: 2 },
      { $when: "!a.off", v: 3 },
    ],
    [{ v: 1 }, { v: 3 }],
  ],
  ["$splice", ["w", { $splice: "${a.list}" }, { $splice: "${a.c}" }], ["w", "x", "y"]],
  ["no code is run, nothing is inherited", "${constructor ?? a.__proto__ ?? a.b}", 1],
])("a template takes %s", (_, template, filled) => {
  expect(fillTemplate(template, data)).toEqual(filled);
});

test.each([["${a b}"], ["n=${a.list}"], [{ $when: 3 }], [[{ $splice: "${a.b}" }]]])("%j is refused", (template) => {
  expect(() => fillTemplate(template, data)).toThrow(TemplateError);
});

test("paths are read as they are written", () => {
  for (const text of ["a.b[0].c", 'labels["app.kubernetes.io/name"]', "$when"])
    expect(pathText(parsePath(text) ?? []), text).toBe(text);
  for (const text of ["", "a..b", ".a", "a[", "a b"]) expect(parsePath(text), text).toBeUndefined();
  expect(valueAt(data, ["a", "list", 1])).toBe("y");
  expect(valueAt(data, ["a", "toString"])).toBeUndefined();
  expect(withValueAt({ a: [1] }, ["a", 1, "b"], 2)).toEqual({ a: [1, { b: 2 }] });
});

test("merge: patch wins, null removes, lists by key where there is one, inputs stay as they are", () => {
  const base = { a: { b: 1, c: 2 }, list: [{ name: "x", v: 1 }], plain: [1] };
  const patch = { a: { c: null, d: 3 }, list: [{ name: "x", w: 2 }, { name: "y" }], plain: [2] };
  const before = JSON.stringify([base, patch]);
  const key = (path: readonly string[]): string | undefined => (path.at(-1) === "list" ? "name" : undefined);
  expect(merge(base, patch, key)).toEqual({
    a: { b: 1, d: 3 },
    list: [{ name: "x", v: 1, w: 2 }, { name: "y" }],
    plain: [2],
  });
  expect(JSON.stringify([base, patch])).toBe(before);
});

test("nearest: what was probably meant, or nothing", () => {
  expect(nearest("isntall", ["install", "uninstall", "inject"])).toBe("install");
  expect(nearest("Analyse", ["analyze"])).toBe("analyze");
  expect(nearest("frobnicate", ["install", "inject"])).toBeUndefined();
});
