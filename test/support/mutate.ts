import fc from "fast-check";
import type { KubeObject } from "../../src/resources/object.ts";

/** Values that a field may get instead of its own. */
const VALUES: readonly unknown[] = [
  null,
  "",
  "x",
  "*",
  "UNKNOWN",
  "0s",
  "1us",
  "5s",
  "unix://x",
  "a.b/c",
  0,
  -1,
  1,
  8080,
  70_000,
  5_000_000_000,
  1.5,
  true,
  [],
  ["a"],
  {},
  { a: "b" },
];

type Json = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** Objects with one to three places of their spec changed: taken out, replaced, doubled, or a field added that is unknown or known elsewhere. */
export function mutated(objects: readonly KubeObject[]): fc.Arbitrary<KubeObject> {
  const names = [...new Set(objects.flatMap(({ spec }) => fieldNames(spec)))];
  const change = fc.record({
    at: fc.nat(),
    how: fc.constantFrom("remove", "replace", "replace", "double", "add"),
    value: fc.constantFrom(...VALUES),
    name: fc.constantFrom(...names),
  });
  return fc
    .tuple(fc.constantFrom(...objects), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([object, changes]) => ({ ...object, spec: changes.reduce(changed, object.spec) }));
}

interface Change {
  readonly at: number;
  readonly how: string;
  readonly value: unknown;
  readonly name: string;
}

function changed(spec: unknown, { at, how, value, name }: Change): unknown {
  const places = pathsIn(spec);
  const path = places[at % places.length] ?? [];
  return edit(spec, path, (old) => {
    if (how === "double")
      return Array.isArray(old) ? [...(old as readonly unknown[]), ...(old as readonly unknown[])] : old;
    if (how === "add")
      return typeof old === "object" && old !== null && !Array.isArray(old) ? { ...old, [name]: value } : old;
    return how === "remove" ? undefined : value;
  });
}

function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [path, ...steps.flatMap((step) => pathsIn((value as Json)[String(step)], [...path, step]))];
}

function fieldNames(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(fieldNames)];
}

/** A copy with the value at a path made anew; undefined takes it out. The spec itself stays an object. */
function edit(value: unknown, [step, ...rest]: Path, make: (old: unknown) => unknown): unknown {
  if (step === undefined) return make(value) ?? {};
  if (typeof value !== "object" || value === null) return value;
  const old = (value as Json)[String(step)];
  const made = rest.length === 0 ? make(old) : edit(old, rest, make);
  if (Array.isArray(value))
    return (value as readonly unknown[]).flatMap((item, index) =>
      index === step ? (made === undefined ? [] : [made]) : [item],
    );
  const { [String(step)]: _old, ...others } = value as Json;
  return made === undefined ? others : { ...others, [step]: made };
}
