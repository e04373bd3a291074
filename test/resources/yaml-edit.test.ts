import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { editYaml, type YamlEdit, YamlEditError } from "../../src/resources/yaml-edit.ts";
import type { YamlChange } from "../../src/resources/yaml-change.ts";
import { readValues } from "../../src/resources/yaml-values.ts";

const TEXT = `# head
spec:
  hosts: ["a", "b"]   # who
  # the routes
  http:
  - name: first
    route:
    - destination: { host: a, port: 80 }   # one
    # the second
    - destination:
        host: b
  - name: last
    note: |
      kept
        as it is

  tls:   # nothing yet
  end: 'x'

# tail
`;

/** The text after one edit of its first document. */
function edited(text: string, path: YamlEdit["path"], change: YamlChange): string {
  return editYaml(text, [{ document: 0, path, ...change }]);
}

/** Lines that an edit took away (`-`) and brought (`+`). */
function difference(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  return [
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
  ];
}

test.each<[string, YamlEdit["path"], YamlChange, readonly string[]]>([
  ["a scalar", ["spec", "end"], { type: "set", value: "z" }, ["-  end: 'x'", "+  end: z"]],
  ["a scalar that needs quotes", ["spec", "end"], { type: "set", value: "on" }, ["-  end: 'x'", '+  end: "on"']],
  [
    "a list in brackets, its comment stays",
    ["spec", "hosts"],
    { type: "set", value: ["*"] },
    ['-  hosts: ["a", "b"]   # who', '+  hosts: ["*"]   # who'],
  ],
  [
    "an item in brackets",
    ["spec", "hosts", 1],
    { type: "set", value: "c" },
    ['-  hosts: ["a", "b"]   # who', '+  hosts: ["a", c]   # who'],
  ],
  [
    "a value that was empty",
    ["spec", "tls"],
    { type: "set", value: 5 },
    ["-  tls:   # nothing yet", "+  tls: 5   # nothing yet"],
  ],
  ["a map where nothing was", ["spec", "tls", 0, "match"], { type: "set", value: true }, ["+    - match: true"]],
  ["a new key", ["spec", "exportTo"], { type: "set", value: ["."] }, ["+  exportTo:", "+    - ."]],
  [
    "a new key in braces",
    ["spec", "http", 0, "route", 0, "destination", "subset"],
    { type: "set", value: "v1" },
    [
      "-    - destination: { host: a, port: 80 }   # one",
      "+    - destination: { host: a, port: 80, subset: v1 }   # one",
    ],
  ],
  [
    "a new key with maps above it",
    ["spec", "http", 0, "retries", "attempts"],
    { type: "set", value: 3 },
    ["+    retries:", "+      attempts: 3"],
  ],
  [
    "a block scalar",
    ["spec", "http", 1, "note"],
    { type: "set", value: "short" },
    ["-    note: |", "-      kept", "-        as it is", "+    note: short"],
  ],
  [
    "a whole map",
    ["spec", "http", 0, "route", 1],
    { type: "set", value: { weight: 1 } },
    ["-    - destination:", "-        host: b", "+    - weight: 1"],
  ],
  ["deleting a key", ["spec", "end"], { type: "delete" }, ["-  end: 'x'"]],
  [
    "deleting a list with the comment above it",
    ["spec", "http"],
    { type: "delete" },
    [
      "-  # the routes",
      "-  http:",
      "-  - name: first",
      "-    route:",
      "-    - destination: { host: a, port: 80 }   # one",
      "-    # the second",
      "-    - destination:",
      "-        host: b",
      "-  - name: last",
      "-    note: |",
      "-      kept",
      "-        as it is",
    ],
  ],
  [
    "deleting an item with its comment",
    ["spec", "http", 0, "route", 1],
    { type: "delete" },
    ["-    # the second", "-    - destination:", "-        host: b"],
  ],
  [
    "deleting the key behind a dash",
    ["spec", "http", 0, "name"],
    { type: "delete" },
    ["-  - name: first", "-    route:", "+  - route:"],
  ],
  [
    "deleting in braces",
    ["spec", "http", 0, "route", 0, "destination", "port"],
    { type: "delete" },
    ["-    - destination: { host: a, port: 80 }   # one", "+    - destination: { host: a }   # one"],
  ],
  [
    "deleting in brackets",
    ["spec", "hosts", 0],
    { type: "delete" },
    ['-  hosts: ["a", "b"]   # who', '+  hosts: ["b"]   # who'],
  ],
  [
    "deleting the last key of a map",
    ["spec", "http", 0, "route", 1, "destination", "host"],
    { type: "delete" },
    ["-    - destination:", "-        host: b", "+    - destination: {}"],
  ],
  [
    "inserting before an item and its comment",
    ["spec", "http", 0, "route", 1],
    { type: "insert", value: { weight: 1 } },
    ["+    - weight: 1"],
  ],
  [
    "inserting at the end",
    ["spec", "http", 2],
    { type: "insert", value: { name: "third", x: [1] } },
    ["+  - name: third", "+    x:", "+      - 1"],
  ],
  [
    "inserting in brackets",
    ["spec", "hosts", 0],
    { type: "insert", value: "z" },
    ['-  hosts: ["a", "b"]   # who', '+  hosts: ["z", "a", "b"]   # who'],
  ],
  ["renaming", ["spec", "http", 0, "route"], { type: "rename", name: "routes" }, ["-    route:", "+    routes:"]],
])("%s changes its own lines only", (_name, path, change, lines) => {
  for (const eol of ["\n", "\r\n"]) {
    const text = TEXT.replaceAll("\n", eol);
    expect(difference(text, edited(text, path, change))).toEqual(
      lines.map((line) => line + (eol === "\n" ? "" : "\r")),
    );
  }
});

test("JSON stays JSON, on lines of its own where its members are", () => {
  const text = '{\n  "a": {"b": 1},\n  "c": []\n}\n';
  expect(edited(text, ["a", "x"], { type: "set", value: "y" })).toBe('{\n  "a": {"b": 1, "x": "y"},\n  "c": []\n}\n');
  expect(edited(text, ["d"], { type: "set", value: { e: "f" } })).toBe(
    '{\n  "a": {"b": 1},\n  "c": [],\n  "d": {"e": "f"}\n}\n',
  );
  expect(edited(text, ["a"], { type: "delete" })).toBe('{\n  "c": []\n}\n');
});

test("several documents, several edits in turn, no line end at the end", () => {
  const text = "a: 1\n---\n# second\nb: 2\nc: [1]";
  const edits: YamlEdit[] = [
    { document: 1, path: ["b"], type: "set", value: 3 },
    { document: 1, path: ["d"], type: "set", value: { e: 4 } },
    { document: 1, path: ["d", "e"], type: "set", value: 5 },
    { document: 0, path: ["a"], type: "delete" },
  ];
  expect(editYaml(text, edits)).toBe("{}\n---\n# second\nb: 3\nc: [1]\nd:\n  e: 5");
});

test.each<[string, string, YamlEdit["path"], YamlChange]>([
  ["a path that is not there", "a: 1\n", ["b"], { type: "delete" }],
  ["a value behind an alias", "a: &x {b: 1}\nc: *x\n", ["c", "b"], { type: "set", value: 2 }],
  ["a value that an alias repeats", "a: &x {b: 1}\nc: *x\n", ["a", "b"], { type: "set", value: 2 }],
  ["a key of a merged map", "a: &x {b: 1}\nc:\n  <<: *x\n", ["c", "b"], { type: "delete" }],
  ["a name that is taken", "a: 1\nb: 2\n", ["a"], { type: "rename", name: "b" }],
  ["a map as a list", "a: {b: 1}\n", ["a", 0], { type: "insert", value: 1 }],
])("%s is refused", (_name, text, path, change) => {
  expect(() => edited(text, path, change)).toThrow(YamlEditError);
});

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("on", "0x1", "a: b", "# x", "two\nlines\n"),
);
const key = fc
  .stringMatching(/^[a-z]{1,4}$/)
  .filter((text) => !["y", "n", "yes", "no", "on", "off", "true", "null"].includes(text));
const tree = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("list"), tie("map")),
  list: fc.array(tie("any"), { maxLength: 3 }),
  map: fc.dictionary(key, tie("any"), { maxKeys: 3, noNullPrototype: true }),
})).map;
const style = fc.record({
  indent: fc.integer({ min: 2, max: 4 }),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom("any" as const, "flow" as const),
  comments: fc.boolean(),
});

/** Every path of a value, the root's left out. */
function pathsOf(value: unknown, path: YamlEdit["path"] = []): readonly YamlEdit["path"][] {
  const own = path.length === 0 ? [] : [path];
  if (Array.isArray(value))
    return [...own, ...value.flatMap((item: unknown, index) => pathsOf(item, [...path, index]))];
  if (typeof value !== "object" || value === null) return own;
  return [...own, ...Object.entries(value).flatMap(([name, member]) => pathsOf(member, [...path, name]))];
}

test("any document, any edit: it is read back as edited, and the comments of other lines stay", () => {
  const change = fc.record({ type: fc.constantFrom("set", "delete", "insert", "rename"), value: tree, pick: fc.nat() });
  fc.assert(
    fc.property(tree, style, change, (data, { comments, ...how }, { type, value, pick }) => {
      const plain = stringify({ root: data, last: "end" }, { ...how, lineWidth: 0, version: "1.1" });
      const commented = comments && how.collectionStyle !== "flow" && !/[|>"']/.test(plain);
      const text = commented ? plain.replaceAll("\n", " # c\n") : plain;
      const paths = pathsOf({ root: data }).filter((path) => fits(path.at(-1), type));
      const path = paths[pick % paths.length];
      if (path === undefined) return;
      // editYaml itself refuses what is not read back as edited; here it must not refuse
      const after = edited(text, path, { type, value, name: "renamed" } as YamlChange);
      expect(readValues(after)).toHaveLength(1);
      if (how.collectionStyle !== "flow") expect(after.endsWith(text.slice(text.lastIndexOf("last:")))).toBe(true);
      if (type === "rename" || type === "insert") expect(after.split(" # c").length).toBe(text.split(" # c").length);
    }),
    { numRuns: 1500 },
  );
});

/** Items are inserted, keys are renamed. */
function fits(step: string | number | undefined, type: string): boolean {
  return type === "insert" ? typeof step === "number" : type !== "rename" || typeof step === "string";
}
