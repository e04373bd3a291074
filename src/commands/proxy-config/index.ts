import { UsageError } from "../../base/errors.ts";
import { table } from "../../report/table.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { globalOptions, switchOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { findPod, getJson } from "../pod-http.ts";
import { bootstrap } from "./bootstrap.ts";
import { clusters } from "./clusters.ts";
import { endpoints } from "./endpoints.ts";
import { listeners } from "./listeners.ts";
import { routes } from "./routes.ts";
import { secret } from "./secret.ts";
import type { View } from "./view.ts";
import { whyTables } from "./why.ts";

/** Every view by the word after `proxy-config`. */
export const views: Readonly<Record<string, View>> = { bootstrap, clusters, endpoints, listeners, routes, secret };

/** What the view showed: rows of the table and Envoy's own messages. */
export interface ProxyConfigResult extends CommandResult {
  readonly rows: readonly (readonly string[])[];
}

const ADMIN_PORT = 15_000;

/** `meshctl proxy-config <view> POD`: asks the proxy itself, at its admin port, what it holds. */
export async function runView(name: string, input: CommandInput, io: Io): Promise<ProxyConfigResult> {
  const view = views[name];
  if (view === undefined) throw new UsageError(`there is no view "${name}"`);
  const cluster = await io.cluster();
  const pod = await findPod(cluster, input.args[0] ?? "", globalOptions(input).namespace ?? "default");
  const answer = await getJson(cluster, { ...pod, port: ADMIN_PORT }, view.path);
  const output = textOption(input, "output");
  const why = switchOption(input, "why") ? whyTables[name]?.(answer) : undefined;
  const { columns, rows } = why ?? { columns: view.columns, rows: view.rows(answer, io.now()) };
  if (output === "json") io.out(`${JSON.stringify(view.data(answer), undefined, 4)}\n`);
  else if (output === "yaml") io.out(toYaml(view.data(answer)));
  else io.out(table(columns, rows));
  return { exitCode: 0, rows };
}
