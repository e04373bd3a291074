/** A member of a table by a name that comes from outside: `valueOf` and its like are no members. */
export function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
