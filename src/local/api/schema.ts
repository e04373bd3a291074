import { kubeSchemasJson } from "../../gen/kube-types.ts";
import { clone, isObject } from "./json.ts";

/** A structural schema: what CRDs carry and what the generated table holds for the built-in kinds. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
}

let table: Readonly<Record<string, Schema>> | undefined;

/** Schemas of the built-in kinds by their published names (`io.k8s.api.core.v1.Pod`). */
export function builtinSchemas(): Readonly<Record<string, Schema>> {
  table ??= JSON.parse(kubeSchemasJson) as Record<string, Schema>;
  return table;
}

/** The published name of ObjectMeta, which every kind shares. */
export const objectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** Follows a reference; what stands beside it (default, merge keys) wins. */
export function resolve(schema: Schema | undefined): Schema | undefined {
  if (schema?.$ref === undefined) return schema;
  const target = builtinSchemas()[schema.$ref];
  const { $ref: _, ...beside } = schema;
  return Object.keys(beside).length === 0 ? target : { ...target, ...beside };
}

/** The schema of a built-in kind. */
export function builtinSchema(group: string, version: string, kind: string): Schema | undefined {
  return Object.values(builtinSchemas()).find((schema) =>
    schema["x-kubernetes-group-version-kind"]?.some(
      (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
    ),
  );
}

/** The schema of a field of an object, or of a value of a map; undefined when nothing is known about it. */
export function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const field = schema?.properties?.[key];
  if (field !== undefined) return resolve(field);
  const values = schema?.additionalProperties;
  return typeof values === "object" ? resolve(values) : undefined;
}

/** The schema of the items of an array. */
export function itemSchema(schema: Schema | undefined): Schema | undefined {
  return resolve(schema?.items);
}

/** True when the schema says which fields an object has, so that others are unknown. */
function isClosed(schema: Schema): boolean {
  return (
    schema.properties !== undefined &&
    (schema.additionalProperties === undefined || schema.additionalProperties === false) &&
    schema["x-kubernetes-preserve-unknown-fields"] !== true
  );
}

/**
 * Drops fields the schema does not know, in place, and returns their paths (`spec.containers[0].imag`). Objects with no
 * listed fields and those marked x-kubernetes-preserve-unknown-fields keep everything.
 */
export function prune(value: unknown, schema: Schema | undefined, path = ""): string[] {
  const resolved = resolve(schema);
  if (resolved === undefined) return [];
  if (Array.isArray(value)) {
    const items = itemSchema(resolved);
    return (value as unknown[]).flatMap((item, index) => prune(item, items, `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  const unknown: string[] = [];
  const closed = isClosed(resolved);
  for (const key of Object.keys(value)) {
    const here = path === "" ? key : `${path}.${key}`;
    const field = fieldSchema(resolved, key);
    const embedded = resolved["x-kubernetes-embedded-resource"] === true && isMetaKey(key);
    if (field !== undefined) unknown.push(...prune(value[key], field, here));
    else if (closed && !embedded) {
      unknown.push(here);
      delete value[key];
    }
  }
  return unknown;
}

function isMetaKey(key: string): boolean {
  return key === "apiVersion" || key === "kind" || key === "metadata";
}

/** Fills in defaults, in place; `null` counts as absent where the schema does not allow it. */
export function applyDefaults(value: unknown, schema: Schema | undefined): void {
  const resolved = resolve(schema);
  if (resolved === undefined) return;
  if (Array.isArray(value)) {
    const items = itemSchema(resolved);
    for (const item of value as unknown[]) applyDefaults(item, items);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, raw] of Object.entries(resolved.properties ?? {})) defaultField(value, key, resolve(raw));
  for (const key of Object.keys(value)) applyDefaults(value[key], fieldSchema(resolved, key));
}

function defaultField(object: Record<string, unknown>, key: string, field: Schema | undefined): void {
  const refusesNull = field?.nullable !== true && (field?.type !== undefined || field?.default !== undefined);
  if (object[key] === null && refusesNull) delete object[key];
  if (object[key] === undefined && field?.default !== undefined) object[key] = clone(field.default);
}
