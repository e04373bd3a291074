import { execFileSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** Archives of this repository's images, built where the cache has none: for nodes of tests. */
export function testImages(): readonly string[] {
  const printed = execFileSync(process.execPath, [join(root, "images/build.mjs"), "--test"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  return printed.trim().split("\n");
}
