/**
 * Whether two plain values (data, arrays, Maps, Sets) have the same content. Functions and class instances are equal only
 * when identical; a key that is absent and one that is undefined differ, as under exactOptionalPropertyTypes.
 */
export function sameContent(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameList(a, b);
  if (isPlain(a)) return isPlain(b) && sameRecord(a, b);
  return sameCollection(a, b);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function sameCollection(a: object, b: object): boolean {
  if (a instanceof Map) return b instanceof Map && sameMap(a, b);
  return a instanceof Set && b instanceof Set && a.size === b.size && [...a].every((item) => b.has(item));
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameContent(a[i], b[i])) return false;
  return true;
}

function sameMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !sameContent(value, b.get(key))) return false;
  return true;
}

function sameRecord(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!Object.hasOwn(b, key) || !sameContent(a[key], b[key])) return false;
  return true;
}
