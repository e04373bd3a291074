import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { Justified } from "./justified.ts";
import type { CrdObject } from "./walk.ts";

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);

/** CRDs in files of a Go module (`path@version`), unpacked by the go command. */
export async function publishedCrds(module: string, files: readonly string[]): Promise<readonly CrdObject[]> {
  const env = { ...process.env, GOFLAGS: "-mod=mod" };
  const { stdout } = await run("go", ["mod", "download", "-json", module], { env });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const texts = await Promise.all(files.map((file) => readFile(join(Dir, file), "utf8")));
  return texts.flatMap(documents);
}

/** CRDs of a folder of ours. */
export async function ownCrds(folder: string): Promise<readonly CrdObject[]> {
  const files = await readdir(join(root, folder));
  const texts = await Promise.all(files.map((file) => readFile(join(root, folder, file), "utf8")));
  return texts.flatMap(documents);
}

function documents(text: string): readonly CrdObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS({ maxAliasCount: -1 }) as CrdObject | null)
    .filter((crd) => crd !== null);
}

/** A reviewed list of differences, by its path in the repository. */
export async function justifiedDifferences(file: string): Promise<readonly Justified[]> {
  return JSON.parse(await readFile(join(root, file), "utf8")) as readonly Justified[];
}
