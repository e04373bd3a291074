/**
 * Deep merge of plain data: objects key by key, `patch` wins, null in `patch` removes, lists are replaced whole unless `keyOf`
 * names the member by which the items of the list at this path are matched (strategic merge). Neither input is changed.
 */
export function merge(base: unknown, patch: unknown, keyOf: ListKey = noKeys, path: readonly string[] = []): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) {
    const key = keyOf(path);
    return key === undefined ? patch : mergeLists(base, patch, { key, keyOf, path });
  }
  if (!isRecord(base) || !isRecord(patch)) return patch;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = key in base ? merge(base[key], value, keyOf, [...path, key]) : value;
  }
  return merged;
}

/** Tells by which member the items of a list are matched; undefined replaces the list. */
export type ListKey = (path: readonly string[]) => string | undefined;

function noKeys(): undefined {
  return undefined;
}

interface ListMerge {
  readonly key: string;
  readonly keyOf: ListKey;
  readonly path: readonly string[];
}

function mergeLists(base: readonly unknown[], patch: readonly unknown[], { key, keyOf, path }: ListMerge): unknown[] {
  const merged = [...base];
  for (const item of patch) {
    const at = merged.findIndex((old) => isRecord(old) && isRecord(item) && old[key] === item[key]);
    if (at < 0) merged.push(item);
    else merged[at] = merge(merged[at], item, keyOf, path);
  }
  return merged;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
