import { responseFlagText } from "../../base/response-flags.ts";
import type { Colours } from "../../report/colours.ts";
import { table } from "../../report/table.ts";
import type { Trace, TreeSpan } from "./spans.ts";

/** Places for colour and width. */
export interface Screen {
  readonly colours: Colours;
  readonly columns: number;
}

const FEWEST_BARS = 20;

/** A trace as a waterfall: who called whom, when, how long, with what answer. */
export function waterfall(trace: Trace, { colours, columns }: Screen): string {
  const rows = trace.spans.map((span, index) => ({
    span,
    cells: [
      `${branches(trace.spans, index)}${span.service}`,
      span.kind === "other" ? "" : span.kind,
      span.operation,
      outcome(span),
      `${span.startMs.toFixed(1)}`,
      `${span.durationMs.toFixed(1)} ms`,
    ],
  }));
  const heads = ["SERVICE", "KIND", "OPERATION", "STATUS", "AT", "TOOK"];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map(({ cells }) => (cells[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column >= 4 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ");
  const used = widths.reduce((sum, width) => sum + width + 2, 0);
  const room = Math.max(FEWEST_BARS, columns - used - 1);
  const body = rows.map(({ span, cells }) => {
    const paint = span.error || (span.status ?? 0) >= 500 ? colours.redBright : colours.green;
    return `${line(cells)}  ${paint(bar(trace, span, room))}`.trimEnd();
  });
  const { length } = trace.spans;
  const title = `Trace ${trace.traceId}: ${length} span${length === 1 ? "" : "s"} of ${trace.services.length} service${trace.services.length === 1 ? "" : "s"}, ${trace.durationMs.toFixed(1)} ms, ${trace.start}`;
  return `${colours.bold(title)}\n${colours.dim(line(heads).trimEnd())}\n${body.join("\n")}\n${notes(trace)}`;
}

/** Lines from a span to its parent, as a tree is drawn. */
function branches(spans: readonly TreeSpan[], index: number): string {
  const depth = spans[index]?.depth ?? 0;
  let drawn = "";
  for (let level = 1; level <= depth; level += 1) {
    const goesOn = hasSibling(spans, index, level);
    if (level === depth) drawn += goesOn ? "├ " : "└ ";
    else drawn += goesOn ? "│ " : "  ";
  }
  return drawn;
}

/** Whether another span of this level follows below the same parent. */
function hasSibling(spans: readonly TreeSpan[], index: number, level: number): boolean {
  for (const { depth } of spans.slice(index + 1)) {
    if (depth < level) return false;
    if (depth === level) return true;
  }
  return false;
}

function outcome({ status, flags, error }: TreeSpan): string {
  const words = [...(status === undefined ? [] : [String(status)]), ...flags];
  return words.length === 0 && error ? "error" : words.join(" ");
}

function bar({ durationMs }: Trace, span: TreeSpan, room: number): string {
  const scale = durationMs === 0 ? 0 : room / durationMs;
  const from = Math.min(room - 1, Math.floor(span.startMs * scale));
  const size = Math.min(room - from, Math.max(1, Math.round(span.durationMs * scale)));
  return `${" ".repeat(from)}${"▇".repeat(size)}`;
}

function notes({ spans }: Trace): string {
  const flags = [...new Set(spans.flatMap((span) => span.flags))];
  const orphans = [...new Set(spans.filter(({ orphan }) => orphan).map(({ service }) => service))];
  const lines = [
    ...flags.map((flag) => `${flag}: ${responseFlagText(flag) ?? "not a flag of this Envoy"}`),
    ...orphans.map((service) => `${service}: a span's parent is missing here: it was not reported, or not yet`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** A line for each trace. */
export function traceTable(traces: readonly Trace[]): string {
  const columns = ["TRACE", "START", "TOOK", "SPANS", "ERRORS", "SERVICES"];
  return table(
    columns,
    traces.map(({ traceId, start, durationMs, spans, services }) => [
      traceId,
      start,
      `${durationMs.toFixed(1)} ms`,
      String(spans.length),
      String(spans.filter(({ error }) => error).length),
      services.join(" "),
    ]),
  );
}
