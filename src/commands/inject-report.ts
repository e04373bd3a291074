import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../base/errors.ts";
import type { SettingsSource } from "./inject-settings.ts";
import type { ChangedText } from "./inject-text.ts";
import type { Io } from "./io.ts";

/** What was done to files: the report of inject and uninject, schemas/output/inject.schema.json. */
export interface InjectReport {
  /** Where the settings came from; absent for uninject. */
  readonly configuration?: SettingsSource & { readonly revision: string };
  readonly workloads: readonly ReportedWorkload[];
  /** Documents without workloads: printed as they were. */
  readonly otherDocuments: number;
  /** `FILE:LINE` of documents whose text could not be edited: written anew, without their comments. */
  readonly rewritten: readonly string[];
}

/** One workload. */
export interface ReportedWorkload {
  readonly file: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Whether it has a sidecar now. */
  readonly injected: boolean;
  readonly changed: boolean;
  readonly reason: string;
  readonly warnings: readonly string[];
}

/** The report of texts. */
export function reportOf(texts: readonly ChangedText[], configuration?: InjectReport["configuration"]): InjectReport {
  return {
    ...(configuration === undefined ? {} : { configuration }),
    workloads: texts.flatMap(({ workloads }) =>
      workloads.map(({ decision, isChanged, ...rest }) => ({
        ...rest,
        injected: decision.inject,
        changed: isChanged,
        reason: decision.reason,
        warnings: decision.warnings,
      })),
    ),
    otherDocuments: texts.reduce((sum, { others }) => sum + others, 0),
    rewritten: texts.flatMap(({ file, rewritten }) => rewritten.map((line) => `${file}:${line}`)),
  };
}

/** Where the report goes: `text` or `json` to stderr, or `FORMAT=FILE`. */
export interface ReportTarget {
  readonly format: "text" | "json" | "none";
  readonly file?: string;
}

/** Reads --report. Throws UsageError for a format that there is not. */
export function reportTarget(flag: string | undefined): ReportTarget {
  const [format = "text", ...rest] = (flag ?? "text").split("=");
  if (format !== "text" && format !== "json" && format !== "none")
    throw new UsageError(`there is no report "${format}"`, "Use text, json or none, or text=FILE, json=FILE.");
  return rest.length === 0 ? { format } : { format, file: rest.join("=") };
}

/** Writes the report; stdout is for YAML alone. `closing` is the last line of the text. */
export async function writeReport(
  report: InjectReport,
  { target, closing }: { readonly target: ReportTarget; readonly closing: string },
  io: Io,
): Promise<void> {
  if (target.format === "none") return;
  const text = target.format === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : textOf(report) + closing;
  if (target.file === undefined) io.err(text);
  else await writeFile(resolve(io.cwd, target.file), text);
}

function textOf({ workloads, rewritten }: InjectReport): string {
  const anew = rewritten.map(
    (place) => `${place} is written anew, without comments: its text has parts that stand for others\n`,
  );
  const lines = workloads.map(({ kind, namespace, name, injected, changed, reason, warnings }) => {
    const what = `${kind} ${namespace}/${name}`;
    const lines = [
      injected ? `${what}: injected` : changed ? `${what}: ${reason}` : `${what} is left as it is: ${reason}`,
      ...warnings.map((warning) => `${what}: ${warning}`),
    ];
    return lines.map((line) => `${line}\n`).join("");
  });
  return [...lines, ...anew].join("");
}

/** `3 workloads`, `1 document`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
