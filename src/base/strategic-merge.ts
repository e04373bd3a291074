import { sameContent } from "./equal.ts";
import type { ListKey } from "./merge.ts";

type Fields = Readonly<Record<string, unknown>>;

/** In an object: `delete` removes it, `replace` puts the rest of it in the place of what is there. In a list: the same for items. */
const DIRECTIVE = "$patch";
/** In a parent, before the name of a list: the keys of its items in the order wanted. Items not named stay behind them. */
const ORDER = "$setElementOrder/";
/** In an object, or as an item of a list: what is left without members goes itself. Ours, for undoing. */
const DROP = "$dropIfEmpty";

/**
 * Kubernetes' strategic merge of plain data: objects key by key, null removes, lists by the member that `keyOf` names and as a
 * whole where it names none. Neither input is changed, and no directive or null of the patch is left in the result.
 */
export function strategicMerge(base: unknown, patch: unknown, keyOf: ListKey, path: readonly string[] = []): unknown {
  if (base === undefined && isPlain(patch)) return patch;
  if (Array.isArray(patch)) return mergeLists(Array.isArray(base) ? base : [], patch, keyOf, path);
  if (!isFields(patch)) return patch;
  if (patch[DIRECTIVE] === "delete") return undefined;
  const merged: Record<string, unknown> = isFields(base) && patch[DIRECTIVE] !== "replace" ? { ...base } : {};
  mergeFields(merged, patch, (key) => strategicMerge(merged[key], patch[key], keyOf, [...path, key]));
  putInOrder(merged, patch, (name) => keyOf([...path, name]));
  return patch[DROP] === true && Object.keys(merged).length === 0 ? undefined : merged;
}

function mergeFields(merged: Record<string, unknown>, patch: Fields, mergeOne: (key: string) => unknown): void {
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    const result = value === null ? undefined : mergeOne(key);
    if (result === undefined) delete merged[key];
    else merged[key] = result;
  }
}

/** Whether nothing in it is an order to the merge: then it can be taken as it is. */
function isPlain(patch: unknown): boolean {
  if (Array.isArray(patch)) return patch.every(isPlain);
  if (typeof patch !== "object") return true;
  if (patch === null) return false;
  for (const [key, value] of Object.entries(patch)) if (key.startsWith("$") || !isPlain(value)) return false;
  return true;
}

function putInOrder(merged: Record<string, unknown>, patch: Fields, keyOf: (name: string) => string | undefined): void {
  for (const [key, order] of Object.entries(patch)) {
    const name = key.startsWith(ORDER) ? key.slice(ORDER.length) : "";
    const list = merged[name];
    if (Array.isArray(list) && Array.isArray(order)) merged[name] = ordered(list, order, keyOf(name));
  }
}

function mergeLists(
  base: readonly unknown[],
  patch: readonly unknown[],
  keyOf: ListKey,
  path: readonly string[],
): unknown[] | undefined {
  const key = keyOf(path);
  const has = (name: string, value: unknown): boolean =>
    patch.some((item) => isFields(item) && item[name] === value && Object.keys(item).length === 1);
  const items = patch.filter((item) => !isMarker(item));
  const isReplaced = key === undefined || has(DIRECTIVE, "replace");
  const merged = isReplaced
    ? items.map((item) => clean(item, keyOf, path))
    : mergeItems(base, items, { key, keyOf, path });
  return merged.length === 0 && has(DROP, true) ? undefined : merged;
}

interface ListMerge {
  readonly key: string;
  readonly keyOf: ListKey;
  readonly path: readonly string[];
}

/** Items are matched with those that were there, never with each other: a list may have a key twice. */
function mergeItems(base: readonly unknown[], items: readonly unknown[], { key, keyOf, path }: ListMerge): unknown[] {
  const merged = [...base];
  for (const item of items) {
    const at = base.findIndex((old) => isFields(old) && isFields(item) && old[key] === item[key]);
    const result = strategicMerge(at < 0 ? undefined : merged[at], item, keyOf, path);
    if (at < 0) merged.push(result);
    else merged[at] = result;
  }
  return merged.filter((item) => item !== undefined);
}

function clean(item: unknown, keyOf: ListKey, path: readonly string[]): unknown {
  return isFields(item) ? strategicMerge(undefined, item, keyOf, path) : item;
}

function isMarker(item: unknown): boolean {
  if (!isFields(item)) return false;
  const [only, more] = Object.keys(item);
  return more === undefined && (only === DIRECTIVE || only === DROP);
}

function ordered(list: readonly unknown[], order: readonly unknown[], key: string | undefined): readonly unknown[] {
  if (key === undefined) return list;
  const place = (item: unknown): number => {
    const at = isFields(item) ? order.indexOf(item[key]) : -1;
    return at < 0 ? order.length : at;
  };
  return list.toSorted((one, other) => place(one) - place(other));
}

/**
 * A patch with which strategicMerge makes `to` of `from`; undefined when they are equal. What stands in `from` beside the
 * difference is not named, so the patch still fits when others have added something since. Invariant, held by a property
 * test: strategicMerge(from, strategicDifference(from, to)) equals to, for data without nulls.
 */
export function strategicDifference(from: unknown, to: unknown, keyOf: ListKey, path: readonly string[] = []): unknown {
  if (sameContent(from, to)) return undefined;
  if (to === undefined) return removal(from, keyOf, path);
  if (Array.isArray(to)) return listDifference(Array.isArray(from) ? from : [], to, keyOf, path);
  if (!isFields(from) || !isFields(to)) return to;
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const inner = [...path, key];
    const change = strategicDifference(from[key], to[key], keyOf, inner);
    if (change !== undefined) patch[key] = change;
    const order = orderOf(from[key], to[key], change, { keyOf, path: inner });
    if (order !== undefined) patch[ORDER + key] = order;
  }
  return patch;
}

/** Maps that others write to as well lose only our keys; any other value goes whole. */
function removal(from: unknown, keyOf: ListKey, path: readonly string[]): unknown {
  const name = path.at(-1);
  if (isFields(from) && (name === "labels" || name === "annotations" || name === "metadata")) {
    const keys = Object.keys(from).map((key) => [key, removal(from[key], keyOf, [...path, key])]);
    return { ...Object.fromEntries(keys), [DROP]: true };
  }
  const key = Array.isArray(from) ? keyOf(path) : undefined;
  if (!Array.isArray(from) || key === undefined || !hasKeys(from, key)) return null;
  return [...from.map((item: Fields) => ({ [DIRECTIVE]: "delete", [key]: item[key] })), { [DROP]: true }];
}

function listDifference(
  from: readonly unknown[],
  to: readonly unknown[],
  keyOf: ListKey,
  path: readonly string[],
): unknown {
  const key = keyOf(path);
  if (key === undefined) return to;
  if (!hasKeys(from, key) || !hasKeys(to, key)) return [{ [DIRECTIVE]: "replace" }, ...to];
  const known = new Map(from.map((item) => [item[key], item]));
  const kept = new Set(to.map((item) => item[key]));
  const changed = to.flatMap((item) => {
    const old = known.get(item[key]);
    if (old === undefined) return [item];
    const change = strategicDifference(old, item, keyOf, path) as Fields | undefined;
    return change === undefined ? [] : [{ [key]: item[key], ...change }];
  });
  const removed = from
    .filter((item) => !kept.has(item[key]))
    .map((item) => ({ [DIRECTIVE]: "delete", [key]: item[key] }));
  return [...changed, ...removed];
}

/** Keys of the wanted list, when the patch alone leaves its items in another order. */
function orderOf(from: unknown, to: unknown, change: unknown, at: Place): readonly unknown[] | undefined {
  const key = at.keyOf(at.path);
  if (key === undefined || !Array.isArray(from) || !Array.isArray(to) || !hasKeys(to, key)) return undefined;
  const now = (strategicMerge(from, change ?? [], at.keyOf, at.path) ?? []) as readonly Fields[];
  const wanted = (to as readonly Fields[]).map((item) => item[key]);
  return now.every((item, index) => item[key] === wanted[index]) ? undefined : wanted;
}

interface Place {
  readonly keyOf: ListKey;
  readonly path: readonly string[];
}

/** Whether each item has the key, and no two the same: only then a list can be told apart by it. */
function hasKeys(list: readonly unknown[], key: string): list is readonly Fields[] {
  const keys = list.map((item) => (isFields(item) ? item[key] : undefined));
  return !keys.includes(undefined) && new Set(keys).size === keys.length;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
