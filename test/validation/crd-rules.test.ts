import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { messageOf } from "../../src/diagnostics/codes.ts";
import { readManifests } from "../../src/resources/manifests.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { schemaFindings } from "../../src/validation/schema.ts";

/**
 * Rules of the CRDs, offline: rules in CEL, groups of exclusive fields, lists with keys. The API server refuses the same objects
 * (test/e2e/apiserver/crds.test.ts).
 */
const root = join(import.meta.dirname, "../..");

function objectsOf(file: string): readonly KubeObject[] {
  const text = readFileSync(join(root, file), "utf8");
  const { objects, findings } = readManifests([{ file, text }]);
  expect(findings).toEqual([]);
  return objects.map(({ object }) => object);
}

const cases = objectsOf("test/validation/crd-rules/refused.yaml").map(
  (object) =>
    [`${object.kind} ${object.metadata.name}`, object, object.metadata.annotations?.["breaks"] ?? ""] as const,
);

test.each(cases)("%s breaks its rule, and no field has another form", (_name, object, breaks) => {
  // the schema alone: where a rule of src/validation says the same with more words, only that is heard
  const schema = schemaFindings(object.kind, object);
  expect(schema.map(messageOf).filter((message) => message.includes(breaks))).not.toEqual([]);
  expect(schema.map(({ args }) => args["rule"]).filter((rule) => !RULES.includes(String(rule)))).toEqual([]);
});

const RULES = ["schema-x-one-of", "schema-x-kubernetes-validations", "schema-x-kubernetes-list-map-keys"];

test("every rule of a schema is broken by a case", () => {
  const broken = new Set(cases.map(([, object, breaks]) => `${object.kind}: ${breaks}`));
  const words = new Set(cases.map(([, , breaks]) => breaks));
  const files = readdirSync(join(root, "schemas")).filter((file) => file.endsWith(".schema.json"));
  const schemas = files.map((file) => JSON.parse(readFileSync(join(root, "schemas", file), "utf8")) as Words);
  // configurations have no CRD
  const rules = schemas.filter((schema) => schema["x-config"] !== true).flatMap(rulesIn);
  expect(rules.length).toBeGreaterThan(50);
  expect(broken.size).toBeGreaterThan(40);
  expect(rules.filter((rule) => !words.has(rule))).toEqual([]);
});

/** What the rules of a schema say when they are broken. */
function rulesIn(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const {
    "x-kubernetes-validations": cel,
    "x-one-of": groups,
    "x-kubernetes-list-map-keys": keys,
    "x-kind": header,
  } = schema as Words;
  const own = [
    ...[...(cel ?? []), ...(header?.rules ?? [])].map(({ message }) => message),
    ...(groups ?? []).map(({ fields, required }) => {
      const listed = `${fields.slice(0, -1).join(", ")} and ${fields.at(-1) ?? ""}`;
      return `expected ${required === true ? "exactly" : "at most"} one of ${listed}`;
    }),
    ...(keys === undefined ? [] : [`two entries with ${keys.join(", ")}`]),
  ];
  return [...own, ...Object.values(schema).flatMap(rulesIn)];
}

interface Words {
  readonly "x-config"?: boolean;
  readonly "x-kubernetes-validations"?: readonly { readonly message: string }[];
  readonly "x-one-of"?: readonly { readonly fields: readonly string[]; readonly required?: boolean }[];
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kind"?: { readonly rules?: readonly { readonly message: string }[] };
}
