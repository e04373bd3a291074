import { absentFrom } from "../../base/absent-extensions.ts";
import { MeshError } from "../../base/errors.ts";
import { isObject, type Loose, type MessageField, messageField, messageFields } from "./message.ts";

/** Types whose JSON form is not an object of their fields. */
const PLAIN = /^google\.protobuf\.(Duration|Timestamp|FieldMask|Struct|Value|ListValue|Empty|\w+Value)$/;
const ANY = "google.protobuf.Any";
const TYPED_STRUCT = "xds.type.v3.TypedStruct";
const TYPED_STRUCTS: readonly string[] = [TYPED_STRUCT, "udpa.type.v1.TypedStruct"];
const PREFIX = "type.googleapis.com/";

/**
 * A user's Envoy object in the form we encode: fields by their original names, nulls left out, and every Any of a type that
 * we do not know as a TypedStruct, which Envoy turns into the message itself. Throws MeshError for a field that is not known.
 */
export function normalized(type: string, value: unknown, path = ""): unknown {
  if (type === ANY) return normalizedAny(value, path);
  if (PLAIN.test(type)) return value;
  if (!isObject(value)) throw new MeshError("envoy-filter", `${path || type}: expected an object`);
  const fields = messageFields(type);
  if (fields === undefined) return value;
  const made: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    if (part === null || key === "@type") continue;
    const field = messageField(type, key) ?? messageField(type, snakeCase(key));
    if (field === undefined) throw new MeshError("envoy-filter", `${path}.${key}: unknown field of ${type}`);
    made[field.name] = fieldValue(field, part, `${path}.${key}`);
  }
  return made;
}

function fieldValue(field: MessageField, part: unknown, path: string): unknown {
  if (field.isMap) {
    if (!isObject(part)) throw new MeshError("envoy-filter", `${path}: expected an object`);
    if (!field.isMessage) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, item]) => [key, normalized(field.type, item, `${path}.${key}`)]),
    );
  }
  if (field.repeated) {
    const items: readonly unknown[] = Array.isArray(part) ? part : [part];
    return field.isMessage ? items.map((item, index) => normalized(field.type, item, `${path}[${index}]`)) : items;
  }
  return field.isMessage ? normalized(field.type, part, path) : part;
}

function normalizedAny(value: unknown, path: string): unknown {
  if (!isObject(value)) throw new MeshError("envoy-filter", `${path}: expected an object with @type`);
  const url = value["@type"];
  if (typeof url !== "string") throw new MeshError("envoy-filter", `${path}: expected a type URL in "@type"`);
  const type = nameOf(url);
  const { "@type": _, ...rest } = value;
  if (TYPED_STRUCTS.includes(type)) return fromTypedStruct(rest, path);
  if (messageFields(type) === undefined) return asTypedStruct(url, rest, path);
  return { "@type": PREFIX + type, ...(normalized(type, rest, path) as Loose) };
}

/** The message itself where we know its type: then it can be merged. */
function fromTypedStruct(rest: Loose, path: string): unknown {
  const url = rest["type_url"] ?? rest["typeUrl"];
  if (typeof url !== "string") throw new MeshError("envoy-filter", `${path}: expected type_url`);
  const value = isObject(rest["value"]) ? rest["value"] : {};
  const type = nameOf(url);
  if (messageFields(type) === undefined) return asTypedStruct(url, value, path);
  return { "@type": PREFIX + type, ...(normalized(type, value, path) as Loose) };
}

/** Envoy would refuse the whole resource for an extension that it does not have. */
function asTypedStruct(url: string, value: Loose, path: string): unknown {
  const build = absentFrom(url);
  if (build !== undefined)
    throw new MeshError("envoy-filter", `${path}: this proxy's Envoy has no ${nameOf(url)}, which is of ${build}`);
  return { "@type": PREFIX + TYPED_STRUCT, type_url: url, value };
}

/** The message name in a type URL. */
function nameOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
