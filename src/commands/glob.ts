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
  if (step === "**") {
    const inner = entries.filter((entry) => entry.isDirectory() && !LEFT_OUT.test(entry.name));
    const below = await Promise.all(inner.map((entry) => walk(join(folder, entry.name), steps)));
    return [...(await walk(folder, rest.length === 0 ? ["*"] : rest)), ...below.flat()];
  }
  const named = entries.filter((entry) => matches(entry.name, step) && entry.isDirectory() === rest.length > 0);
  const paths = named.map((entry) => join(folder, entry.name));
  return rest.length === 0 ? paths : (await Promise.all(paths.map((path) => walk(path, rest)))).flat();
}

/** Folders that `**` does not enter. */
const LEFT_OUT = /^\.|^node_modules$/;

function matches(name: string, step: string): boolean {
  if (name.startsWith(".") && !step.startsWith(".")) return false;
  const source = step
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}
