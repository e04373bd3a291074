import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { setUp } from "./programs.ts";

const run = promisify(execFile);
const tool = join(import.meta.dirname, "../../../images/image.py");

/** Archives of images with the programs that were built for two addons, under the names that the addons' manifests have for them. */
export async function addonImages(
  folder: string,
  named: Readonly<Record<"jaeger" | "collector", string>>,
): Promise<readonly string[]> {
  const archives: string[] = [];
  for (const what of ["jaeger", "collector"] as const) {
    const out = join(folder, `${what}.tar`);
    const program = await setUp(what);
    await run("python3", [
      tool,
      `--out=${out}`,
      `--name=${named[what]}`,
      "--user=10001:10001",
      "--entrypoint=/program",
      `--add=${program}:/program:755`,
    ]);
    archives.push(out);
  }
  return archives;
}
