import type { FieldSet } from "./fields.ts";
import {
  compare,
  difference,
  emptySet,
  fieldsOf,
  formatFields,
  intersection,
  isAtomicMap,
  isEmpty,
  itemKey,
  listKind,
  parseFields,
  pathsOf,
  union,
} from "./fields.ts";
import type { JsonObject, ManagedFields, Obj } from "./json.ts";
import { asArray, clone, isObject } from "./json.ts";
import type { Schema } from "./schema.ts";
import { fieldSchema, itemSchema } from "./schema.ts";
import type { Cause } from "./status.ts";
import { StatusError } from "./status.ts";

/** Who writes, for managedFields. */
export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  readonly time: string;
}

interface Owned {
  readonly entry: ManagedFields;
  readonly set: FieldSet;
}

/** Metadata nobody owns: identity and what the server writes. */
const unowned = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "generation",
  "resourceVersion",
  "managedFields",
  "selfLink",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
];

/** The part of an object that fields are counted in. */
function ownable(object: Obj | undefined): JsonObject | undefined {
  if (object === undefined) return undefined;
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !unowned.includes(key)));
  return Object.keys(kept).length === 0 ? rest : { ...rest, metadata: kept };
}

function readManagers(object: Obj | undefined): Owned[] {
  return (object?.metadata.managedFields ?? []).map((entry) => ({ entry, set: parseFields(entry.fieldsV1) }));
}

function sameWriter(entry: ManagedFields, operation: "Apply" | "Update", writer: Writer): boolean {
  return entry.manager === writer.manager && entry.operation === operation && entry.subresource === writer.subresource;
}

function writeManagers(object: Obj, owned: readonly Owned[]): void {
  const entries = owned
    .filter(({ set }) => !isEmpty(set))
    .map(({ entry, set }) => ({ ...entry, fieldsV1: formatFields(set) }));
  entries.sort(byWriter);
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
}

/** As the real server orders them: appliers first, the older before the younger, then by name. */
function byWriter(left: ManagedFields, right: ManagedFields): number {
  const order = ({ operation, time, manager, subresource }: ManagedFields): string =>
    [operation, time, manager, subresource].map((part) => part ?? "").join("\n");
  return order(left) < order(right) ? -1 : order(left) > order(right) ? 1 : 0;
}

function entryOf(operation: "Apply" | "Update", writer: Writer): ManagedFields {
  return {
    manager: writer.manager,
    operation,
    apiVersion: writer.apiVersion,
    time: writer.time,
    fieldsType: "FieldsV1",
    fieldsV1: {},
    ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
  };
}

/** Writes the managedFields of `after` for a create, update or patch: what changed belongs to the writer alone. */
export function trackUpdate(before: Obj | undefined, after: Obj, schema: Schema | undefined, writer: Writer): void {
  if (after.metadata.managedFields?.length === 0 && before !== undefined) {
    delete after.metadata.managedFields;
    return;
  }
  const { changed, removed } = compare(ownable(before) ?? {}, ownable(after) ?? {}, schema);
  const lost = union(changed, removed);
  if (isEmpty(lost)) {
    if (before?.metadata.managedFields !== undefined)
      after.metadata.managedFields = clone(before.metadata.managedFields);
    return;
  }
  const managers = readManagers(before);
  const mine = managers.find(({ entry }) => sameWriter(entry, "Update", writer));
  const others = managers
    .filter((owned) => owned !== mine)
    .map(({ entry, set }) => ({ entry, set: difference(set, lost) }));
  const set = union(difference(mine?.set ?? emptySet(), removed), changed);
  writeManagers(after, [...others, { entry: entryOf("Update", writer), set }]);
}

/**
 * Server-side apply: merges `applied` over `live` by the schema's list types and keys, drops what this manager applied
 * before and no longer does (unless another owns it), and refuses to change what others own, unless forced.
 */
export function applyConfiguration(
  live: Obj | undefined,
  applied: Obj,
  schema: Schema | undefined,
  writer: Writer & { readonly force: boolean },
): Obj {
  const mine = fieldsOf(ownable(applied) ?? {}, schema);
  mine.self = false;
  const managers = readManagers(live);
  const previous = managers.find(({ entry }) => sameWriter(entry, "Apply", writer));
  const others = managers.filter((owned) => owned !== previous);
  const base: Obj =
    live === undefined
      ? { apiVersion: applied.apiVersion, kind: applied.kind, metadata: { name: applied.metadata.name } }
      : live;
  const { managedFields: _fields, ...metadata } = applied.metadata;
  const merged = mergeValue(base, { ...applied, metadata }, schema) as Obj;
  const { changed } = compare(ownable(base) ?? {}, ownable(merged) ?? {}, schema);
  const contested = others.map((owned) => ({ ...owned, taken: intersection(owned.set, intersection(mine, changed)) }));
  const conflicts = contested.filter(({ taken }) => !isEmpty(taken));
  if (conflicts.length > 0 && !writer.force) throw applyConflict(conflicts);
  const kept = contested.map(({ entry, set, taken }) => ({ entry, set: difference(set, taken) }));
  if (previous !== undefined) {
    const held = kept.reduce((all, owned) => union(all, owned.set), mine);
    removeFields(merged, difference(previous.set, mine), { keep: held, schema });
  }
  const same =
    previous !== undefined && JSON.stringify(formatFields(previous.set)) === JSON.stringify(formatFields(mine));
  const entry = same ? previous.entry : entryOf("Apply", writer);
  writeManagers(merged, [{ entry, set: mine }, ...kept]);
  return merged;
}

/** The owner as conflict messages name it: those that applied by name, those that updated also by the version they wrote in. */
function managerText({ manager, operation, subresource, apiVersion }: ManagedFields): string {
  const name = `"${manager}"${subresource === undefined ? "" : ` with subresource "${subresource}"`}`;
  return operation === "Apply" ? name : `${name} using ${apiVersion}`;
}

function applyConflict(conflicts: readonly { entry: ManagedFields; taken: FieldSet }[]): StatusError {
  const causes: Cause[] = conflicts.flatMap(({ entry, taken }) =>
    pathsOf(taken).map((field) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${managerText(entry)}`,
      field,
    })),
  );
  const [first] = causes;
  const list = conflicts.flatMap(({ entry, taken }) => [
    `conflicts with ${managerText(entry)}:`,
    ...pathsOf(taken).map((path) => `- ${path}`),
  ]);
  const message =
    causes.length === 1 && first !== undefined
      ? `Apply failed with 1 conflict: ${first.message}: ${first.field}`
      : `Apply failed with ${causes.length} conflicts: ${list.join("\n")}`;
  return new StatusError(409, "Conflict", message, { causes });
}

/** `applied` over `live`: objects by field, lists by their keys or as sets, everything else replaced. */
function mergeValue(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  if (isObject(live) && isObject(applied) && !isAtomicMap(schema)) {
    const out: JsonObject = { ...clone(live) };
    for (const [key, value] of Object.entries(applied)) {
      if (value === null) delete out[key];
      else out[key] = mergeValue(live[key], value, fieldSchema(schema, key));
    }
    return out;
  }
  const kind = listKind(schema);
  if (Array.isArray(live) && Array.isArray(applied) && kind !== "atomic") {
    const items = new Map(asArray(live).map((item) => [itemKey(item, schema), clone(item)]));
    for (const item of asArray(applied)) {
      const key = itemKey(item, schema);
      items.set(key, kind === "map" ? mergeValue(items.get(key), item, itemSchema(schema)) : clone(item));
    }
    return [...items.values()];
  }
  return clone(applied);
}

/** Takes members out of a value, in place, sparing those in `keep` and everything above them. */
function removeFields(
  value: unknown,
  gone: FieldSet,
  context: { readonly keep: FieldSet; readonly schema: Schema | undefined },
): void {
  for (const [key, child] of gone.children) {
    const keep = context.keep.children.get(key) ?? emptySet();
    if (key.startsWith("f:") && isObject(value)) removeField(value, key.slice(2), child, { ...context, keep });
    else if (Array.isArray(value)) removeItem(value as unknown[], key, child, { ...context, keep });
  }
}

type RemoveContext = { readonly keep: FieldSet; readonly schema: Schema | undefined };

function removeField(value: JsonObject, name: string, gone: FieldSet, context: RemoveContext): void {
  if (!Object.hasOwn(value, name)) return;
  if (gone.self && isEmpty(context.keep)) {
    delete value[name];
    return;
  }
  const field = value[name];
  removeFields(field, gone, { keep: context.keep, schema: fieldSchema(context.schema, name) });
  const emptied = typeof field === "object" && field !== null && Object.keys(field).length === 0;
  if (emptied && isEmpty(context.keep)) delete value[name];
}

function removeItem(value: unknown[], key: string, gone: FieldSet, context: RemoveContext): void {
  const index = value.findIndex((item) => itemKey(item, context.schema) === key);
  if (index < 0) return;
  if (gone.self && isEmpty(context.keep)) value.splice(index, 1);
  else removeFields(value[index], gone, { keep: context.keep, schema: itemSchema(context.schema) });
}
