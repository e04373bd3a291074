import { randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

/** One file of a volume. */
export interface VolumeFile {
  readonly content: Buffer;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
}

/**
 * Makes a directory hold exactly these files (by relative path), all switched at once as the kubelet does it: readers go
 * through `..data`, a symlink that is renamed over. Returns false when everything was so already.
 */
export async function writeAtomicDir(
  directory: string,
  files: ReadonlyMap<string, VolumeFile>,
  group: number | undefined,
): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const current = await readlink(join(directory, "..data")).catch(() => undefined);
  if (current !== undefined && (await sameFiles(join(directory, current), files))) return false;
  const version = `..${new Date().toISOString().replaceAll(/[-:.TZ]/g, "_")}${randomBytes(4).toString("hex")}`;
  await mkdir(join(directory, version), { mode: 0o755 });
  for (const [path, { content, mode }] of files) {
    const target = join(directory, version, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, content);
    await chmod(target, group === undefined ? mode : mode | ((mode & 0o400) >> 3));
    if (group !== undefined) await chown(target, -1, group);
  }
  await symlink(version, join(directory, "..data_tmp"));
  await rename(join(directory, "..data_tmp"), join(directory, "..data"));
  const tops = new Set([...files.keys()].map((path) => path.split("/")[0] ?? ""));
  await linkTops(directory, tops);
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true });
  return true;
}

async function linkTops(directory: string, tops: ReadonlySet<string>): Promise<void> {
  const present = (await readdir(directory)).filter((name) => !name.startsWith(".."));
  for (const name of present) if (!tops.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  for (const name of tops) if (!present.includes(name)) await symlink(join("..data", name), join(directory, name));
}

async function sameFiles(directory: string, files: ReadonlyMap<string, VolumeFile>): Promise<boolean> {
  const present = await listFiles(directory, "");
  if (present.length !== files.size) return false;
  for (const [path, { content }] of files) {
    const old = await readFile(join(directory, path)).catch(() => undefined);
    if (old === undefined || !old.equals(content)) return false;
  }
  return true;
}

async function listFiles(directory: string, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir(join(directory, prefix))) {
    const path = join(prefix, name);
    if ((await lstat(join(directory, path))).isDirectory()) found.push(...(await listFiles(directory, path)));
    else found.push(path);
  }
  return found;
}
