import { compact } from "../base/compact.ts";
import { ClusterError, UsageError } from "../base/errors.ts";
import { table } from "../report/table.ts";
import type { Cluster } from "../resources/cluster.ts";
import { durationOption, globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { getJson } from "./pod-http.ts";
import { print } from "./print.ts";
import { list, text } from "./proxy-config/view.ts";
import { type Counts, type Flow, sumCounts } from "./traffic/flows.ts";
import { percentile } from "./traffic/percentile.ts";
import { observed, type ProxyPod, proxyPods } from "./traffic/scrape.ts";
import { type PartyTest, partyTest } from "./traffic/wanted.ts";

/** What a workload served: requests per second, and milliseconds below which a share of the answers lies. */
export interface WorkloadMetrics {
  readonly workload: string;
  readonly totalRps?: number;
  /** Answers 4xx and 5xx, and none at all. Both are absent where nobody knows since when was counted. */
  readonly errorRps?: number;
  /** Absent: nothing was served. */
  readonly p50Ms?: number;
  readonly p90Ms?: number;
  readonly p99Ms?: number;
}

const PROMETHEUS = { labels: "app.kubernetes.io/name=prometheus", port: 9090 };
const SHARES = { p50Ms: 0.5, p90Ms: 0.9, p99Ms: 0.99 } as const;

/** `meshctl metrics WORKLOAD...`: from Prometheus beside the control plane when there is one, else counted by the proxies from now on. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  if (input.args.length === 0) throw new UsageError("name workloads", "As in: meshctl metrics web-v1.shop");
  const cluster = await io.cluster();
  const { namespace, istioNamespace } = globalOptions(input);
  const window = textOption(input, "duration");
  // since when proxies run is what only they know
  const isWhole = durationOption(input, "duration", "1m") === 0;
  const prometheus = isWhole ? undefined : await findPrometheus(cluster, istioNamespace);
  const measured =
    prometheus === undefined
      ? await fromProxies(cluster, input, namespace, io)
      : await Promise.all(
          input.args.map((name) => fromPrometheus(cluster, prometheus, { name, namespace, window: window ?? "1m" })),
        );
  const cell = (ms: number | undefined): string => (ms === undefined ? "-" : `${Math.round(ms * 10) / 10}ms`);
  const rows = measured.map(({ workload, totalRps, errorRps, p50Ms, p90Ms, p99Ms }) => [
    workload,
    ...[totalRps, errorRps].map((rps) => rps?.toFixed(3) ?? "-"),
    ...[p50Ms, p90Ms, p99Ms].map(cell),
  ]);
  const columns = ["WORKLOAD", "TOTAL RPS", "ERROR RPS", "P50 LATENCY", "P90 LATENCY", "P99 LATENCY"];
  print(input, io, { data: measured, text: table(columns, rows) });
  return { exitCode: 0 };
}

async function fromProxies(
  cluster: Cluster,
  input: CommandInput,
  namespace: string | undefined,
  io: Io,
): Promise<readonly WorkloadMetrics[]> {
  const tests = input.args.map((name) => [name, partyTest(name, namespace)] as const);
  const windowMs = durationOption(input, "duration", "5s");
  const proxies = await observed(cluster, { namespace, windowMs }, io);
  return tests.map(([workload, isIt]) => {
    const served = proxies.map(({ pod, flows, seconds }) => ({
      seconds,
      counts: sumCounts(flows.filter((flow) => isServed(flow, pod, isIt))),
    }));
    const rate = (count: (counts: Counts) => number): number | undefined => {
      const rates = served.map(({ counts, seconds }) => (seconds === undefined ? Number.NaN : count(counts) / seconds));
      const sum = rates.reduce((all, each) => all + each, 0);
      return Number.isNaN(sum) ? undefined : sum;
    };
    const { latency } = sumCounts(served.map(({ counts }) => counts));
    return compact({
      workload,
      totalRps: rate(({ requests }) => requests),
      errorRps: rate(errorsOf),
      p50Ms: percentile(latency, SHARES.p50Ms),
      p90Ms: percentile(latency, SHARES.p90Ms),
      p99Ms: percentile(latency, SHARES.p99Ms),
    });
  });
}

/** What the workload's own proxies answered: of a gateway what they sent on, or answered themselves. */
function isServed({ reporter, from, to }: Flow, { gateway }: ProxyPod, isIt: PartyTest): boolean {
  return reporter === "destination" ? isIt(to) : gateway === true && isIt(from);
}

function errorsOf({ codes }: Counts): number {
  return Object.entries(codes)
    .filter(([code]) => /^(?:0|[45]\d\d|grpc .*)$/.test(code))
    .reduce((sum, [, count]) => sum + count, 0);
}

async function findPrometheus(cluster: Cluster, namespace: string): Promise<string | undefined> {
  const options = { namespace, labelSelector: PROMETHEUS.labels, fieldSelector: "status.phase=Running" };
  const [pod] = await cluster.list({ apiVersion: "v1", kind: "Pod" }, options);
  return pod?.metadata.name === undefined ? undefined : `${pod.metadata.name}.${namespace}`;
}

async function fromPrometheus(
  cluster: Cluster,
  prometheus: string,
  {
    name,
    namespace,
    window,
  }: { readonly name: string; readonly namespace: string | undefined; readonly window: string },
): Promise<WorkloadMetrics> {
  const [workload = "", where = namespace] = (name.split("/").at(-1) ?? "").split(".");
  // a gateway serves nothing itself: what comes in is counted as what it sends
  const isGateway = (await proxyPods(cluster, where)).some(
    (pod) => pod.gateway === true && pod.name.startsWith(`${workload}-`),
  );
  const side = isGateway ? "source" : "destination";
  const of = [`reporter="${side}"`, `${side}_workload="${workload}"`];
  if (where !== undefined) of.push(`${side}_workload_namespace="${where}"`);
  const ask = (query: string): Promise<number | undefined> => askPrometheus(cluster, prometheus, query);
  const rate = (more: readonly string[]): string =>
    `sum(rate(istio_requests_total{${[...of, ...more].join(",")}}[${window}]))`;
  const quantile = (share: number): string =>
    `histogram_quantile(${share},sum(rate(istio_request_duration_milliseconds_bucket{${of.join(",")}}[${window}])) by (le))`;
  const [total, errors, p50Ms, p90Ms, p99Ms] = await Promise.all([
    ask(rate([])),
    ask(rate([`response_code=~"0|[45][0-9]{2}"`])),
    ask(quantile(SHARES.p50Ms)),
    ask(quantile(SHARES.p90Ms)),
    ask(quantile(SHARES.p99Ms)),
  ]);
  return { workload: name, totalRps: total ?? 0, errorRps: errors ?? 0, ...compact({ p50Ms, p90Ms, p99Ms }) };
}

/** The one number that a query comes to; undefined when there is none. Throws ClusterError. */
async function askPrometheus(cluster: Cluster, prometheus: string, query: string): Promise<number | undefined> {
  const dot = prometheus.lastIndexOf(".");
  const target = { pod: prometheus.slice(0, dot), namespace: prometheus.slice(dot + 1), port: PROMETHEUS.port };
  const answer = await getJson(cluster, target, `/api/v1/query?query=${encodeURIComponent(query)}`);
  if (text(answer, "status") !== "success")
    throw new ClusterError("prometheus", `Prometheus did not answer: ${text(answer, "error")}`);
  const [result] = list(answer, "data", "result");
  const value = Number(list(result, "value")[1]);
  return result === undefined || Number.isNaN(value) ? undefined : value;
}
