import { fittedTable, table } from "../report/table.ts";
import { fromEach, meshClusters } from "./clusters.ts";
import { durationOption, globalOptions } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";
import { type Edge, edgesOf, GOLDEN_COLUMNS, goldenCells, identityCell } from "./traffic/rows.ts";
import { observed } from "./traffic/scrape.ts";
import { partyTest, touches } from "./traffic/wanted.ts";

/** `meshctl edges [WORKLOAD]`: who called whom, by which identities and how it was secured, as proxies counted. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { namespace } = globalOptions(input);
  const windowMs = durationOption(input, "window", "0");
  const [asked] = input.args;
  const isAsked = asked === undefined ? () => true : partyTest(asked, namespace);
  // both ends of a call may be in different clusters: what all proxies counted is put together
  const { answers } = await fromEach(
    await meshClusters(input, io),
    ({ cluster }) => observed(cluster, { namespace, windowMs }, io),
    io,
  );
  const inNamespace = touches(asked === undefined ? namespace : undefined);
  const edges = edgesOf(
    answers.flatMap(({ answer }) => answer),
    (flow) => inNamespace(flow) && (isAsked(flow.from) || isAsked(flow.to)),
    answers.length > 1,
  );
  if (edges.length === 0) io.err("No proxy has counted anything.\n");
  print(input, io, {
    data: { edges },
    text: edges.length === 0 ? "" : edgesTable(edges, io.isTTY ? io.columns : undefined),
  });
  return { exitCode: 0 };
}

const SECURED: Readonly<Record<string, string>> = { mutual_tls: "mTLS", none: "no" };

const COLUMNS = ["FROM", "TO", "SERVICE", "PROTOCOL", "SECURED", "CLIENT", "SERVER", ...GOLDEN_COLUMNS];
/** What a narrow terminal can do without, the least first. */
const DROPPABLE = ["PROTOCOL", "P95", "RPS", "SERVICE", "SERVER", "P50", "CLIENT"];

/** The table of `edges`; all columns where nobody says how wide a line may be. */
export function edgesTable(edges: readonly Edge[], columns?: number): string {
  const rows = edges.map((edge) => [
    ...edgeCells(edge),
    SECURED[edge.security] ?? "-",
    identityCell(edge.client),
    identityCell(edge.server),
    ...goldenCells(edge),
  ]);
  return columns === undefined ? table(COLUMNS, rows) : fittedTable(COLUMNS, rows, { columns, droppable: DROPPABLE });
}

/** Cells that name an edge: from, to, service, protocol. */
export function edgeCells({ from, to, service, protocol }: Edge): readonly string[] {
  const name = ({ workload, namespace, cluster }: Edge["from"]): string =>
    workload === "unknown" ? "unknown" : `${workload}.${namespace}${cluster === undefined ? "" : ` in ${cluster}`}`;
  return [name(from), name(to), service.replace(/\.svc\.cluster\.local$/, ""), protocol];
}
