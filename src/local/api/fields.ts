import type { JsonObject } from "./json.ts";
import { asArray, equal, isObject, stableText } from "./json.ts";
import type { Schema } from "./schema.ts";
import { fieldSchema, itemSchema } from "./schema.ts";

/**
 * A set of field paths as a tree. `self` says that the path up to here is a member. Children are keyed as FieldsV1 writes
 * them: `f:name` a field, `k:{"name":"a"}` a list item by its keys, `v:"a"` a member of a set.
 */
export interface FieldSet {
  self: boolean;
  readonly children: Map<string, FieldSet>;
}

export function emptySet(): FieldSet {
  return { self: false, children: new Map() };
}

export function isEmpty(set: FieldSet): boolean {
  return !set.self && [...set.children.values()].every(isEmpty);
}

function childOf(set: FieldSet, key: string): FieldSet {
  let child = set.children.get(key);
  if (child === undefined) {
    child = emptySet();
    set.children.set(key, child);
  }
  return child;
}

/** Reads the `fieldsV1` of a managedFields entry. */
export function parseFields(fields: unknown): FieldSet {
  const set = emptySet();
  if (!isObject(fields)) return set;
  for (const [key, value] of Object.entries(fields)) {
    if (key === ".") set.self = true;
    else set.children.set(key, parseFields(value));
  }
  if (set.children.size === 0) set.self = true;
  return set;
}

/** Writes a set as `fieldsV1`. */
export function formatFields(set: FieldSet): JsonObject {
  const out: JsonObject = {};
  const children = [...set.children].filter(([, child]) => !isEmpty(child));
  if (set.self && children.length > 0) out["."] = {};
  for (const [key, child] of children.sort(([left], [right]) => (left < right ? -1 : 1))) {
    out[key] = formatFields(child);
  }
  return out;
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  const out: FieldSet = { self: left.self || right.self, children: new Map(left.children) };
  for (const [key, child] of right.children) {
    const mine = out.children.get(key);
    out.children.set(key, mine === undefined ? child : union(mine, child));
  }
  return out;
}

/** Members of `left` that are not in `right`. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  const out: FieldSet = { self: left.self && !right.self, children: new Map() };
  for (const [key, child] of left.children) {
    const other = right.children.get(key);
    const rest = other === undefined ? child : difference(child, other);
    if (!isEmpty(rest)) out.children.set(key, rest);
  }
  return out;
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const out: FieldSet = { self: left.self && right.self, children: new Map() };
  for (const [key, child] of left.children) {
    const other = right.children.get(key);
    const both = other === undefined ? emptySet() : intersection(child, other);
    if (!isEmpty(both)) out.children.set(key, both);
  }
  return out;
}

/** The member paths as messages write them: `.spec.ports[k:{"port":80}].name`. */
export function pathsOf(set: FieldSet, prefix = ""): string[] {
  const own = set.self && prefix !== "" ? [prefix] : [];
  const below = [...set.children].flatMap(([key, child]) => pathsOf(child, `${prefix}${stepText(key)}`));
  return [...own, ...below];
}

function stepText(key: string): string {
  if (key.startsWith("f:")) return `.${key.slice(2)}`;
  if (key.startsWith("v:")) return `[=${key.slice(2)}]`;
  const keys = JSON.parse(key.slice(2)) as JsonObject;
  return `[${Object.entries(keys)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",")}]`;
}

/** How a list is merged: by keys, as a set of scalars, or as one value. */
export function listKind(schema: Schema | undefined): "map" | "set" | "atomic" {
  const kind = schema?.["x-kubernetes-list-type"];
  if (kind === "map" && (schema?.["x-kubernetes-list-map-keys"]?.length ?? 0) > 0) return "map";
  return kind === "set" ? "set" : "atomic";
}

/** True when an object is one value for the purpose of ownership. */
export function isAtomicMap(schema: Schema | undefined): boolean {
  return schema?.["x-kubernetes-map-type"] === "atomic";
}

/** The `k:` or `v:` step of a list item; a missing key takes its default (a port's protocol is TCP). */
export function itemKey(item: unknown, schema: Schema | undefined): string {
  if (listKind(schema) === "set") return `v:${stableText(item)}`;
  const items = itemSchema(schema);
  const keys: JsonObject = {};
  for (const key of [...(schema?.["x-kubernetes-list-map-keys"] ?? [])].sort()) {
    const value = isObject(item) ? item[key] : undefined;
    const chosen = value ?? fieldSchema(items, key)?.default;
    if (chosen !== undefined) keys[key] = chosen;
  }
  return `k:${stableText(keys)}`;
}

/** What a configuration sets: its leaves, and the items of its lists. */
export function fieldsOf(value: unknown, schema: Schema | undefined): FieldSet {
  const set = emptySet();
  collect(value, schema, set);
  return set;
}

function collect(value: unknown, schema: Schema | undefined, into: FieldSet): void {
  const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  if (isObject(value) && !isAtomicMap(schema) && !empty) collectFields(value, schema, into);
  else if (Array.isArray(value) && listKind(schema) !== "atomic" && !empty) collectItems(value, schema, into);
  else into.self = true;
}

function collectFields(value: JsonObject, schema: Schema | undefined, into: FieldSet): void {
  for (const [key, item] of Object.entries(value)) {
    const child = childOf(into, `f:${key}`);
    collect(item, fieldSchema(schema, key), child);
    if (schema?.properties?.[key] === undefined) child.self = true;
  }
}

function collectItems(value: readonly unknown[], schema: Schema | undefined, into: FieldSet): void {
  for (const item of value) {
    const child = childOf(into, itemKey(item, schema));
    child.self = true;
    if (isObject(item) && listKind(schema) === "map") collect(item, itemSchema(schema), child);
  }
}

/** What differs between two states: members set or changed, and members gone. */
export interface Comparison {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

export function compare(before: unknown, after: unknown, schema: Schema | undefined): Comparison {
  const result = { changed: emptySet(), removed: emptySet() };
  compareInto(before, after, schema, result);
  return result;
}

function compareInto(before: unknown, after: unknown, schema: Schema | undefined, into: Comparison): void {
  if (equal(before, after)) return;
  if (after === undefined) {
    collectAll(before, schema, into.removed);
    return;
  }
  if (before === undefined) {
    collectAll(after, schema, into.changed);
    return;
  }
  if (isObject(before) && isObject(after) && !isAtomicMap(schema)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      step(`f:${key}`, before[key], after[key], { schema: fieldSchema(schema, key), into });
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after) && listKind(schema) !== "atomic") {
    const old = new Map(asArray(before).map((item) => [itemKey(item, schema), item]));
    const now = new Map(asArray(after).map((item) => [itemKey(item, schema), item]));
    for (const key of new Set([...old.keys(), ...now.keys()])) {
      step(key, old.get(key), now.get(key), { schema: itemSchema(schema), into });
    }
    return;
  }
  into.changed.self = true;
}

function step(
  key: string,
  before: unknown,
  after: unknown,
  context: { readonly schema: Schema | undefined; readonly into: Comparison },
): void {
  const { schema, into } = context;
  compareInto(before, after, schema, { changed: childOf(into.changed, key), removed: childOf(into.removed, key) });
}

/** All members of a value that came or went as a whole: containers too. */
function collectAll(value: unknown, schema: Schema | undefined, into: FieldSet): void {
  collect(value, schema, into);
  markContainers(into);
}

function markContainers(set: FieldSet): void {
  set.self = true;
  for (const child of set.children.values()) markContainers(child);
}
