import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";

/** `UPDATE_GOLDEN=1 npm run unit` writes the goldens instead of comparing with them. */
const UPDATE = process.env["UPDATE_GOLDEN"] === "1";

/** Holds `text` to the file; says how to accept a change. */
export function expectGolden(file: string, text: string): void {
  if (UPDATE) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  const wanted = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  expect(text, `${file} differs: run again with UPDATE_GOLDEN=1 to accept`).toBe(wanted);
}

/** Goldens in `folder` that no case wrote: removed when updating, a failure otherwise. `files` are the names that belong there. */
export function expectNoStaleGoldens(folder: string, files: Iterable<string>): void {
  const known = new Set(files);
  const stale = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => !known.has(name));
  if (UPDATE) for (const name of stale) rmSync(join(folder, name), { recursive: true });
  else expect(stale, `goldens in ${folder} that no case writes`).toEqual([]);
}
