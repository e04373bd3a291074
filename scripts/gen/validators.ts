import { Ajv } from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import type { JsonSchema } from "./schema-source.ts";
import { resolveRef, type SchemaSource, validatedOf } from "./schema-source.ts";
import { definitionName } from "./types.ts";

const HEADER = "// Generated from schemas/ by `npm run gen`. Do not edit.\n";

/**
 * Validators that need no compiling at run time (ajv takes 80 ms and more per schema): one file per kind or configuration, an index, and
 * the shapes that messages are made from. Error records carry keyword, path and parameters; src/validation/ has the words.
 */
export function generateValidators(sources: readonly SchemaSource[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const kinds = validatedOf(sources);
  for (const kind of kinds) files.set(`src/gen/validators/${kind.name}.ts`, validatorFile(sources, kind));
  files.set("src/gen/validators/index.ts", indexFile(kinds));
  files.set("src/gen/validators/shapes.ts", shapesFile(sources));
  return files;
}

function validatorFile(sources: readonly SchemaSource[], kind: SchemaSource): string {
  const ajv = new Ajv({
    code: { source: true, esm: true },
    allErrors: true,
    messages: false,
    inlineRefs: false,
    unicodeRegExp: false,
    // length limits count UTF-16 units: near enough, and no helper is needed at run time
    unicode: false,
    // its only line is that the option above is deprecated
    logger: false,
  });
  for (const source of sources) ajv.addSchema(bare(source.schema) as object);
  const validate = ajv.getSchema(kind.file);
  if (validate === undefined) throw new Error(`${kind.file}: no validator`);
  // the package is CommonJS: under nodenext its default export is the module
  const make = standaloneCode as unknown as (ajv: Ajv, validate: unknown) => string;
  const code = make(ajv, validate)
    .replace('"use strict";', "")
    .replace(/export default \w+;/, "");
  if (code.includes("require(")) throw new Error(`${kind.file}: the validator needs a run-time helper`);
  return `${HEADER}// @ts-nocheck\n${code.replaceAll("function validate", "\nfunction validate").trim()}\n`;
}

/** The schema with nothing that is for readers alone. */
function bare(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bare);
  if (typeof schema !== "object" || schema === null) return schema;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    const words = ["description", "title", "deprecated"].includes(key) && typeof value !== "object";
    if (!words && !key.startsWith("x-")) out[key] = bare(value);
  }
  return out;
}

function indexFile(kinds: readonly SchemaSource[]): string {
  const imports = kinds.map((kind) => `import { validate as ${kind.title} } from "./${kind.name}.ts";\n`);
  return `${HEADER}${imports.join("")}
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

/** Validators of specs by kind; MeshConfig for the mesh configuration. */
export const specValidators = {
${kinds.map((kind) => `  ${kind.title},\n`).join("")}} as unknown as Readonly<Record<string, SpecValidator>>;
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
        ([field, property]) => `${field}: ${JSON.stringify(shapeOf(sources, source, property))}`,
      );
      const old = Object.entries(schema.properties).flatMap(([field, property]) =>
        property.deprecated === true ? [`${field}: ${JSON.stringify(property.description)}`] : [],
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
