/**
 * Whether something of `owner` is seen from `namespace`: `*` all, `.` its own, `~` nobody, else the namespaces named. Absent or
 * empty means `fallback`, the mesh's default for that kind.
 */
export function visibleTo(
  exportTo: readonly string[] | undefined,
  owner: string,
  namespace: string,
  fallback: readonly string[],
): boolean {
  const list = exportTo === undefined || exportTo.length === 0 ? fallback : exportTo;
  return list.some((entry) => entry === "*" || entry === namespace || (entry === "." && owner === namespace));
}

/** Who sees an object: what its exportTo says, and whose it is. */
export interface Sight {
  readonly exportTo: readonly string[];
  readonly owner: string;
}

/** Whether some namespace sees both. */
export function exportsOverlap(a: Sight, b: Sight, fallback: readonly string[]): boolean {
  const [first, second] = [named(a, fallback), named(b, fallback)];
  if (first.size === 0 || second.size === 0) return false;
  if (first.has("*") || second.has("*")) return true;
  return [...first].some((namespace) => second.has(namespace));
}

/** Namespaces that an object is exported to, by name; `*` for all. */
function named({ exportTo, owner }: Sight, fallback: readonly string[]): ReadonlySet<string> {
  const list = exportTo.length === 0 ? fallback : exportTo;
  return new Set(list.filter((entry) => entry !== "~").map((entry) => (entry === "." ? owner : entry)));
}
