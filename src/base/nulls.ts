/**
 * A value without the fields that are null, in lists too; the same value when there are none. The API server drops such fields (they
 * say nothing), so that readers of files must do so as well. Items of lists stay: there a null is a value of the wrong type.
 */
export function withoutNulls<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return list(value) as T;
  const old = Object.entries(value) as readonly [string, unknown][];
  const made = old.filter(([, member]) => member !== null).map(([key, member]) => [key, withoutNulls(member)] as const);
  const same = made.length === old.length && made.every(([, member], index) => member === old[index]?.[1]);
  return same ? value : (Object.fromEntries(made) as T);
}

function list(items: readonly unknown[]): readonly unknown[] {
  const made = items.map((item) => withoutNulls(item));
  return made.some((item, index) => item !== items[index]) ? made : items;
}
