import { Ajv } from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import { addKeywords } from "./ajv-keywords.ts";
import { definitionName, propertyKey, flatName } from "./names.ts";
import { compact } from "./compact-code.ts";
import { RuleTable } from "./rule-table.ts";
import { type CelRule, type JsonSchema, resolveRef, type SchemaSource, validatedOf } from "./schema-source.ts";

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
  const rules = new RuleTable(sources);
  for (const source of sources) ajv.addSchema(bare(rules, source, source.schema) as object);
  const roots = exported.map((source) => [source.title, rootOf(ajv, rules, source)] as const);
  // the package is CommonJS: under nodenext its default export is the module
  const make = standaloneCode as unknown as (ajv: Ajv, names: Readonly<Record<string, string>>) => string;
  const code = make(ajv, Object.fromEntries(roots));
  if (code.includes("require(")) throw new Error("a validator needs a run-time helper");
  const text = compact(code.replace('"use strict";', ""));
  return `${HEADER}// @ts-nocheck\n${rules.preamble(text)}${text}\n`;
}

/** The id of what validates a schema: with rules of the kind alone, a schema around it. */
function rootOf(ajv: Ajv, rules: RuleTable, source: SchemaSource): string {
  const own = source.schema["x-kind"]?.rules;
  if (own === undefined) return source.file;
  const id = `${source.file}.kind`;
  ajv.addSchema({ $id: id, $ref: source.file, [CEL]: rules.names(source, source.schema, own) });
  return id;
}

const CEL = "x-kubernetes-validations";

/** Words that ajv takes; those of readers and of the API server alone are left out. */
const FOR_AJV: readonly string[] = ["x-one-of", "x-kubernetes-list-map-keys", "x-kubernetes-list-type"];

const NOT_FOR_AJV: readonly string[] = ["title", "description", "deprecated", "default", "format"];

/** The schema with nothing that is for readers or the API server alone, and its rules by their names in the table. */
function bare(rules: RuleTable, source: SchemaSource, schema: JsonSchema): unknown {
  const inner = (value: JsonSchema): unknown => bare(rules, source, value);
  const all = (schemas: Readonly<Record<string, JsonSchema>>): unknown =>
    Object.fromEntries(Object.entries(schemas).map(([name, value]) => [name, inner(value)]));
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema) as readonly [string, unknown][]) {
    if (key === "properties" || key === "$defs") out[key] = all(value as Readonly<Record<string, JsonSchema>>);
    else if (key === "items" || (key === "additionalProperties" && typeof value === "object"))
      out[key] = inner(value as JsonSchema);
    else if (key === CEL) Object.assign(out, rules.keyword(source, schema, value as readonly CelRule[]));
    else if (FOR_AJV.includes(key) || !(NOT_FOR_AJV.includes(key) || key.startsWith("x-"))) out[key] = value;
  }
  return Object.assign(out, numberRange(schema));
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
  const patterns = new Map<string, string>();
  for (const source of sources) patternWords(source.schema, patterns);
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

/** What a text has to be, by the pattern it has to match. */
export const patternWords: Readonly<Record<string, string>> = {
${[...patterns].map(([pattern, words]) => `  ${JSON.stringify(pattern)}: ${JSON.stringify(words)},\n`).join("")}};

/** Deprecated fields by definition, with what the schema says of them. */
export const deprecatedFields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
${deprecated.join("")}};
`;
}

/** Collects the words beside patterns, wherever they stand. */
function patternWords(schema: JsonSchema, found: Map<string, string>): void {
  if (schema.pattern !== undefined && schema["x-expected"] !== undefined)
    found.set(schema.pattern, schema["x-expected"]);
  const parts = [schema.items, schema.additionalProperties, ...Object.values(schema.properties ?? {})];
  for (const part of [...parts, ...Object.values(schema.$defs ?? {})])
    if (typeof part === "object") patternWords(part, found);
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
