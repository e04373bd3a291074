import { posix } from "node:path";
import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { schemaFiles } from "../gen/explain-index.ts";

/** A JSON Schema of schemas/, as far as it is explained. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly deprecated?: boolean;
  readonly "x-expected"?: string;
  readonly "x-status"?: Schema;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly [limit: string]: unknown;
}

/** A schema with the file it stands in, so that its references can be followed. */
export interface Place {
  readonly file: string;
  readonly schema: Schema;
}

/** Schemas by file. */
export type Files = ReadonlyMap<string, Schema>;

/** A schema file and those it refers to. */
export async function loadSchemas(file: string, files: Map<string, Schema> = new Map()): Promise<Files> {
  if (files.has(file)) return files;
  const schema = (await schemaFiles[file]?.()) as Schema | undefined;
  if (schema === undefined) throw new Error(`no schema ${file}`);
  files.set(file, schema);
  for (const other of referredFiles(schema)) await loadSchemas(posix.join(posix.dirname(file), other), files);
  return files;
}

function referredFiles(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = (value as Schema).$ref;
  const file = typeof own === "string" ? (own.split("#")[0] ?? "") : "";
  return [...(file === "" ? [] : [file]), ...Object.values(value).flatMap(referredFiles)];
}

/** What a place comes to when its reference is followed: words beside a reference win over those it names. */
export function resolved(files: Files, { file, schema }: Place): Place {
  if (schema.$ref === undefined) return { file, schema };
  const [other = "", pointer = ""] = schema.$ref.split("#");
  const target = other === "" ? file : posix.join(posix.dirname(file), other);
  const root = files.get(target) ?? {};
  const named = pointer === "" ? root : (root.$defs?.[pointer.replace("/$defs/", "")] ?? {});
  const { $ref: _, ...own } = schema;
  const { file: place, schema: found } = resolved(files, { file: target, schema: named });
  return { file: place, schema: { ...found, ...own } };
}

/** The name of the definition that a place names, or a JSON type; `[]T` for lists, `map of T`. */
export function typeText(files: Files, place: Place): string {
  const name = /#\/\$defs\/(\w+)$/.exec(place.schema.$ref ?? "")?.[1];
  const { file, schema } = resolved(files, place);
  if (schema["x-kubernetes-int-or-string"] === true) return "integer or string";
  if (schema.items !== undefined) return `[]${typeText(files, { file, schema: schema.items })}`;
  if (typeof schema.additionalProperties === "object")
    return `map of ${typeText(files, { file, schema: schema.additionalProperties })}`;
  if (schema.properties !== undefined) return name ?? "object";
  return schema.type ?? "any";
}

/** The fields of a place: of its items where it is a list, of its values where it is a map. */
export function fieldsOf(files: Files, place: Place): Place | undefined {
  const { file, schema } = resolved(files, place);
  if (schema.properties !== undefined) return { file, schema };
  const below =
    schema.items ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
  return below === undefined ? undefined : fieldsOf(files, { file, schema: below });
}

/** A field with where it was found. */
export interface Found extends Place {
  readonly required: boolean;
}

/**
 * Follows field names from a place. Throws UsageError for a name that is not there, with the nearest one or those that are.
 * `said` is what has been followed so far, for messages.
 */
export function follow(files: Files, start: Place, steps: readonly string[], said: string): Found {
  let found: Found = { ...start, required: false };
  let path = said;
  for (const step of steps) {
    const holder = fieldsOf(files, found);
    const fields = holder?.schema.properties ?? {};
    const next = Object.hasOwn(fields, step) ? fields[step] : undefined;
    if (holder === undefined || next === undefined) throw unknownField(path, step, holder);
    found = { file: holder.file, schema: next, required: holder.schema.required?.includes(step) === true };
    path = `${path}.${step}`;
  }
  return found;
}

function unknownField(path: string, step: string, holder: Place | undefined): UsageError {
  const names = Object.keys(holder?.schema.properties ?? {});
  if (names.length === 0) return new UsageError(`${path} has no fields`);
  const close = nearest(step, names);
  const hint = close === undefined ? `Fields here: ${names.join(", ")}.` : `Did you mean ${path}.${close}?`;
  return new UsageError(`${path} has no field ${step}`, hint);
}
