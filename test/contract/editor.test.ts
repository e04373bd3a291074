import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { expect, test } from "vitest";
import { gatewayApiKinds, meshKinds } from "../../src/gen/mesh-kinds.ts";
import { readManifests } from "../../src/resources/manifests.ts";

/** The schemas that editors are pointed at take what the mesh takes, and mark what it refuses. */
const root = join(import.meta.dirname, "../..");
const folder = join(root, "schemas/editor");
const files = readdirSync(folder);
const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false });
for (const file of files) ajv.addSchema({ ...(read(join(folder, file)) as object), $id: file });

function read(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

function validator(file: string): ValidateFunction {
  const validate = ajv.getSchema(file);
  if (validate === undefined) throw new Error(`no editor schema ${file}`);
  return validate;
}

const examples = read(join(root, "schemas/examples.json")) as Readonly<
  Record<string, Readonly<Record<string, unknown>>>
>;
const objects = Object.entries(examples).filter(([, example]) => example["apiVersion"] !== undefined);

test("there is one for every kind, every configuration, and one that picks", () => {
  expect(files).toHaveLength(Object.keys({ ...meshKinds, ...gatewayApiKinds }).length + 5);
});

test.each(objects)("%s: its example is valid, and is not with a typo", (_name, example) => {
  const all = validator("all.json");
  expect(all(example), JSON.stringify(all.errors)).toBe(true);
  expect(all({ ...example, spec: { ...(example["spec"] as object), typo: 1 } })).toBe(false);
  expect(all({ ...example, sepc: {} })).toBe(false);
});

test.each([
  ["mesh-config.json", "MeshConfig"],
  ["mesh-networks.json", "MeshNetworks"],
  ["mesh-proxy-config.json", "MeshProxyConfig"],
])("%s takes the example of %s, and no typo", (file, name) => {
  expect(validator(file)(examples[name])).toBe(true);
  expect(validator(file)({ ...examples[name], typo: 1 })).toBe(false);
});

test("objects of others are left alone", () => {
  expect(validator("all.json")({ apiVersion: "apps/v1", kind: "Deployment", anything: 1 })).toBe(true);
});

test("samples, and cases of Gateway API: the same verdict as ours wherever JSON Schema can give it", () => {
  const cases = join(root, "test/validation/gateway-api");
  for (const file of readdirSync(cases).filter((name) => /^(valid|refused)-.*\.yaml$/.test(name))) {
    const [only] = readManifests([{ file, text: readFileSync(join(cases, file), "utf8") }]).objects;
    // two entries of a list with the same key are beyond draft-07
    const valid = file.startsWith("valid-") || file.startsWith("refused-duplicate-");
    expect(validator("all.json")(only?.object), file).toBe(valid);
  }
  const samples = join(root, "samples");
  for (const entry of readdirSync(samples, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".yaml"),
  ))
    for (const { object } of readManifests([{ file: entry, text: readFileSync(join(samples, entry), "utf8") }]).objects)
      expect(validator("all.json")(object), `${entry} ${object.metadata.name}`).toBe(true);
});

test("the guide names schemas that are there, and the package carries them", () => {
  const guide = readFileSync(join(root, "docs/guides/editor.md"), "utf8");
  const named = [...guide.matchAll(/schemas\/editor\/([\w-]+\.json)/g)].map(([, file = ""]) => file);
  expect(named.length).toBeGreaterThan(2);
  for (const file of named) expect(existsSync(join(folder, file)), file).toBe(true);
  expect((read(join(root, "package.json")) as { files: string[] }).files).toContain("schemas");
});
