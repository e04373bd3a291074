/**
 * A value without the fields that are null, in lists too; the same value when there are none. The API server drops such fields (they
 * say nothing), so that readers of files must do so as well. Items of lists stay: there a null is a value of the wrong type.
 */
export function withoutNulls<T>(value: T): T {
  // nearly no object has any: looking is much cheaper than copying
  return hasNulls(value) ? (copy(value) as T) : value;
}

function hasNulls(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (hasNulls(value[index])) return true;
    return false;
  }
  const record = value as Readonly<Record<string, unknown>>;
  for (const name in record) {
    const member = record[name];
    if (member === null || (typeof member === "object" && hasNulls(member))) return true;
  }
  return false;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const given = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(given.map(([key, member]) => [key, copy(member)]));
}
