import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A JSON Schema as far as the sources in schemas/ use it; `x-` words are ours. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly nullable?: boolean;
  readonly deprecated?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly "x-kind"?: KindHeader;
  /** A configuration that is no kind of the API, with a validator all the same. */
  readonly "x-config"?: boolean;
  /** What a message says was expected where a pattern or a count fails. */
  readonly "x-expected"?: string;
}

/** What a schema says of its kind at the API server. The first version is the one that is stored. */
export interface KindHeader {
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly versions: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly path: string;
    readonly description: string;
  }[];
}

/** One file of schemas/. `name` is the file's, e.g. `virtual-service`; `title` names its types. */
export interface SchemaSource {
  readonly file: string;
  readonly name: string;
  readonly title: string;
  readonly schema: JsonSchema;
}

/** All schema files, sorted by name. */
export function readSchemas(root: string): readonly SchemaSource[] {
  const folder = join(root, "schemas");
  const files = readdirSync(folder).filter((file) => file.endsWith(".schema.json"));
  return files.sort().map((file) => {
    const schema = JSON.parse(readFileSync(join(folder, file), "utf8")) as JsonSchema;
    if (schema.$id !== file || schema.title === undefined)
      throw new Error(`${file}: $id must be the file name, title is needed`);
    return { file, name: basename(file, ".schema.json"), title: schema.title, schema };
  });
}

/** The schemas that are kinds of the API, with their header. */
export function kindsOf(sources: readonly SchemaSource[]): readonly (SchemaSource & { readonly header: KindHeader })[] {
  return sources.flatMap((source) => {
    const header = source.schema["x-kind"];
    return header === undefined ? [] : [{ ...source, header }];
  });
}

/** Finds what a `$ref` in `from` names: a definition in the same file (`#/$defs/X`) or in another (`file#/$defs/X`). */
export function resolveRef(sources: readonly SchemaSource[], from: SchemaSource, ref: string): ResolvedRef {
  const [file = "", pointer = ""] = ref.split("#");
  const source = file === "" ? from : sources.find((candidate) => candidate.file === file);
  const definition = pointer.replace("/$defs/", "");
  const schema = source?.schema.$defs?.[definition];
  if (source === undefined || schema === undefined) throw new Error(`${from.file}: nothing at ${ref}`);
  return { source, definition, schema };
}

export interface ResolvedRef {
  readonly source: SchemaSource;
  readonly definition: string;
  readonly schema: JsonSchema;
}

/** The schemas that get a validator: kinds, and configurations that are none. */
export function validatedOf(sources: readonly SchemaSource[]): readonly SchemaSource[] {
  return sources.filter(({ schema }) => schema["x-kind"] !== undefined || schema["x-config"] === true);
}
