import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { meshKinds } from "../../src/gen/mesh-kinds.ts";
import { shapes } from "../../src/gen/validators/shapes.ts";
import { readManifests } from "../../src/resources/manifests.ts";

/** The schemas of Istio's kinds as a whole: what descriptions say, and that the example objects leave no field out. */
const root = join(import.meta.dirname, "../..");
const files = readdirSync(join(root, "schemas")).filter((file) => file.endsWith(".schema.json"));

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly "x-kind"?: object;
}

function schemaOf(file: string): Schema {
  return JSON.parse(readFileSync(join(root, "schemas", file), "utf8")) as Schema;
}

const kinds = files.filter((file) => file === "common.schema.json" || schemaOf(file)["x-kind"] !== undefined);

test.each(kinds)("%s: each description is a sentence, and says what happens without an optional field", (file) => {
  const schema = schemaOf(file);
  const definitions = [["spec", schema] as const, ...Object.entries(schema.$defs ?? {})];
  const silent = definitions
    // a status is written by the control plane: nobody leaves its fields out
    .filter(([name]) => !/^(IstioStatus|StatusCondition|ValidationMessage)/.test(name))
    .flatMap(([name, { properties = {}, required = [] }]) =>
      Object.entries(properties)
        .filter(([field]) => !required.includes(field))
        .filter(([, { description = "Default" }]) => !/\b(Default|Needed|Has to be left out)\b/.test(description))
        .map(([field, { description }]) => `${name}.${field}: ${description ?? ""}`),
    );
  expect(silent).toEqual([]);
  const texts = definitions.flatMap(([, { description, properties = {} }]) => [
    description,
    ...Object.values(properties).map((property) => property.description),
  ]);
  expect(texts.filter((text) => text !== undefined && !/^[A-Z`].*[.)]$/s.test(text))).toEqual([]);
});

test("the example objects use every field of every kind", () => {
  const file = "test/e2e/apiserver/testdata/objects/all-fields.yaml";
  const { objects } = readManifests([{ file, text: readFileSync(join(root, file), "utf8") }]);
  const used = new Map<string, Set<string>>();
  for (const { object } of objects) note(used, object.kind, object.spec);
  const wanted = reachable(Object.keys(meshKinds));
  const unused = [...wanted].flatMap((type) =>
    Object.keys(shapes[type] ?? {})
      .filter((field) => used.get(type)?.has(field) !== true)
      .map((field) => `${type}.${field}`),
  );
  expect(unused).toEqual([]);
});

/** Fields in use by type. */
function note(used: Map<string, Set<string>>, type: string, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const collection = /^(\[\]|\{\})/.test(type);
  for (const [name, member] of Object.entries(value)) {
    if (!collection) used.set(type, (used.get(type) ?? new Set()).add(name));
    note(used, collection ? type.slice(2) : (shapes[type]?.[name] ?? "any"), member);
  }
}

/** Types that specs of the kinds reach. */
function reachable(from: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (type: string): void => {
    const name = type.replace(/^(\[\]|\{\})+/, "");
    if (found.has(name) || shapes[name] === undefined) return;
    found.add(name);
    Object.values(shapes[name]).forEach(visit);
  };
  from.forEach(visit);
  return found;
}
