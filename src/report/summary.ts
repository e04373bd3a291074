import type { ReportSummary } from "./context.ts";

/**
 * What a run left out, one sentence a line (leftOutLines), and how many findings it does not show: suppressed and fixed ones. For
 * stderr beside a report on stdout, and for formats that take plain text.
 */
export function summaryLines(summary: ReportSummary | undefined): readonly string[] {
  const { suppressed = [], fixed = 0 } = summary ?? {};
  return [
    ...leftOutLines(summary),
    ...(suppressed.length === 0 ? [] : [`Suppressed: ${counted(suppressed.length, "finding")}.`]),
    ...(fixed === 0 ? [] : [`Fixed: ${counted(fixed, "finding")}.`]),
  ];
}

/** Skipped checks with their reasons, and what could not be judged, one sentence a line. */
export function leftOutLines(summary: ReportSummary | undefined): readonly string[] {
  const { skipped = [], notChecked = [] } = summary ?? {};
  const reasons = [...new Set(skipped.map(({ reason }) => reason))];
  const why = reasons.map((reason) => `${reason}: ${namesFor(skipped, reason)}`).join("; ");
  return [
    ...(skipped.length === 0 ? [] : [`Skipped: ${counted(skipped.length, "analyzer")} (${why}).`]),
    ...[...new Set(notChecked)].map((what) => `Not checked: ${what}.`),
  ];
}

function namesFor(skipped: NonNullable<ReportSummary["skipped"]>, reason: string): string {
  return skipped.flatMap((each) => (each.reason === reason ? [each.name] : [])).join(", ");
}

/** `1 finding`, `2 findings`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
