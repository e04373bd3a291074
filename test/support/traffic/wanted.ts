import type { Wanted } from "./case.ts";

/** Whether a value is as wanted: equal as text, or as the pattern between slashes says; null: absent. */
export function isWanted(got: string | number | undefined, wanted: Wanted): boolean {
  if (wanted === null) return got === undefined;
  const pattern = typeof wanted === "string" ? /^\/(.*)\/$/s.exec(wanted)?.[1] : undefined;
  const fits = pattern === undefined ? String(got) === String(wanted) : new RegExp(pattern).test(String(got));
  return got !== undefined && fits;
}
