import { UsageError } from "../base/errors.ts";
import { fittedTable, table } from "../report/table.ts";
import { edgeCells } from "./edges.ts";
import { durationOption, globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { type Edge, edgesOf, GOLDEN_COLUMNS, goldenCells } from "./traffic/rows.ts";
import { between, pause, proxyPods, totals } from "./traffic/scrape.ts";
import { partyTest, touches } from "./traffic/wanted.ts";

/** Orders of the rows, worst or busiest first. */
const SORTS: Readonly<Record<string, (edge: Edge) => number>> = {
  rps: ({ rps = 0 }) => rps,
  failures: ({ requests, success = 1 }) => requests * (1 - success),
  p99: ({ p99 = 0 }) => p99,
};

/** `meshctl top [WORKLOAD]`: who calls whom now, a table per interval; on a terminal it is drawn anew, -o json gives a line each. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace } = globalOptions(input);
  const intervalMs = durationOption(input, "interval", "5s");
  if (intervalMs < 100) throw new UsageError("--interval: expected 100ms or more");
  const [count, limit] = [wholeNumber(input, "count"), wholeNumber(input, "limit")];
  const order = SORTS[textOption(input, "sort") ?? "rps"] ?? (() => 0);
  const [asked] = input.args;
  const isAsked = asked === undefined ? () => true : partyTest(asked, namespace);
  const inNamespace = touches(asked === undefined ? namespace : undefined);
  const cluster = await io.cluster();
  const ask = async (): Promise<Taken> => {
    const at = performance.now();
    return { at, proxies: await totals(cluster, await proxyPods(cluster, undefined), io) };
  };
  let last = await ask();
  for (let shown = 0; (count === 0 || shown < count) && !io.signal.aborted; shown += 1) {
    await pause(intervalMs, io.signal);
    if (io.signal.aborted) break;
    const now = await ask();
    const seconds = (now.at - last.at) / 1000;
    const edges = edgesOf(
      between(last.proxies, now.proxies, seconds),
      (flow) => inNamespace(flow) && (isAsked(flow.from) || isAsked(flow.to)),
    ).toSorted((a, b) => order(b) - order(a));
    show({ edges: limit === 0 ? edges : edges.slice(0, limit), seconds }, input, io);
    last = now;
  }
  return { exitCode: 0 };
}

interface Taken {
  readonly at: number;
  readonly proxies: Awaited<ReturnType<typeof totals>>;
}

function wholeNumber(input: CommandInput, name: string): number {
  const text = textOption(input, name) ?? "0";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--${name}: expected a number, got "${text}"`);
}

/** What one interval prints, and -o json as a line. */
function show(
  { edges, seconds }: { readonly edges: readonly Edge[]; readonly seconds: number },
  input: CommandInput,
  io: Io,
): void {
  const at = io.now().toISOString();
  if (textOption(input, "output") === "json") {
    io.out(`${JSON.stringify({ at, seconds: Number(seconds.toFixed(3)), edges })}\n`);
    return;
  }
  if (!io.isTTY) return io.out(`${topTable(edges)}\n`);
  const head = `${at.slice(11, 19)}  ${edges.length} edges, the last ${seconds.toFixed(1)} s; Ctrl-C ends`;
  io.out(
    `${CLEAR}${head}\n\n${fittedTable(TOP_COLUMNS, edges.map(topCells), { columns: io.columns, droppable: DROPPABLE })}`,
  );
}

/** To the upper left corner, and all below away. */
const CLEAR = "\x1b[H\x1b[J";

const TOP_COLUMNS = ["FROM", "TO", "SERVICE", "PROTOCOL", ...GOLDEN_COLUMNS, "CODES"];
/** What a narrow terminal can do without, the least first. */
const DROPPABLE = ["PROTOCOL", "P95", "CODES", "SERVICE", "REQUESTS", "P50"];

function topCells(edge: Edge): readonly string[] {
  return [...edgeCells(edge), ...goldenCells(edge), codesCell(edge.codes)];
}

/** The table of `top`. */
export function topTable(edges: readonly Edge[]): string {
  return table(TOP_COLUMNS, edges.map(topCells));
}

function codesCell(codes: Edge["codes"]): string {
  const parts = Object.entries(codes).map(([code, count]) => `${code}:${count}`);
  return parts.length === 0 ? "-" : parts.join(" ");
}
