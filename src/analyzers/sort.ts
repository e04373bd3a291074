import type { Finding, Level } from "../diagnostics/finding.ts";

const ORDER: Readonly<Record<Level, number>> = { Error: 0, Warning: 1, Info: 2 };

/** By cluster; then errors first, then by code, object and place; equal ones once. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const unique = new Map(findings.map((found) => [keyOf(found), found]));
  return [...unique.keys()].sort().flatMap((key) => unique.get(key) ?? []);
}

function keyOf({ level, code, cluster = "", object, position, path, args }: Finding): string {
  const { kind = "", namespace = "", name = "" } = object ?? {};
  const { file = "", line = 0, column = 0 } = position ?? {};
  const place = `${file}:${String(line).padStart(9)}:${String(column).padStart(9)}`;
  const steps = path.map((step) => (typeof step === "number" ? String(step).padStart(6, "0") : step)).join("/");
  return [cluster, ORDER[level], code, namespace, name, kind, place, steps, JSON.stringify(args)].join("\0");
}
