import { durationMs } from "../base/duration.ts";
import { ClusterError, EnvironmentError, errorText, UsageError } from "../base/errors.ts";
import { coloursOf } from "./checks/text.ts";
import { TARGETS } from "./dashboard/targets.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { getJson } from "./pod-http.ts";
import { print } from "./print.ts";
import { type Query, search, services, traceById } from "./spans/jaeger.ts";
import { leads, type Trace } from "./spans/spans.ts";
import { traceTable, waterfall } from "./spans/text.ts";

/** Traces that are looked through for those that lead from one service to another. */
const LOOKED_THROUGH = 500;

/** `meshctl trace`: one trace as a waterfall, or the traces that lead from one workload to another. Exit code 1 when there is none. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const [id] = input.args;
  const isSearch = textOption(input, "from") !== undefined || textOption(input, "to") !== undefined;
  if ((id === undefined) !== isSearch)
    throw new UsageError(
      "expected a trace's id, or --from and --to",
      "such as `meshctl trace --from web.shop --to cart.shop --last`",
    );
  const query = await queryOf(input, io);
  if (id !== undefined) return show(await known(query, id, io), input, io);
  const found = await between(query, input, io);
  const [first] = found;
  if (first === undefined) {
    if (textOption(input, "output") !== "table") print(input, io, { data: { traces: [] }, text: "" });
    io.err("No trace as asked for. Spans come some seconds after a request, of the share that is sampled.\n");
    return { exitCode: 1 };
  }
  if (switchOption(input, "last")) return show(first, input, io);
  print(input, io, { data: { traces: found.map(summary) }, text: traceTable(found) });
  return { exitCode: 0 };
}

function show(trace: Trace, input: CommandInput, io: Io): CommandResult {
  const screen = { colours: coloursOf(io), columns: io.isTTY ? io.columns : 0 };
  print(input, io, { data: trace, text: waterfall(trace, screen) });
  return { exitCode: 0 };
}

function summary({ traceId, start, durationMs: took, services: of, spans }: Trace): unknown {
  return {
    traceId,
    start,
    durationMs: took,
    services: of,
    spans: spans.length,
    errors: spans.filter(({ error }) => error).length,
  };
}

/** By a trace's id, or by the request's (x-request-id), which access logs have. */
async function known(query: Query, id: string, io: Pick<Io, "now">): Promise<Trace> {
  if (/^[0-9a-f]{1,32}$/i.test(id)) {
    const trace = await traceById(query, id.toLowerCase()).catch((error: unknown) => {
      // a collector that lacks a trace says so by 404
      if (error instanceof ClusterError && / answered 404/.test(error.message)) return undefined;
      throw error;
    });
    if (trace !== undefined) return trace;
  } else {
    const until = io.now().getTime();
    for (const service of await services(query)) {
      const tags = { "guid:x-request-id": id };
      const [trace] = await search(query, { service, tags, since: 0, until, limit: 1 });
      if (trace !== undefined) return trace;
    }
  }
  throw new ClusterError("not-found", `there is no trace ${id}`, {
    hint: "Spans come some seconds after a request, of the share that is sampled; the collector may have dropped old ones.",
  });
}

async function between(query: Query, input: CommandInput, io: Pick<Io, "now">): Promise<readonly Trace[]> {
  const [from, to] = [serviceOption(input, "from"), serviceOption(input, "to")];
  const since = durationMs(textOption(input, "since") ?? "1h");
  if (since === undefined) throw new UsageError("--since: expected a duration such as 15m");
  const limit = Number(textOption(input, "limit") ?? "20");
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError("--limit: expected a number of traces");
  const until = io.now().getTime();
  const found = await search(query, {
    service: from ?? to ?? "",
    since: until - since,
    until,
    limit: LOOKED_THROUGH,
  });
  return found.filter((trace) => leads(trace, from, to)).slice(0, limit);
}

/** A workload as its spans call it: `name.namespace`. */
function serviceOption(input: CommandInput, name: string): string | undefined {
  const text = textOption(input, name)?.replace(/^[a-z]+\//, "");
  if (text === undefined || text.includes(".")) return text;
  return `${text}.${globalOptions(input).namespace ?? "default"}`;
}

/** Where the collector's API is: at an address, or at the pod that `dashboard jaeger` opens, in any namespace. */
async function queryOf(input: CommandInput, io: Io): Promise<Query> {
  const address = textOption(input, "address");
  if (address !== undefined) return fetching(address, io.signal);
  const { labels, port } = TARGETS["jaeger"] ?? { port: 0 };
  const cluster = await io.cluster();
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { ...(labels !== undefined && { labelSelector: labels }), fieldSelector: "status.phase=Running" },
  );
  const { istioNamespace } = globalOptions(input);
  const pod = pods.find(({ metadata }) => metadata.namespace === istioNamespace) ?? pods[0];
  if (pod === undefined)
    throw new ClusterError("not-found", `no running pod has the labels ${labels ?? ""}`, {
      hint: "Install one with meshctl addons install jaeger, or say where it is with --address http://HOST:16686.",
    });
  const target = { namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name, port };
  return (path) => getJson(cluster, target, path);
}

function fetching(address: string, signal: AbortSignal): Query {
  if (!URL.canParse(address) || !/^https?:/.test(address))
    throw new UsageError(`--address: expected http://HOST:PORT, got "${address}"`);
  const base = address.replace(/\/+$/, "");
  return async (path) => {
    const response = await fetch(`${base}${path}`, { signal }).catch((error: unknown) => {
      throw new EnvironmentError("no-collector", `${base} cannot be asked: ${errorText(error)}`);
    });
    if (!response.ok) throw new ClusterError("pod-http", `${base}${path} answered ${response.status}`);
    return response.json();
  };
}
