import type { JsonObject } from "./json.ts";
import { asArray, asObjects, clone, equal, isObject } from "./json.ts";
import type { Schema } from "./schema.ts";
import { fieldSchema, itemSchema } from "./schema.ts";
import { badRequest } from "./status.ts";

const deletePrefix = "$deleteFromPrimitiveList/";
const orderPrefix = "$setElementOrder/";

/**
 * Strategic merge patch: lists with a merge key are merged item by item, scalars with strategy merge as sets, with the
 * directives $patch, $retainKeys, $deleteFromPrimitiveList and $setElementOrder.
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicMerge(original: unknown, patch: unknown, schema: Schema | undefined): unknown {
  if (!isObject(patch)) return clone(patch);
  if (patch["$patch"] === "delete") return undefined;
  const { $patch, $retainKeys, ...fields } = patch;
  if ($patch === "replace") return clone(fields);
  const out: JsonObject = isObject(original) ? clone(original) : {};
  if (Array.isArray($retainKeys)) {
    for (const key of Object.keys(out)) if (!$retainKeys.includes(key)) delete out[key];
  }
  for (const [key, value] of Object.entries(fields)) {
    if (key.startsWith(deletePrefix)) dropScalars(out, key.slice(deletePrefix.length), value);
    else if (!key.startsWith("$")) mergeField(out, key, value, fieldSchema(schema, key));
  }
  setOrders(out, fields, schema);
  return out;
}

function setOrders(out: JsonObject, fields: JsonObject, schema: Schema | undefined): void {
  for (const [key, order] of Object.entries(fields)) {
    if (!key.startsWith(orderPrefix)) continue;
    const name = key.slice(orderPrefix.length);
    const mergeKey = fieldSchema(schema, name)?.["x-kubernetes-patch-merge-key"];
    out[name] = inOrder(asArray(out[name]), asArray(order), mergeKey);
  }
}

function dropScalars(out: JsonObject, name: string, values: unknown): void {
  const dropped = asArray(values);
  out[name] = asArray(out[name]).filter((item) => !dropped.some((value) => equal(value, item)));
}

function mergeField(out: JsonObject, key: string, value: unknown, schema: Schema | undefined): void {
  if (value === null) {
    delete out[key];
    return;
  }
  const merging = strategyOf(schema).includes("merge");
  if (Array.isArray(value)) {
    if (!merging) out[key] = clone(value);
    else out[key] = mergeList(asArray(out[key]), value as unknown[], schema);
    return;
  }
  if (isObject(value) && strategyOf(schema).includes("replace")) {
    out[key] = clone(value);
    return;
  }
  const merged = strategicMerge(out[key], value, schema);
  if (merged === undefined) delete out[key];
  else out[key] = merged;
}

function strategyOf(schema: Schema | undefined): readonly string[] {
  return schema?.["x-kubernetes-patch-strategy"]?.split(",") ?? [];
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], schema: Schema | undefined): unknown[] {
  const mergeKey = schema?.["x-kubernetes-patch-merge-key"];
  if (patch.some((item) => isObject(item) && item["$patch"] === "replace")) {
    return clone(patch.filter((item) => !(isObject(item) && item["$patch"] === "replace")));
  }
  if (mergeKey === undefined) {
    return [...original, ...patch.filter((item) => !original.some((old) => equal(old, item)))];
  }
  const out = [...original];
  const items = itemSchema(schema);
  for (const item of asObjects(patch)) {
    const key = item[mergeKey];
    if (key === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    const index = out.findIndex((old) => isObject(old) && equal(old[mergeKey], key));
    const merged = strategicMerge(index < 0 ? undefined : out[index], item, items);
    if (merged === undefined) {
      if (index >= 0) out.splice(index, 1);
    } else if (index < 0) out.push(merged);
    else out[index] = merged;
  }
  return out;
}

/** Items named in `order` first come in that order; the others keep their place behind what they followed. */
function inOrder(items: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): unknown[] {
  const identity = (item: unknown): unknown => (mergeKey !== undefined && isObject(item) ? item[mergeKey] : item);
  const wanted = order.map(identity);
  const position = (item: unknown): number => wanted.findIndex((value) => equal(value, identity(item)));
  const listed = items.filter((item) => position(item) >= 0).sort((left, right) => position(left) - position(right));
  const out: unknown[] = [];
  let next = 0;
  for (const item of items) {
    if (position(item) < 0) out.push(item);
    else out.push(listed[next++]);
  }
  return out;
}
