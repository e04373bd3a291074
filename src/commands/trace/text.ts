import type { Rejected } from "../../simulate/verdict.ts";
import type { Source } from "../../why/source.ts";
import { percent } from "./trace.ts";
import type { Branch, Live, Step, Trace } from "./types.ts";

/** What a chain wanted that another one beat. */
const ANY = "any, and another chain is more exact";

/** How many losers of one step are shown; programs get all. */
const SHOWN = 5;

/** A trace for people: a line for each decision, and below it why and what lost. */
export function traceText({ from, method, url, steps, branches, ends, live }: Trace): string {
  const lines = [`${method} ${url} from ${from}`, ...steps.flatMap((step) => stepLines(step, "  "))];
  for (const branch of branches) lines.push(...branchLines(branch, branches.length));
  const end = `${ends.kind === "failed" ? "✘" : "✔"} ${ends.text}`;
  return `${[...lines, end, ...(live === undefined ? [] : liveLines(live))].join("\n")}\n`;
}

function liveLines(live: Live): readonly string[] {
  const { requestId, lines, differences } = live;
  return [
    `sent as ${requestId}: ${answerText(live)}`,
    ...lines.map(({ proxy, cluster, text }) => `  ${proxy}${cluster === undefined ? "" : ` in ${cluster}`}: ${text}`),
    ...(lines.length === 0 ? ["  no access log tells of it: only the status is compared"] : []),
    ...(differences.length === 0 ? ["✔ it went that way"] : differences.map((words) => `✘ ${words}`)),
  ];
}

function answerText({ status, bytes, closed, error }: Live): string {
  if (status !== undefined) return String(status);
  if (bytes === undefined || error !== undefined) return error ?? "no answer";
  return `${bytes} bytes came back${closed === true ? ", then the other side ended the connection" : ""}`;
}

function branchLines({ share, cluster, steps, ends }: Branch, count: number): readonly string[] {
  if (count === 1) return steps.flatMap((step) => stepLines(step, "  "));
  const head = `  ${percent(share)} to ${cluster}: ${ends.text}`;
  return [head, ...steps.flatMap((step) => stepLines(step, "    "))];
}

function stepLines(
  { step, proxy, cluster, chosen, note, source, rejected = [] }: Step,
  indent: string,
): readonly string[] {
  const said = note === undefined ? "" : ` (${note})`;
  const where = cluster === undefined ? "" : ` in ${cluster}`;
  const head = `${indent}${step} of ${proxy}${where}: ${chosen === "" ? "none" : chosen}${said}`;
  const why = source === undefined ? [] : sourceLines(source);
  return [head, ...[...why, ...rejectedLines(rejected)].map((line) => `${indent}  ${line}`)];
}

function sourceLines({ object, field, file, line, lost = [], parts = {} }: Source): readonly string[] {
  const place = file === undefined ? "" : ` (${file}:${line ?? 1})`;
  return [
    `from ${object}${field === undefined ? "" : ` ${field}`}${place}`,
    ...Object.entries(parts).map(([part, where]) => `its ${part} from ${where}`),
    ...lost.map((loser) => `over ${loser}`),
  ];
}

/** Chains of other ports are no news to people. */
function rejectedLines(all: readonly Rejected[]): readonly string[] {
  const rejected = all.filter(({ miss }) => miss.condition !== "destination port" && miss.wanted !== ANY);
  const lines = rejected
    .slice(0, SHOWN)
    .map(
      ({ name, miss }) =>
        `not ${name === "" ? "one without a name" : name}: ${miss.condition} ${miss.got ?? "missing"}, wanted ${miss.wanted}`,
    );
  return rejected.length > SHOWN ? [...lines, `nor ${rejected.length - SHOWN} others`] : lines;
}
