import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { SourceText } from "../resources/manifests.ts";
import type { Io } from "./io.ts";

/** What messages call standard input. */
const STDIN = "stdin";

const MANIFEST = /\.(?:ya?ml|json)$/i;

/**
 * The texts behind names that a user gives: files, directories (all .yaml, .yml and .json below, hidden folders and node_modules
 * left out), `-` for standard input. Each file once, in the order given, directories sorted. Throws EnvironmentError for a name
 * that cannot be read.
 */
export async function readSources(
  names: readonly string[],
  io: Pick<Io, "cwd" | "readStdin">,
): Promise<readonly SourceText[]> {
  const sources = new Map<string, SourceText>();
  for (const name of names) {
    if (name === "-") sources.set(STDIN, { file: STDIN, text: await io.readStdin() });
    else
      for (const path of await filesOf(resolve(io.cwd, name))) {
        if (!sources.has(path)) sources.set(path, { file: shown(path, name, io.cwd), text: await read(path) });
      }
  }
  return [...sources.values()];
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await isDirectory(path))) return [path];
  const entries = await attempt(path, () => readdir(path, { withFileTypes: true }));
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = join(path, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    if (await isDirectory(inside)) files.push(...(await filesOf(inside)));
    else if (MANIFEST.test(entry.name)) files.push(inside);
  }
  return files;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await attempt(path, () => stat(path))).isDirectory();
}

function read(path: string): Promise<string> {
  return attempt(path, () => readFile(path, "utf8"));
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const words = missing ? `${path} does not exist` : `${path} cannot be read: ${errorText(error)}`;
    throw new EnvironmentError("unreadable-file", words, { hint: "Check the name and the permissions." });
  }
}

/** The path as the user would write it from here. */
function shown(path: string, name: string, cwd: string): string {
  if (isAbsolute(name)) return path;
  return relative(cwd, path).split(sep).join("/");
}
