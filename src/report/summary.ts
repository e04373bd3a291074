import type { ReportSummary } from "./context.ts";

/**
 * What a run left out, one sentence a line: skipped checks with their reasons, what could not be judged, suppressed findings.
 * For stderr beside a report on stdout, and for formats that take plain text.
 */
export function summaryLines(summary: ReportSummary | undefined): readonly string[] {
  const { skipped = [], notChecked = [], suppressed = [], fixed = 0 } = summary ?? {};
  const reasons = [...new Set(skipped.map(({ reason }) => reason))];
  const why = reasons.map((reason) => `${reason}: ${namesFor(skipped, reason)}`).join("; ");
  return [
    ...(skipped.length === 0 ? [] : [`Skipped: ${counted(skipped.length, "analyzer")} (${why}).`]),
    ...[...new Set(notChecked)].map((what) => `Not checked: ${what}.`),
    ...(suppressed.length === 0 ? [] : [`Suppressed: ${counted(suppressed.length, "finding")}.`]),
    ...(fixed === 0 ? [] : [`Fixed: ${counted(fixed, "finding")}.`]),
  ];
}

function namesFor(skipped: NonNullable<ReportSummary["skipped"]>, reason: string): string {
  return skipped.flatMap((each) => (each.reason === reason ? [each.name] : [])).join(", ");
}

/** `1 finding`, `2 findings`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
