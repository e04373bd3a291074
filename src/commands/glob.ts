import { readdir } from "node:fs/promises";
import { join, resolve, sep } from "node:path";

/** Whether a name is a pattern: shells leave it so when it is quoted. */
export function isGlob(name: string): boolean {
  return /[*?]/.test(name);
}

/** Files that a pattern means: `*` and `?` within a name (not a leading dot), `**` any folders. Absolute paths, sorted. */
export async function matchGlob(pattern: string, cwd: string): Promise<readonly string[]> {
  const steps = pattern.split(/[\\/]/);
  const fixed = steps.findIndex((step) => isGlob(step));
  const start = resolve(cwd, steps.slice(0, fixed).join(sep) || (pattern.startsWith("/") ? sep : "."));
  return [...new Set(await walk(start, steps.slice(fixed)))].toSorted();
}

async function walk(folder: string, steps: readonly string[]): Promise<readonly string[]> {
  const [step = "", ...rest] = steps;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  if (step === "**") found.push(...(await walk(folder, rest.length === 0 ? ["*"] : rest)));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const deep = step === "**" && entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules";
    if (deep) found.push(...(await walk(path, steps)));
    if (step === "**" || !matches(entry.name, step)) continue;
    if (rest.length === 0 && !entry.isDirectory()) found.push(path);
    else if (rest.length > 0 && entry.isDirectory()) found.push(...(await walk(path, rest)));
  }
  return found;
}

function matches(name: string, step: string): boolean {
  if (name.startsWith(".") && !step.startsWith(".")) return false;
  const source = step
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}
