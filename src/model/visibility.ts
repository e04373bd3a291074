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
