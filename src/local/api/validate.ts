import type { JsonObject } from "./json.ts";
import { equal, isObject } from "./json.ts";
import type { Schema } from "./schema.ts";
import { fieldSchema, itemSchema, resolve } from "./schema.ts";
import type { Cause } from "./status.ts";

/** A cause of reason FieldValueInvalid, worded as the API server words it. */
export function invalidValue(field: string, value: unknown, why: string): Cause {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${JSON.stringify(value) ?? "null"}: ${why}` };
}

/** A cause for a field that must be there. */
export function requiredValue(field: string, why = ""): Cause {
  return { reason: "FieldValueRequired", field, message: why === "" ? "Required value" : `Required value: ${why}` };
}

const typeNames: Readonly<Record<string, string>> = { object: "object", array: "array", string: "string" };

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function typeFits(value: unknown, schema: Schema): boolean {
  if (schema["x-kubernetes-int-or-string"] === true) return typeof value === "string" || Number.isInteger(value);
  if (schema.type === undefined) return true;
  const actual = typeOf(value);
  return actual === schema.type || (schema.type === "number" && actual === "integer");
}

/**
 * Checks a value against a structural schema; everything OpenAPI v3 has in CRDs but CEL rules. Returns what is wrong by
 * field, empty when nothing is.
 */
export function validate(value: unknown, schema: Schema | undefined, path = ""): Cause[] {
  const resolved = resolve(schema);
  if (resolved === undefined || (value === null && resolved.nullable === true)) return [];
  const field = path === "" ? "<nil>" : path;
  if (!typeFits(value, resolved)) {
    const wanted = resolved.type ?? "integer or string";
    const why = `${field} in body must be of type ${wanted}: ${JSON.stringify(typeNames[typeOf(value)] ?? typeOf(value))}`;
    return [
      { reason: "FieldValueTypeInvalid", field, message: `Invalid value: ${JSON.stringify(typeOf(value))}: ${why}` },
    ];
  }
  return [
    ...enumCauses(value, resolved, field),
    ...ownCauses(value, resolved, path),
    ...combinedCauses(value, resolved, path),
  ];
}

/** What the value's own type can break. */
function ownCauses(value: unknown, schema: Schema, path: string): Cause[] {
  const field = path === "" ? "<nil>" : path;
  if (typeof value === "string") return stringCauses(value, schema, field);
  if (typeof value === "number") return numberCauses(value, schema, field);
  if (Array.isArray(value)) return arrayCauses(value as unknown[], schema, path);
  return isObject(value) ? objectCauses(value, schema, path) : [];
}

function enumCauses(value: unknown, schema: Schema, field: string): Cause[] {
  if (schema.enum === undefined || schema.enum.some((item) => equal(item, value))) return [];
  const supported = schema.enum.map((item) => JSON.stringify(item)).join(", ");
  return [
    {
      reason: "FieldValueNotSupported",
      field,
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`,
    },
  ];
}

const patterns = new Map<string, RegExp | undefined>();

function patternOf(text: string): RegExp | undefined {
  if (!patterns.has(text)) {
    try {
      patterns.set(text, new RegExp(text, "u"));
    } catch {
      // A pattern of Go's dialect that JavaScript does not read cannot be checked here.
      patterns.set(text, undefined);
    }
  }
  return patterns.get(text);
}

const formats: Readonly<Record<string, RegExp>> = {
  "date-time": /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  byte: /^[A-Za-z0-9+/\s]*={0,2}\s*$/,
  duration: /^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w)\s*)+$/,
};

function stringCauses(value: string, schema: Schema, field: string): Cause[] {
  const causes: Cause[] = [];
  const length = Array.from(value).length;
  if (schema.minLength !== undefined && length < schema.minLength) {
    causes.push(invalidValue(field, value, `${field} in body should be at least ${schema.minLength} chars long`));
  }
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    causes.push({
      reason: "FieldValueTooLong",
      field,
      message: `Too long: may not be more than ${schema.maxLength} bytes`,
    });
  }
  if (schema.pattern !== undefined && patternOf(schema.pattern)?.test(value) === false) {
    causes.push(invalidValue(field, value, `${field} in body should match '${schema.pattern}'`));
  }
  const format = schema.format === undefined ? undefined : formats[schema.format];
  if (format !== undefined && !format.test(value)) {
    causes.push(
      invalidValue(field, value, `${field} in body must be of type ${schema.format}: ${JSON.stringify(value)}`),
    );
  }
  return causes;
}

function numberCauses(value: number, schema: Schema, field: string): Cause[] {
  const { minimum, maximum, multipleOf } = schema;
  const causes: Cause[] = [];
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    const than = schema.exclusiveMinimum === true ? "greater than" : "greater than or equal to";
    causes.push(invalidValue(field, value, `${field} in body should be ${than} ${minimum}`));
  }
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    const than = schema.exclusiveMaximum === true ? "less than" : "less than or equal to";
    causes.push(invalidValue(field, value, `${field} in body should be ${than} ${maximum}`));
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) {
    causes.push(invalidValue(field, value, `${field} in body should be a multiple of ${multipleOf}`));
  }
  return causes;
}

function arrayCauses(value: readonly unknown[], schema: Schema, path: string): Cause[] {
  const field = path === "" ? "<nil>" : path;
  const causes: Cause[] = [];
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    causes.push(invalidValue(field, value.length, `${field} in body should have at least ${schema.minItems} items`));
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    causes.push({
      reason: "FieldValueTooMany",
      field,
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
    });
  }
  const items = itemSchema(schema);
  value.forEach((item, index) => causes.push(...validate(item, items, `${path}[${index}]`)));
  return [...causes, ...duplicateCauses(value, schema, path)];
}

function duplicateCauses(value: readonly unknown[], schema: Schema, path: string): Cause[] {
  const kind = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (kind !== "set" && (kind !== "map" || keys.length === 0)) return [];
  const items = itemSchema(schema);
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const identity = isObject(item) ? keys.map((key) => item[key] ?? fieldSchema(items, key)?.default) : item;
    const text = JSON.stringify(kind === "map" ? identity : item);
    if (!seen.has(text)) {
      seen.add(text);
      return [];
    }
    const message = `Duplicate value: ${JSON.stringify(item)}`;
    return [{ reason: "FieldValueDuplicate", field: `${path}[${index}]`, message }];
  });
}

function objectCauses(value: JsonObject, schema: Schema, path: string): Cause[] {
  const causes: Cause[] = [];
  for (const key of schema.required ?? []) {
    if (value[key] === undefined) causes.push(requiredValue(path === "" ? key : `${path}.${key}`));
  }
  const count = Object.keys(value).length;
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    causes.push(invalidValue(path, count, `${path} in body should have at least ${schema.minProperties} properties`));
  }
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    causes.push(invalidValue(path, count, `${path} in body should have at most ${schema.maxProperties} properties`));
  }
  for (const [key, item] of Object.entries(value)) {
    causes.push(...validate(item, fieldSchema(schema, key), path === "" ? key : `${path}.${key}`));
  }
  return causes;
}

function combinedCauses(value: unknown, schema: Schema, path: string): Cause[] {
  const field = path === "" ? "<nil>" : path;
  const fits = (option: Schema): boolean => validate(value, option, path).length === 0;
  const causes = (schema.allOf ?? []).flatMap((option) => validate(value, option, path));
  if (schema.anyOf !== undefined && !schema.anyOf.some(fits)) {
    causes.push(invalidValue(field, value, `${field} in body must validate at least one schema (anyOf)`));
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter(fits).length !== 1) {
    causes.push(invalidValue(field, value, `${field} in body must validate one and only one schema (oneOf)`));
  }
  if (schema.not !== undefined && fits(schema.not)) {
    causes.push(invalidValue(field, value, `${field} in body must not validate the schema (not)`));
  }
  return causes;
}

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** True for a DNS label of at most 63 characters. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && label.test(text);
}

/** True for a DNS name of at most 253 characters. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && subdomain.test(text);
}

/** The beginning of the API server's words for a name that is none. */
export const NOT_A_SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/** Names, labels and annotations of any object. `names` says which rule the kind's names follow. */
export function validateMeta(
  metadata: { name: string; labels?: unknown; annotations?: unknown },
  names: "label" | "subdomain" | "path",
): Cause[] {
  return [
    ...nameCauses(metadata.name, names),
    ...Object.entries(isObject(metadata.labels) ? metadata.labels : {}).flatMap(([key, value]) => [
      ...keyCauses(key, "metadata.labels"),
      ...labelValueCauses(value),
    ]),
    ...Object.keys(isObject(metadata.annotations) ? metadata.annotations : {}).flatMap((key) =>
      keyCauses(key, "metadata.annotations"),
    ),
  ];
}

function nameCauses(name: string, names: "label" | "subdomain" | "path"): Cause[] {
  if (name === "") return [requiredValue("metadata.name", "name or generateName is required")];
  if (names === "path")
    return /[/%]/.test(name) ? [invalidValue("metadata.name", name, "may not contain '/' or '%'")] : [];
  const fits = names === "label" ? isDnsLabel(name) : name.length <= 253 && subdomain.test(name);
  const rule = names === "label" ? "a lowercase RFC 1123 label" : "a lowercase RFC 1123 subdomain";
  const why = `${rule} must consist of lower case alphanumeric characters${names === "label" ? "" : ", '.'"} or '-', and must start and end with an alphanumeric character`;
  return fits ? [] : [invalidValue("metadata.name", name, why)];
}

function keyCauses(key: string, field: string): Cause[] {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const fits =
    name.length <= 63 && qualifiedName.test(name) && (prefix === undefined || subdomain.test(prefix.toLowerCase()));
  return fits ? [] : [invalidValue(field, key, "name part must consist of alphanumeric characters, '-', '_' or '.'")];
}

function labelValueCauses(value: unknown): Cause[] {
  if (typeof value !== "string") return [];
  if (value === "" || (value.length <= 63 && qualifiedName.test(value))) return [];
  return [
    invalidValue(
      "metadata.labels",
      value,
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    ),
  ];
}
