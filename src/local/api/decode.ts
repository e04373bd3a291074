import type { WriteRequest } from "./core.ts";
import type { JsonObject, Meta, Obj } from "./json.ts";
import { asString, clone, isObject } from "./json.ts";
import type { ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import { applyDefaults, fieldSchema, itemSchema, prune, type Schema } from "./schema.ts";
import type { Cause } from "./status.ts";
import { badRequest } from "./status.ts";
import { validate } from "./validate.ts";

/** Go decodes null into nothing: for the built-in kinds a null field is an absent one. In place. */
function dropNulls(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) dropNulls(item);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (item === null) delete value[key];
    else dropNulls(item);
  }
}

/** Go leaves out empty lists and maps when it writes: what follows (patches of webhooks, mostly) must not find them. In place. */
function dropEmpty(value: unknown, schema: Schema | undefined): void {
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    for (const item of value as unknown[]) dropEmpty(item, items);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const field = fieldSchema(schema, key);
    dropEmpty(item, field);
    // An empty managedFields is an order to forget them.
    if (key !== "managedFields" && isOptional(schema, key) && isEmptyCollection(item, field)) delete value[key];
  }
}

/** What reading and writing an object in Go leaves out: nulls, empty lists and maps. In place; custom resources keep theirs. */
export function dropAbsent(info: ResourceInfo, object: JsonObject): void {
  const isBuiltIn = info.custom === undefined;
  dropNulls(isBuiltIn ? object : object["metadata"]);
  if (isBuiltIn) dropEmpty(object, info.schema);
  else dropEmpty(object["metadata"], fieldSchema(info.schema, "metadata"));
}

function isOptional(schema: Schema | undefined, key: string): boolean {
  return schema?.properties?.[key] !== undefined && schema.required?.includes(key) !== true;
}

/** True for `[]`, and for `{}` where it is a map and not a message. */
function isEmptyCollection(value: unknown, schema: Schema | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  const isMap = schema?.properties === undefined && schema?.additionalProperties !== undefined;
  return isMap && isObject(value) && Object.keys(value).length === 0;
}

function cannotHandle(info: ResourceInfo, why: string): Error {
  return badRequest(`${info.kind} in version "${info.version}" cannot be handled as a ${info.kind}: ${why}`);
}

function typeErrors(info: ResourceInfo, object: Obj): Cause[] {
  const schema = info.custom === undefined ? info.schema : info.schema?.properties?.["metadata"];
  const value = info.custom === undefined ? object : object.metadata;
  return validate(value, schema).filter((cause) => cause.reason === "FieldValueTypeInvalid");
}

/**
 * Makes an object of a request body: right kind and version, known fields only (Strict refuses unknown ones, Warn tells),
 * right types. Returns a fresh copy; throws 400.
 */
export function decode(info: ResourceInfo, body: unknown, request: WriteRequest): Obj {
  if (!isObject(body)) throw badRequest("the body of the request is not an object");
  const object = clone(body);
  checkKind(info, object);
  const given = object["metadata"] ?? {};
  if (!isObject(given)) {
    throw cannotHandle(info, "json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta");
  }
  const metadata = given;
  object["metadata"] = metadata;
  dropNulls(info.custom === undefined ? object : metadata);
  metadata["name"] ??= "";
  checkUnknown(info, prune(object, info.schema), request);
  dropAbsent(info, object);
  const wrong = typeErrors(info, object as Obj)[0];
  if (wrong !== undefined) throw cannotHandle(info, `json: cannot unmarshal field ${wrong.field}: ${wrong.message}`);
  return object as Obj;
}

function checkKind(info: ResourceInfo, object: JsonObject): void {
  const apiVersion = apiVersionOf(info);
  object["apiVersion"] ??= apiVersion;
  object["kind"] ??= info.kind;
  if (object["apiVersion"] === apiVersion && object["kind"] === info.kind) return;
  throw badRequest(
    `the API version in the data (${asString(object["apiVersion"])}, Kind=${asString(object["kind"])}) does not match the expected API version (${apiVersion}, Kind=${info.kind})`,
  );
}

function checkUnknown(info: ResourceInfo, unknown: readonly string[], request: WriteRequest): void {
  if (unknown.length === 0 || request.fieldValidation === "Ignore") return;
  if (request.fieldValidation === "Warn") {
    for (const path of unknown) request.warn(`unknown field "${path}"`);
    return;
  }
  const list = unknown.map((path) => `unknown field "${path}"`).join(", ");
  throw cannotHandle(info, `strict decoding error: ${list}`);
}

/** Fills in what the schema defaults (a CRD's, or the few the built-in table states), except in metadata. In place. */
export function defaultBySchema(info: ResourceInfo, object: Obj): void {
  const { metadata } = object;
  applyDefaults(object, info.schema);
  object.metadata = metadata;
}

/** A fresh metadata for a new object of what a client may set. */
export function newMetadata(metadata: Meta, fields: JsonObject): Meta {
  const {
    resourceVersion: _version,
    deletionTimestamp: _deletion,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    managedFields: _fields,
    ...kept
  } = metadata;
  return { ...kept, ...fields } as Meta;
}
