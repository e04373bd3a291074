import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of this package, from any of its files: built or source. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "bin", "meshctl.js"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("bin/meshctl.js is not above this file");
    folder = parent;
  }
  return folder;
}
