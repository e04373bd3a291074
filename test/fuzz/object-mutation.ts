import fc from "fast-check";

type Step = string | number;

const STRANGE: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, "", "*", "on", 0, -1, 65_536, 1e21, 0.5, true, [], {}, [[]], [null], [{}], {
    a: null,
  }),
  fc.constantFrom<unknown>(
    "*.*",
    "a..b",
    "1.2.3.4/99",
    "::1",
    "(",
    "[a-",
    "(?=a)",
    "x".repeat(3000),
    "\u0000",
    "é",
    "-1s",
    "1h1",
    "0s",
    "cluster.local",
  ),
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** One change of an object: a value replaced, a field gone, renamed, doubled, or moved somewhere else. */
export const objectMutation: fc.Arbitrary<(value: unknown) => unknown> = fc
  .record({
    pick: fc.nat(),
    other: fc.nat(),
    value: STRANGE,
    name: fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "hosts", "1", "a.b", "")),
    type: fc.constantFrom("replace", "delete", "add", "wrap", "move", "rename"),
  })
  .map(({ pick, other, value, name, type }) => (root: unknown) => {
    const paths = pathsOf(root);
    const path = paths[pick % paths.length];
    if (path === undefined) return value;
    if (type === "replace") return put(root, path, () => value);
    if (type === "wrap") return put(root, path, (old) => [old, old]);
    if (type === "move") return put(root, path, () => at(root, paths[other % paths.length] ?? []));
    if (type === "add")
      return put(root, path, (old) =>
        isMap(old) ? Object.fromEntries([...Object.entries(old), [name, value]]) : [old],
      );
    if (type === "rename")
      return put(root, path, (old) =>
        isMap(old)
          ? Object.fromEntries(Object.entries(old).map(([key, member], index) => [index === 0 ? name : key, member]))
          : old,
      );
    return put(root, path, (old) => (isMap(old) ? Object.fromEntries(Object.entries(old).slice(1)) : undefined));
  });

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pathsOf(value: unknown, path: readonly Step[] = []): readonly (readonly Step[])[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item: unknown, index) => pathsOf(item, [...path, index]))];
  return isMap(value)
    ? [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))]
    : [path];
}

function at(value: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Readonly<Record<Step, unknown>>)[step], value);
}

/** A copy with another value at a path; undefined takes it out. */
function put(value: unknown, [step, ...rest]: readonly Step[], change: (old: unknown) => unknown): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) => {
      const member = index === step ? put(item, rest, change) : item;
      return member === undefined ? [] : [member];
    });
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const made = key === step ? put(member, rest, change) : member;
      return made === undefined ? [] : [[key, made]];
    }),
  );
}
