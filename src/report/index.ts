import type { Finding } from "../diagnostics/finding.ts";
import type { ReportContext, Reporter } from "./context.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { log } from "./log.ts";
import { markdown } from "./markdown.ts";
import { sarif } from "./sarif.ts";
import { text } from "./text.ts";
import { yaml } from "./yaml.ts";

/** Reporters by the name that `-o` takes, in the order that help lists them. */
export const reporters = { text, log, json, yaml, sarif, junit, github, gitlab, markdown } as const satisfies Readonly<
  Record<string, Reporter>
>;

/** A name that `-o` takes. */
export type ReportFormat = keyof typeof reporters;

/** Every name that `-o` takes. */
export const REPORT_FORMATS = Object.keys(reporters) as readonly ReportFormat[];

/** Findings in a format. Ends with a line end unless empty. */
export function render(format: ReportFormat, findings: readonly Finding[], context: ReportContext): string {
  return reporters[format](findings, context);
}
