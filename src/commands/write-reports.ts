import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { ReportContext } from "../report/context.ts";
import { render } from "../report/index.ts";
import type { ReportOutput } from "../report/outputs.ts";
import { summaryLines } from "../report/summary.ts";
import type { Io } from "./io.ts";

/**
 * Every report that was asked for: files first, then stdout; what the run left out goes to stderr as well, unless stdout got a
 * format that says it. Text in a file has it at its end. Throws EnvironmentError when a file cannot be written.
 */
export async function writeReports(
  outputs: readonly ReportOutput[],
  findings: readonly Finding[],
  context: Omit<ReportContext, "terminal" | "env">,
  io: Pick<Io, "out" | "err" | "env" | "isTTY" | "cwd">,
): Promise<void> {
  const left = summaryLines(context.summary).map((line) => `${line}\n`);
  for (const { format, file } of outputs) {
    if (file === undefined) continue;
    const plain = render(format, findings, { ...context, terminal: false, env: io.env });
    await save(resolve(io.cwd, file), format === "text" ? plain + left.join("") : plain);
  }
  const shown = outputs.find(({ file }) => file === undefined);
  if (shown !== undefined) io.out(render(shown.format, findings, { ...context, terminal: io.isTTY, env: io.env }));
  if (shown === undefined || PLAIN.has(shown.format)) io.err(left.join(""));
}

/** Formats on stdout that have no place for what was left out: scripts know their lines and lists from istioctl. */
const PLAIN: ReadonlySet<string> = new Set(["text", "log", "json", "yaml"]);

async function save(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (error) {
    const hint = "Name a file that can be written after the = of -o.";
    throw new EnvironmentError("unwritable-file", `${path} cannot be written: ${errorText(error)}`, { hint });
  }
}
