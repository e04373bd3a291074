import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { EnvironmentError, errorText, UsageError } from "../../base/errors.ts";
import { globPattern } from "../../diagnostics/suppressions.ts";
import type { ProjectFileSpec } from "../../gen/schema-types.ts";
import type { SpecValidator } from "../../gen/validators/index.ts";

/** Its name. */
const PROJECT_FILE = ".meshctl.yaml";

/** A project's settings, read and checked. */
export interface ProjectFile {
  /** Path, as messages call it. */
  readonly file: string;
  readonly text: string;
  readonly settings: ProjectFileSpec;
  /** A path of the settings, from the working folder on. */
  readonly path: <T extends string | undefined>(path: T) => T;
  /** `paths`, from the working folder on. */
  readonly paths: readonly string[];
  /** A file as patterns of the project file name it: from the project file's folder on. */
  readonly within: (file: string) => string;
  /** Whether `exclude` leaves a file out. */
  readonly excluded: (file: string) => boolean;
}

/**
 * The project file `named`, else the nearest one from the working folder up to the root of its git repository (outside of a
 * repository: the working folder's). Throws UsageError with every problem and its place when it does not hold to its schema.
 */
export async function readProjectFile(cwd: string, named: string | undefined): Promise<ProjectFile | undefined> {
  const path = named === undefined ? findUp(cwd) : resolve(cwd, named);
  if (path === undefined) return undefined;
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new EnvironmentError("unreadable-file", `${path} cannot be read: ${errorText(error)}`);
  });
  const file = shown(cwd, path);
  const settings = await checked(file, text);
  const folder = dirname(path);
  const from = <T extends string | undefined>(name: T): T =>
    (name === undefined ? undefined : shown(cwd, join(folder, name)) || ".") as T;
  const within = (name: string): string => relative(folder, resolve(cwd, name)).split(sep).join("/");
  const patterns = (settings.exclude ?? []).flatMap((pattern) => {
    const plain = pattern.replace(/\/+$/, "");
    return [globPattern(plain), globPattern(`${plain}/*`)];
  });
  return {
    file,
    text,
    settings,
    path: from,
    paths: (settings.paths ?? []).map((name) => from(name)),
    within,
    excluded: (name) => patterns.some((test) => test(within(name))),
  };
}

function findUp(cwd: string): string | undefined {
  const folders: string[] = [];
  for (let folder = cwd; ; folder = dirname(folder)) {
    folders.push(folder);
    if (existsSync(join(folder, ".git"))) break;
    if (dirname(folder) === folder) return found([cwd]);
  }
  return found(folders);
}

function found(folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, PROJECT_FILE)).find((path) => existsSync(path));
}

function shown(cwd: string, path: string): string {
  return relative(cwd, path).split(sep).join("/");
}

async function checked(file: string, text: string): Promise<ProjectFileSpec> {
  const [{ readValues, YamlSyntaxError }, { schemaProblems }, { ProjectFile: validate }] = await Promise.all([
    import("../../resources/yaml-values.ts"),
    import("../../validation/schema.ts"),
    import("../../gen/validators/project-file.ts"),
  ]);
  let value: unknown;
  try {
    [value = {}] = readValues(text);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    throw new UsageError(`${file}:${error.line}:${error.column}: cannot be read as YAML: ${error.message}`);
  }
  const problems = schemaProblems("ProjectFile", value ?? {}, "project", validate as unknown as SpecValidator);
  if (problems.length === 0) return (value ?? {}) as ProjectFileSpec;
  const { createPositions } = await import("../../resources/yaml-positions.ts");
  const place = createPositions(text);
  const lines = problems.map(({ path, problem, hint }) => {
    const { line, column } = place(path);
    return `${file}:${line}:${column}: ${problem}${hint === "" ? "" : `. ${hint}`}`;
  });
  throw new UsageError(lines.join("\n"), "`meshctl explain` tells what the project file takes.");
}
