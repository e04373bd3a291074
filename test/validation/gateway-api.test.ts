import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { messageOf } from "../../src/diagnostics/codes.ts";
import { readManifests } from "../../src/resources/manifests.ts";
import { validateObject } from "../../src/validation/index.ts";
import { expectGolden } from "../support/golden.ts";

/**
 * Cases by file: `valid-*` are clean, `refused-*` break the schema, `rule-*` a rule of the CRD. The API server gives the same
 * verdict of each (test/e2e/apiserver/gateway-api.test.ts).
 */
const folder = join(import.meta.dirname, "gateway-api");
const cases = readdirSync(folder).filter((file) => file.endsWith(".yaml"));

function said(file: string): readonly string[] {
  const { objects, findings } = readManifests([{ file: file, text: readFileSync(join(folder, file), "utf8") }]);
  expect(findings).toEqual([]);
  expect(objects).toHaveLength(1);
  return objects.flatMap(({ object, position }) =>
    validateObject(object).map((found) => {
      const { line, column } = position(found.path);
      return `${line}:${column} ${String(found.args["rule"])}: ${messageOf(found)}`;
    }),
  );
}

test.each(cases.filter((file) => file.startsWith("valid-")))("%s is clean", (file) => {
  expect(said(file)).toEqual([]);
});

test("what is said of the others", () => {
  const lines = cases
    .filter((file) => !file.startsWith("valid-"))
    .flatMap((file) => {
      const found = said(file);
      expect(found, file).not.toEqual([]);
      return [`${file}\n`, ...found.map((line) => `  ${line}\n`)];
    });
  expectGolden(join(folder, "said.txt"), lines.join(""));
});

test("every rule of a CRD is broken by a case", () => {
  const texts = readFileSync(join(folder, "said.txt"), "utf8");
  const schemas = join(import.meta.dirname, "../../schemas/gateway-api");
  const files = readdirSync(schemas).filter((file) => file.endsWith(".schema.json"));
  const messages = new Set(files.flatMap((file) => messagesOf(JSON.parse(readFileSync(join(schemas, file), "utf8")))));
  expect(messages.size).toBeGreaterThan(70);
  const missing = [...messages].filter((message) => !texts.includes(message) && !EXEMPT.includes(message));
  expect(missing).toEqual([]);
});

/** Told in other words, since a plainer keyword of the schema finds the same first; the last only by an update. */
const EXEMPT: readonly string[] = [
  "caCertificateRefs and wellKnownCACertificates exclude each other",
  "percent and fraction exclude each other",
  "two listeners have the same name",
  "two entries have the same port",
  "a host name has letters, digits, - and .",
  "* is the whole first label of a host name",
  "controllerName cannot be changed",
];

function messagesOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const rules = (schema as { readonly "x-kubernetes-validations"?: readonly { readonly message: string }[] })[
    "x-kubernetes-validations"
  ];
  return [...(rules ?? []).map(({ message }) => message), ...Object.values(schema).flatMap(messagesOf)];
}
