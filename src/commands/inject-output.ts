import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { Io } from "./io.ts";
import type { ChangedText } from "./inject-text.ts";
import { isUrl } from "./inject-sources.ts";

/** Where texts go: stdout, one file, or back to where they came from. */
export interface OutputFlags {
  /** A file instead of stdout. */
  readonly output?: string;
  /** Each file is written back. */
  readonly inPlace: boolean;
}

/** Throws UsageError for flags that contradict each other, and for texts that have no file to go back to. */
export function checkOutput({ output, inPlace }: OutputFlags, names: readonly string[]): void {
  if (!inPlace) return;
  if (output !== undefined) throw new UsageError("--output and --in-place cannot both be given");
  const loose = names.find((name) => name === "-" || isUrl(name));
  if (loose !== undefined)
    throw new UsageError(`${loose === "-" ? "stdin" : loose} has no place to write to`, "Leave --in-place out.");
}

/** Writes all texts, or none of them: what could not be made has thrown before. */
export async function writeTexts(
  texts: readonly ChangedText[],
  { output, inPlace }: OutputFlags,
  io: Io,
): Promise<void> {
  if (inPlace) {
    for (const { file, text, workloads } of texts)
      if (workloads.some(({ isChanged }) => isChanged)) await writeFile(resolve(io.cwd, file), text);
    return;
  }
  const all = joined(texts.map(({ text }) => text));
  if (output === undefined || output === "-") io.out(all);
  else await writeFile(resolve(io.cwd, output), all);
}

/** Texts behind each other, as documents of one. */
function joined(texts: readonly string[]): string {
  return texts.reduce((all, text) => {
    if (all === "") return text;
    const end = all.endsWith("\n") ? "" : "\n";
    return `${all}${end}${text.startsWith("---") ? "" : "---\n"}${text}`;
  }, "");
}
