import { UsageError } from "../base/errors.ts";
import { table } from "../report/table.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { findPod, getJson, getText } from "./pod-http.ts";
import { print } from "./print.ts";
import { adminPort } from "./proxy-config/source.ts";
import { list, text } from "./proxy-config/view.ts";

/** The agent's port, where Envoy's, its own and the application's metrics come together. */
export const MERGED_PORT = 15_020;

/** What Envoy counted of itself and of everything, as far as it was ever touched. */
export const SERVER_STATS = "/stats?format=json&usedonly";

/** `meshctl envoy-stats POD`: counters and gauges of a proxy, or of its clusters. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const output = textOption(input, "output") ?? "table";
  const type = textOption(input, "type") ?? "server";
  if (type === "clusters" && output.startsWith("prom"))
    throw new UsageError("--type clusters has no Prometheus form", "Leave out --type, or print json.");
  const cluster = await io.cluster();
  const [name = ""] = input.args;
  const pod = await findPod(cluster, name, globalOptions(input).namespace ?? "default");
  const port = adminPort(input);
  if (output === "prom") io.out(await getText(cluster, { ...pod, port }, "/stats/prometheus"));
  else if (output === "prom-merged") io.out(await getText(cluster, { ...pod, port: MERGED_PORT }, "/stats/prometheus"));
  else {
    const { path, rows, columns } = TYPES[type] as StatsType;
    const data = await getJson(cluster, { ...pod, port }, path);
    print(input, io, { data, text: table(columns, rows(data)) });
  }
  return { exitCode: 0 };
}

interface StatsType {
  readonly path: string;
  readonly columns: readonly string[];
  readonly rows: (answer: unknown) => string[][];
}

const TYPES: Readonly<Record<string, StatsType>> = {
  server: {
    path: SERVER_STATS,
    columns: ["STAT", "VALUE"],
    // histograms have no single value
    rows: (answer) =>
      list(answer, "stats")
        .filter((stat) => text(stat, "name") !== "")
        .map((stat) => [text(stat, "name"), text(stat, "value")]),
  },
  clusters: {
    path: "/clusters?format=json",
    columns: ["CLUSTER", "ENDPOINT", "STAT", "VALUE"],
    rows: (answer) =>
      list(answer, "cluster_statuses").flatMap((status) =>
        list(status, "host_statuses").flatMap((host) =>
          list(host, "stats").map((stat) => [
            text(status, "name"),
            `${text(host, "address", "socket_address", "address")}:${text(host, "address", "socket_address", "port_value")}`,
            text(stat, "name"),
            text(stat, "value") || "0",
          ]),
        ),
      ),
  },
};
