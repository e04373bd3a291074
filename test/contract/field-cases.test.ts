import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gatewayApiKinds, meshKinds } from "../../src/gen/mesh-kinds.ts";
import { shapes } from "../../src/gen/validators/shapes.ts";
import { effectReason } from "../../src/model/effect-reasons.ts";
import { fieldsWithoutEffect } from "../../src/model/effects.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { SHOWN_ELSEWHERE } from "./field-cases.ts";

/**
 * Every field of the networking kinds and of Telemetry is shown by a request through real Envoys (test/e2e/envoy/traffic), or stands with the
 * place that shows it in field-cases.ts, or is reported as one without effect. FIELDS=1 prints where each is shown.
 */
const root = join(import.meta.dirname, "../..");
const kinds = { ...gatewayApiKinds, ...meshKinds };
const judged = Object.keys(kinds).filter((name) => {
  const { group } = kinds[name as keyof typeof kinds];
  return ["networking.istio.io", "gateway.networking.k8s.io", "telemetry.istio.io"].includes(group);
});

interface Case {
  readonly name: string;
  readonly object: KubeObject;
}

/** Objects of the traffic cases, those of changes too. */
function trafficObjects(): readonly Case[] {
  const folder = join(root, "test/e2e/envoy/traffic");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml"))
    .toSorted()
    .flatMap((file) =>
      readValues(readFileSync(join(folder, file), "utf8"))
        .flatMap(objectsOf)
        .map((object) => ({ name: file, object })),
    );
}

/** A document is an object, or holds the objects of its steps. */
function objectsOf(document: unknown): readonly KubeObject[] {
  const { kind, steps = [] } = (document ?? {}) as {
    readonly kind?: string;
    readonly steps?: readonly { readonly objects?: readonly KubeObject[] }[];
  };
  return kind === undefined ? steps.flatMap(({ objects = [] }) => objects) : [document as KubeObject];
}

/** Our name of an object's kind: two groups have a Gateway. */
function nameOf({ apiVersion, kind }: KubeObject): string | undefined {
  return Object.entries(kinds).find(([, one]) => one.kind === kind && apiVersion.startsWith(`${one.group}/`))?.[0];
}

/** Adds `Type.field` of each field in use. */
function note(add: (field: string) => void, type: string, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const isCollection = /^(\[\]|\{\})/.test(type);
  for (const [name, member] of Object.entries(value)) {
    if (!isCollection && shapes[type]?.[name] !== undefined) add(`${type}.${name}`);
    note(add, isCollection ? type.slice(2) : (shapes[type]?.[name] ?? "any"), member);
  }
}

/** Where a field of a kind stands, e.g. `["http", "[]", "match"]`, for each `Type.field`. */
function placesOf(kind: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const places = new Map<string, (readonly string[])[]>();
  const visit = (type: string, path: readonly string[], above: readonly string[]): void => {
    const collection = /^(\[\]|\{\})/.exec(type)?.[0];
    if (collection !== undefined) return visit(type.slice(2), [...path, collection], above);
    if (above.includes(type)) return;
    for (const [field, below] of Object.entries(shapes[type] ?? {})) {
      const key = `${type}.${field}`;
      places.set(key, [...(places.get(key) ?? []), [...path, field]]);
      visit(below, [...path, field], [...above, type]);
    }
  };
  visit(kind, [], []);
  return places;
}

/** A spec that has this field alone. */
function specWith([first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return "x";
  if (first === "[]") return [specWith(rest)];
  return { [first === "{}" ? "name" : first]: specWith(rest) };
}

function isName(step: string): boolean {
  return step !== "[]" && step !== "{}";
}

function isReported(kind: string, path: readonly string[]): boolean {
  const { kind: called, group } = kinds[kind as keyof typeof kinds];
  const object = { apiVersion: `${group}/v1`, kind: called, metadata: { name: "x" }, spec: specWith(path) };
  return fieldsWithoutEffect(object as KubeObject).length > 0;
}

const shown = new Map<string, string>();
for (const { name, object } of trafficObjects()) {
  const kind = nameOf(object);
  if (kind !== undefined)
    note((field) => void (shown.has(field) || shown.set(field, name)), kind, (object as { spec?: unknown }).spec);
}
const fields = new Map<string, boolean>();
// reported where it stands in one kind, and has effect in another: it has to be shown
for (const kind of judged)
  for (const [field, places] of placesOf(kind))
    fields.set(field, (fields.get(field) ?? true) && places.every((path) => isReported(kind, path)));

test("each field of the networking kinds is shown by a request, elsewhere, or reported", () => {
  if (process.env["FIELDS"] !== undefined)
    for (const [field, reported] of [...fields].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      process.stdout.write(
        `${field} ${shown.get(field) ?? SHOWN_ELSEWHERE[field] ?? (reported ? "reported" : "nowhere")}\n`,
      );
  const missing = [...fields].filter(
    ([field, reported]) => !reported && !shown.has(field) && SHOWN_ELSEWHERE[field] === undefined,
  );
  expect(missing.map(([field]) => field)).toEqual([]);
});

test("a field that is reported says why, and what to write instead", () => {
  const silent = judged.flatMap((kind) =>
    [...placesOf(kind).values()]
      .flat()
      .filter((path) => isReported(kind, path) && effectReason(["spec", ...path.filter(isName)]) === undefined),
  );
  expect(silent.map((path) => path.join("."))).toEqual([]);
});

test("what is shown elsewhere is there, and nowhere else", () => {
  const wrong = Object.entries(SHOWN_ELSEWHERE).flatMap(([field, file]) => {
    if (!fields.has(field)) return [`${field}: no such field`];
    if (shown.has(field)) return [`${field}: shown by ${shown.get(field)}`];
    const name = field.slice(field.indexOf(".") + 1);
    const text = readFileSync(join(root, file), "utf8");
    return text.includes(name) ? [] : [`${field}: not in ${file}`];
  });
  expect(wrong).toEqual([]);
});
