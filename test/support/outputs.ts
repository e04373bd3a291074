import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { fakeIo } from "./fake-io.ts";

/** Schemas of what commands print (design D15). */
export const SCHEMAS = join(import.meta.dirname, "../../schemas/output");
const ajv = new Ajv({ strict: false, unicodeRegExp: false });
for (const file of readdirSync(SCHEMAS)) ajv.addSchema(JSON.parse(readFileSync(join(SCHEMAS, file), "utf8")) as object);

/** Whether data holds to the schema of a command. */
export function schemaOf(name: string): NonNullable<ReturnType<typeof ajv.getSchema>> {
  const validate = ajv.getSchema(`output/${name}.schema.json`);
  if (validate === undefined) throw new Error(`no schema for ${name}`);
  return validate;
}

/** Expects that it does. */
export function expectValid(name: string, data: unknown): void {
  const validate = schemaOf(name);
  expect(validate(data), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
}

/** Runs a command line; its data as JSON and as YAML are the same. */
export async function dataOf(line: string, options: Parameters<typeof fakeIo>[0] = {}): Promise<unknown> {
  const [json, yaml] = [fakeIo(options), fakeIo(options)];
  for (const [format, io] of [
    ["json", json],
    ["yaml", yaml],
  ] as const) {
    const parsed = parse([...line.split(" "), "-o", format]);
    if (parsed.type !== "run") throw new Error(`${line} is not run`);
    await (await parsed.spec.load())(parsed.input, io);
  }
  expect(json.stdout(), json.stderr()).not.toBe("");
  const data = JSON.parse(json.stdout()) as unknown;
  expect(parseYaml(yaml.stdout())).toEqual(data);
  return data;
}
