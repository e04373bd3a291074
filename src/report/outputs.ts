import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { REPORT_FORMATS, type ReportFormat } from "./index.ts";

/** One report: its format, and the file it goes to; without a file: stdout. */
export interface ReportOutput {
  readonly format: ReportFormat;
  readonly file?: string;
}

/**
 * Reads the values of `-o`, each `FORMAT` or `FORMAT=FILE`; none: text on stdout. Throws UsageError for an unknown format, for
 * two reports on stdout and for two in one file.
 */
export function parseOutputs(values: readonly string[]): readonly ReportOutput[] {
  const outputs = (values.length === 0 ? ["text"] : values).map(parseOutput);
  const places = outputs.map(({ file }) => file ?? "stdout");
  const twice = places.find((place, index) => places.indexOf(place) < index);
  if (twice !== undefined)
    throw new UsageError(`two reports go to ${twice}`, "Name a file for each but one: -o text -o sarif=out.sarif");
  return outputs;
}

function parseOutput(value: string): ReportOutput {
  const at = value.indexOf("=");
  const name = at === -1 ? value : value.slice(0, at);
  const format = REPORT_FORMATS.find((known) => known === name);
  if (format === undefined) {
    const close = nearest(name, REPORT_FORMATS);
    const allowed = `Formats: ${REPORT_FORMATS.join(", ")}; FORMAT=FILE writes a file.`;
    throw new UsageError(
      `unknown output format "${name}"`,
      close === undefined ? allowed : `Did you mean ${close}? ${allowed}`,
    );
  }
  if (at === -1) return { format };
  const file = value.slice(at + 1);
  if (file === "")
    throw new UsageError(`-o ${value} names no file`, `Write -o ${name}=FILE, or -o ${name} for stdout.`);
  return { format, file };
}
