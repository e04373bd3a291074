import { Ajv } from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import { addKeywords } from "./ajv-keywords.ts";
import { definitionName, propertyKey, flatName } from "./names.ts";
import { type JsonSchema, resolveRef, type SchemaSource, validatedOf } from "./schema-source.ts";

const HEADER = "// Generated from schemas/ by `npm run gen`. Do not edit.\n";

/**
 * Validators that need no compiling at run time (ajv takes 80 ms and more per schema): one file for all kinds and configurations, so
 * that what they share is there once, one for each that is marked `x-lazy`, and the shapes that messages are made from.
 * Error records carry keyword, path and parameters; src/validation/ has the words.
 */
export function generateValidators(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const all = validatedOf(sources);
  const eager = all.filter(({ schema }) => schema["x-lazy"] !== true);
  for (const lazy of all.filter(({ schema }) => schema["x-lazy"] === true))
    files.set(`src/gen/validators/${flatName(lazy)}.ts`, validatorFile(sources, [lazy]));
  files.set("src/gen/validators/specs.ts", validatorFile(sources, eager));
  files.set("src/gen/validators/index.ts", indexFile());
  files.set("src/gen/validators/shapes.ts", shapesFile(sources));
  return files;
}

function validatorFile(sources: readonly SchemaSource[], exported: readonly SchemaSource[]): string {
  const ajv = new Ajv({
    code: { source: true, esm: true },
    allErrors: true,
    messages: false,
    inlineRefs: false,
    unicodeRegExp: false,
    allowUnionTypes: true,
    // length limits count UTF-16 units: near enough, and no helper is needed at run time
    unicode: false,
    // its only line is that the option above is deprecated
    logger: false,
  });
  addKeywords(ajv);
  for (const source of sources) ajv.addSchema(bare(source.schema) as object);
  // the package is CommonJS: under nodenext its default export is the module
  const make = standaloneCode as unknown as (ajv: Ajv, names: Readonly<Record<string, string>>) => string;
  const code = make(ajv, Object.fromEntries(exported.map(({ title, file }) => [title, file])));
  if (code.includes("require(")) throw new Error("a validator needs a run-time helper");
  return `${HEADER}// @ts-nocheck\n${STEP}${compact(code.replace('"use strict";', ""))}\n`;
}

/**
 * Ajv's code without what nobody reads here: copies of schemas, schema paths, and parents of values; each error in one expression. Half
 * the size, and a call makes no object. The forms are ajv's own; what is not as expected fails the generator.
 */
function compact(code: string): string {
  const short = code
    .replaceAll(
      /if\(vErrors === null\)\{vErrors = \[(err\d+)\];\}else \{vErrors\.push\(\1\);\}errors\+\+;/g,
      "(vErrors ??= []).push($1);",
    )
    .replaceAll(
      /const (err\d+) = (\{instancePath.*?\}\});\(vErrors \?\?= \[\]\)\.push\(\1\);/g,
      "(vErrors ??= []).push($2);",
    )
    .replaceAll(/,schemaPath:"[^"]*"/g, "")
    .replaceAll('{instancePath="", parentData, parentDataProperty, rootData=data}={}', 'instancePath=""')
    .replaceAll(
      /, \{instancePath:?(.*?),parentData:[^{}]*?,rootData\}\)/g,
      (_all, path: string) => `, ${path === "" ? "instancePath" : path})`,
    )
    .replaceAll(
      /if\(!\((validate\d+)\((.*?)\)\)\)\{vErrors = vErrors === null \? \1\.errors : vErrors\.concat\(\1\.errors\);errors = vErrors\.length;\}/g,
      "if (!$1($2)) (vErrors ??= []).push(...$1.errors);",
    )
    .replaceAll("let errors = 0;", "")
    .replaceAll(/\/\*# sourceURL=.*?\*\/;/g, "")
    .replaceAll(/(key\d+)\.replace\(\/~\/g, "~0"\)\.replace\(\/\\\/\/g, "~1"\)/g, "step($1)")
    .replaceAll("return errors === 0;", "return vErrors === null;")
    .replaceAll(/function validate/g, "\nfunction validate");
  const schemas = new Map<string, unknown>();
  const bare = short.replaceAll(/const (schema\d+) = (\{.*?\});(?=const|\n)/g, (_all, name: string, text: string) => {
    schemas.set(name, JSON.parse(text));
    return "";
  });
  const sets = new Map<string, string>();
  const lean = bare
    .replaceAll(/func\d+\.call\((schema\d+)([^,]*), (key\d+)\)/g, (_all, name: string, path: string, key: string) => {
      const fields = JSON.stringify(Object.keys(valueOf(schemas, name, path) as object));
      if (!sets.has(fields)) sets.set(fields, `fields${sets.size}`);
      return `${sets.get(fields) ?? ""}.has(${key})`;
    })
    .replaceAll(/(schema\d+)((?:\.\w+|\["[^"]+"\])+)/g, (_all, name: string, path: string) =>
      JSON.stringify(valueOf(schemas, name, path)),
    )
    .replaceAll(/const func\d+ = Object\.prototype\.hasOwnProperty;/g, "");
  for (const rest of ["schemaPath", "parentData", "rootData", "errors++", "vErrors.length", "schema", "hasOwn"])
    if (lean.includes(rest)) throw new Error(`the code of ajv has another form: ${rest} near ${around(lean, rest)}`);
  const names = [...sets].map(([fields, name]) => `const ${name} = new Set(${fields});\n`);
  return `${names.join("")}${lean.trim()}`;
}

/** What stands at a path of ajv's copy of a schema, e.g. `.properties.mode.enum`. */
function valueOf(schemas: ReadonlyMap<string, unknown>, name: string, path: string): unknown {
  const steps = [...path.matchAll(/\.(\w+)|\["([^"]+)"\]/g)].map(([, plain, quoted]) => plain ?? quoted ?? "");
  return steps.reduce((at: unknown, step) => (at as Readonly<Record<string, unknown>>)[step], schemas.get(name));
}

/** A key as a step of a JSON pointer. */
const STEP = `const step = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");\n`;

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 200), at + 200);
}

/** Words that ajv takes; those of readers and of the API server alone are left out. */
const FOR_AJV: readonly string[] = ["x-one-of", "x-kubernetes-list-map-keys", "x-kubernetes-list-type"];

/** The schema with nothing that is for readers or the API server alone. */
function bare(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bare);
  if (typeof schema !== "object" || schema === null) return schema;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" || key === "$defs") out[key] = mapped(value as Readonly<Record<string, unknown>>);
    else if (FOR_AJV.includes(key) || !(NOT_FOR_AJV.includes(key) || key.startsWith("x-"))) out[key] = bare(value);
  }
  return Object.assign(out, numberRange(schema as JsonSchema));
}

const NOT_FOR_AJV: readonly string[] = ["title", "description", "deprecated", "default", "format"];

function mapped(schemas: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, bare(schema)]));
}

/** What the API server makes of formats and of integers or strings. */
function numberRange(schema: JsonSchema): Readonly<Record<string, unknown>> {
  if (schema["x-kubernetes-int-or-string"] === true) return { type: ["integer", "string"] };
  if (schema.format !== "int32") return {};
  return { minimum: schema.minimum ?? -(2 ** 31), maximum: schema.maximum ?? 2 ** 31 - 1 };
}

function indexFile(): string {
  return `${HEADER}import * as specs from "./specs.ts";

/** One thing a spec does not hold to. \`instancePath\` is a JSON pointer into the spec. */
export interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** True when the spec holds to its schema; otherwise \`errors\` of the function lists everything that does not. */
export interface SpecValidator {
  (spec: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Validators of specs by our name of the kind; MeshConfig for the mesh configuration. */
export const specValidators = specs as unknown as Readonly<Record<string, SpecValidator>>;
`;
}

/**
 * Field types by definition, in a short form: \`T\`, \`[]T\` (list) and \`{}T\` (map), T a definition or a JSON type. Messages
 * find field names for typos here, and what was expected where a pattern or a count fails.
 */
function shapesFile(sources: readonly SchemaSource[]): string {
  const shapes: string[] = [];
  const expected: string[] = [];
  const deprecated: string[] = [];
  for (const source of sources) {
    const definitions = Object.entries(source.schema.$defs ?? {}).map(
      ([name, schema]) => [definitionName(source, name), schema] as const,
    );
    if (source.schema.type !== undefined) definitions.push([source.title, source.schema]);
    for (const [name, schema] of definitions) {
      if (schema["x-expected"] !== undefined) expected.push(`  ${name}: ${JSON.stringify(schema["x-expected"])},\n`);
      if (schema.properties === undefined) continue;
      const fields = Object.entries(schema.properties).map(
        ([field, property]) => `${propertyKey(field)}: ${JSON.stringify(shapeOf(sources, source, property))}`,
      );
      const old = Object.entries(schema.properties).flatMap(([field, property]) =>
        property.deprecated === true ? [`${propertyKey(field)}: ${JSON.stringify(property.description)}`] : [],
      );
      if (old.length > 0) deprecated.push(`  ${name}: { ${old.join(", ")} },\n`);
      shapes.push(`  ${name}: { ${fields.join(", ")} },\n`);
    }
  }
  return `${HEADER}
/** Field types by definition: \`T\`, \`[]T\` (list) or \`{}T\` (map); T is a definition or a JSON type. */
export const shapes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${shapes.join("")}};

/** What a value of a definition has to be, in words, where the schema has a pattern or a count. */
export const expectedWords: Readonly<Record<string, string>> = {
${expected.join("")}};

/** Deprecated fields by definition, with what the schema says of them. */
export const deprecatedFields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${deprecated.join("")}};
`;
}

function shapeOf(sources: readonly SchemaSource[], source: SchemaSource, schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const target = resolveRef(sources, source, schema.$ref);
    const aliased = target.schema.properties === undefined && target.schema["x-expected"] === undefined;
    return aliased ? shapeOf(sources, target.source, target.schema) : definitionName(target.source, target.definition);
  }
  if (schema.type === "array") return `[]${shapeOf(sources, source, schema.items ?? {})}`;
  if (typeof schema.additionalProperties === "object")
    return `{}${shapeOf(sources, source, schema.additionalProperties)}`;
  return schema.type ?? "any";
}
