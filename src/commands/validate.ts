import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { sortFindings } from "../analyzers/sort.ts";
import { EnvironmentError, UsageError } from "../base/errors.ts";
import type { Finding, SourcePosition } from "../diagnostics/finding.ts";
import { VERSION } from "../gen/version.ts";
import { parseOutputs, type ReportOutput } from "../report/outputs.ts";
import { globalOptions, listOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { listSources } from "./sources.ts";
import { textBlocks } from "./text-blocks.ts";
import { validateBlock } from "./validate-block.ts";
import { writeReports } from "./write-reports.ts";

/** What `meshctl validate` is asked. */
export interface ValidateOptions {
  /** Files, directories, patterns, `-`. */
  readonly names: readonly string[];
  /** Namespace of objects that name none. */
  readonly namespace: string;
  readonly outputs: readonly ReportOutput[];
}

/** What a validation found. */
export interface ValidateOutcome extends CommandResult {
  readonly objects: number;
  readonly findings: readonly Finding[];
}

/**
 * Each object alone, as the webhook of the control plane looks at it; no cluster, no relations. Files are read and forgotten block
 * by block. Exit code 1 for an error, 2 for a text that is no YAML, in every format.
 */
export async function validate(options: ValidateOptions, io: Io): Promise<ValidateOutcome> {
  const sources = await listSources(options.names, io);
  const found: Finding[] = [];
  let objects = 0;
  for (const file of sources)
    for await (const source of textBlocks(file, io)) {
      const result = validateBlock(source, options.namespace);
      objects += result.objects;
      found.push(...result.findings);
    }
  const findings = sortFindings(found);
  if (objects === 0 && findings.length === 0) throw nothing(options.names);
  await writeReports(
    options.outputs,
    findings,
    { sourceLine: lineReader(io), summary: { version: VERSION, objects } },
    io,
  );
  const exitCode = exitCodeOf(findings);
  if (exitCode === 0) io.err(`✔ ${objects === 1 ? "1 object is" : `${objects} objects are`} valid.\n`);
  return { objects, findings, exitCode };
}

/** Entry of the command table. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const names = [...input.args, ...listOption(input, "filename")];
  if (names.length === 0) throw new UsageError("nothing to validate", "Name files or directories, or - for stdin.");
  const outputs = parseOutputs(listOption(input, "output"));
  return validate({ names, outputs, namespace: globalOptions(input).namespace ?? "default" }, io);
}

function nothing(names: readonly string[]): EnvironmentError {
  const words = `nothing to validate: ${names.map((name) => (name === "-" ? "stdin" : name)).join(", ")} held no object`;
  return new EnvironmentError("no-objects", words, {
    hint: "Check what wrote it; an empty text is often a failed step before.",
  });
}

/** Lines of files for excerpts, read again when first asked for; the last file is kept. */
function lineReader(io: Pick<Io, "cwd">): (position: SourcePosition) => string | undefined {
  let known: { readonly file: string; readonly lines: readonly string[] } | undefined;
  return ({ file, line }) => {
    if (known?.file !== file) known = { file, lines: linesOf(resolve(io.cwd, file)) };
    return known.lines[line - 1];
  };
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/);
  } catch {
    return [];
  }
}

function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ code }) => code === "MSH0001")) return 2;
  return findings.some(({ level }) => level === "Error") ? 1 : 0;
}
