import { readdir, readFile, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { SourceText } from "../resources/manifests.ts";
import { decodeText } from "./decode-text.ts";
import { isGlob, matchGlob } from "./glob.ts";
import type { Io } from "./io.ts";

/** What messages call standard input. */
const STDIN = "stdin";

const MANIFEST = /\.(?:ya?ml|json)$/i;

/** A text that a user named, not read yet. */
export interface SourceFile {
  /** What messages call it: the path as the user would write it, or `stdin`. */
  readonly file: string;
  /** Absolute; undefined for standard input. */
  readonly path: string | undefined;
}

/**
 * The files behind names that a user gives: files, directories (all .yaml, .yml and .json below, hidden folders and node_modules
 * left out), patterns with `*`, `?` and `**`, `-` for standard input. Each file once, in the order given, directories sorted.
 * Throws EnvironmentError for a name that cannot be read, and for a directory or pattern without manifests.
 */
export async function listSources(names: readonly string[], { cwd }: Pick<Io, "cwd">): Promise<readonly SourceFile[]> {
  const sources = new Map<string, SourceFile>();
  for (const name of names) {
    if (name === "-") sources.set(STDIN, { file: STDIN, path: undefined });
    else
      for (const path of await filesBehind(name, cwd))
        if (!sources.has(path)) sources.set(path, { file: shown(path, name, cwd), path });
  }
  return [...sources.values()];
}

/** The texts behind names that a user gives, as listSources finds them. Throws EnvironmentError for what is no text. */
export async function readSources(
  names: readonly string[],
  io: Pick<Io, "cwd" | "readStdin">,
): Promise<readonly SourceText[]> {
  const sources: SourceText[] = [];
  for (const { file, path } of await listSources(names, io))
    sources.push({ file, text: path === undefined ? await readInput(io) : await readTextFile(path, file) });
  return sources;
}

/** Standard input, whole. Throws EnvironmentError when it is closed. */
export async function readInput(io: Pick<Io, "readStdin">): Promise<string> {
  try {
    return await io.readStdin();
  } catch (error) {
    // an interrupt is no matter of the input
    if (!isSystemError(error)) throw error;
    const words = `standard input cannot be read: ${errorText(error)}`;
    throw new EnvironmentError("unreadable-file", words, { hint: "Pipe a text into the command, or name a file." });
  }
}

/** A file as text; `file` is what messages call it. Throws EnvironmentError when it cannot be read or is no text. */
export async function readTextFile(path: string, file: string): Promise<string> {
  return decodeText(await attempt(path, () => readFile(path)), file);
}

async function filesBehind(name: string, cwd: string): Promise<readonly string[]> {
  const path = resolve(cwd, name);
  const found = isGlob(name) && !(await exists(path)) ? await matchGlob(name, cwd) : undefined;
  const files = found ?? (await filesOf(path));
  if (files.length > 0) return files;
  const words = found === undefined ? `${path} holds no manifests` : `nothing matches ${name}`;
  throw new EnvironmentError("no-manifests", words, { hint: "Manifests are files that end in .yaml, .yml or .json." });
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await isDirectory(path))) return [path];
  const entries = await attempt(path, () => readdir(path, { withFileTypes: true }));
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = join(path, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const folder = entry.isDirectory() || (entry.isSymbolicLink() && (await isDirectory(inside)));
    if (folder) files.push(...(await filesOf(inside)));
    else if (MANIFEST.test(basename(inside))) files.push(inside);
  }
  return files;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return (await attempt(path, () => stat(path))).isDirectory();
}

/** Runs a call of the file system; what it throws becomes an EnvironmentError that names the path. */
export async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const missing = error.code === "ENOENT";
    const words = missing ? `${path} does not exist` : `${path} cannot be read: ${errorText(error)}`;
    throw new EnvironmentError("unreadable-file", words, { hint: "Check the name and the permissions." });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string" && "errno" in error;
}

/** The path as the user would write it from here. */
function shown(path: string, name: string, cwd: string): string {
  if (isAbsolute(name)) return path;
  return relative(cwd, path).split(sep).join("/");
}
