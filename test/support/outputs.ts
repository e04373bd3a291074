import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { fakeIo } from "./fake-io.ts";
import { expectGolden, expectNoStaleGoldens } from "./golden.ts";

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

/** What people read of these has places, times or sums of files in it, or is not of a mesh. */
const NOT_FROZEN = /^(?:images|ca create|explain|profile|reference|translate|validate|analyze)\b/;

const TABLES = join(import.meta.dirname, "../contract/tables");
const written = new Map<string, Set<string>>();

/** Runs a command line; its data as JSON and as YAML are the same. What people read without `-o` is held to a golden. */
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
  if (!NOT_FROZEN.test(line)) await freeze(line, options);
  return data;
}

/** Holds the text of a command line to the golden of its test case. */
async function freeze(line: string, options: Parameters<typeof fakeIo>[0]): Promise<void> {
  const io = fakeIo(options);
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  await (await parsed.spec.load())(parsed.input, io);
  const { currentTestName = "", testPath = "" } = expect.getState();
  const folder = basename(testPath, ".test.ts");
  const words = `${currentTestName} ${line.replace(/\S*\//g, "")}`;
  const name = `${words.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^-|-$/g, "")}.txt`;
  const names = written.get(folder) ?? new Set();
  written.set(folder, names.add(name));
  expectGolden(join(TABLES, folder, name), io.stdout());
}

/** Goldens of a test file that none of its cases wrote: for its last test. */
export function expectNoStaleTables(): void {
  const folder = basename(expect.getState().testPath ?? "", ".test.ts");
  expectNoStaleGoldens(join(TABLES, folder), written.get(folder) ?? []);
}
