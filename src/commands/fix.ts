import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fixes } from "../analyzers/fixes.ts";
import { unifiedDiff } from "../base/line-diff.ts";
import { UsageError } from "../base/errors.ts";
import { readManifests, type SourcedObject, type SourceText } from "../resources/manifests.ts";
import type { KubeObject } from "../resources/object.ts";
import { refOf, refText } from "../resources/object.ts";
import { editYaml, YamlEditError } from "../resources/yaml-edit.ts";
import { listOption, switchOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readSources } from "./sources.ts";

/** What `meshctl fix` is asked. */
export interface FixOptions {
  /** Files, directories, `-` (the repaired text goes to stdout). */
  readonly sources: readonly string[];
  /** Print what would change and write nothing; exit code 1 when something would. */
  readonly dryRun: boolean;
}

/** Repairs the mistakes that have one right answer, keeping comments, order and style. */
export async function fix({ sources, dryRun }: FixOptions, io: Io): Promise<CommandResult> {
  const texts = await readSources(sources, io);
  const counts: number[] = [];
  for (const source of texts) {
    const { text, done } = repaired(source, io);
    if (dryRun) io.out(unifiedDiff(source.file, source.text, text));
    else if (sources.includes("-") && source.file === "stdin") io.out(text);
    else if (text !== source.text) await writeFile(resolve(io.cwd, source.file), text);
    for (const words of done) io.err(`${dryRun ? "would repair" : "repaired"} ${words}\n`);
    counts.push(done.length);
  }
  const repairs = counts.reduce((sum, count) => sum + count, 0);
  io.err(closing(repairs, counts.filter((count) => count > 0).length, dryRun));
  return { exitCode: dryRun && repairs > 0 ? 1 : 0 };
}

function closing(repairs: number, files: number, dryRun: boolean): string {
  if (repairs === 0) return "✔ Nothing to repair.\n";
  const of = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
  return `${dryRun ? "Would make" : "✔ Made"} ${of(repairs, "repair")} in ${of(files, "file")}.\n`;
}

/** More than any file needs; a repair that does not end is ours to fix. */
const MOST_REPAIRS = 10_000;

function repaired(source: SourceText, io: Io): { readonly text: string; readonly done: readonly string[] } {
  const done: string[] = [];
  const refused = new Set<string>();
  let { text } = source;
  const { objects } = readManifests([source]);
  // from the last object on: edits leave what stands above them where it is
  for (const [index, read] of [...objects.entries()].toReversed()) {
    let sourced: SourcedObject | undefined = read;
    while (sourced !== undefined && done.length < MOST_REPAIRS) {
      const step = nextRepair(sourced, text, refused);
      if (step === undefined) break;
      if ("problem" in step) io.err(`not repaired: ${source.file}: ${step.problem}\n`);
      else {
        text = step.text;
        done.push(`${source.file}: ${step.words}`);
        sourced = readManifests([{ ...source, text }]).objects[index];
      }
    }
  }
  return { text, done };
}

type Repair = { readonly text: string; readonly words: string } | { readonly problem: string };

function nextRepair({ object, place }: SourcedObject, text: string, refused: Set<string>): Repair | undefined {
  for (const { name, next } of fixes) {
    const id = `${name} ${identity(object)}`;
    const edits = refused.has(id) ? [] : next(object);
    if (edits.length === 0) continue;
    const { document, path } = place();
    const words = `${name}: ${refText({ ...refOf(object), namespace: object.metadata.namespace ?? "" })}`;
    try {
      const made = editYaml(
        text,
        edits.map((edit) => ({ ...edit, document, path: [...path, ...edit.path] })),
      );
      if (edits.some(({ type }) => type === "delete") || comments(made) === comments(text))
        return { text: made, words };
      refused.add(id);
      return { problem: `${words} (a comment stands inside: please do it by hand)` };
    } catch (error) {
      if (!(error instanceof YamlEditError)) throw error;
      refused.add(id);
      return { problem: `${words} (${error.message})` };
    }
  }
  return undefined;
}

/** How many comments a text has, as far as that can be told by lines. */
function comments(text: string): number {
  return text.match(/(?:^|\s)#/gm)?.length ?? 0;
}

function identity({ apiVersion, kind, metadata }: KubeObject): string {
  return [apiVersion, kind, metadata.namespace ?? "", metadata.name].join("/");
}

/** Entry of the command table. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const sources = [...input.args, ...listOption(input, "filename")];
  if (sources.length === 0) throw new UsageError("nothing to repair", "Name files or directories, or - for stdin.");
  return fix({ sources, dryRun: switchOption(input, "dryRun") }, io);
}
