import type { Cluster } from "../../resources/cluster.ts";
import type { Io } from "../io.ts";
import { list, text } from "../proxy-config/view.ts";
import { type Bucket, subtractBuckets } from "./percentile.ts";
import { sumCounts, type Counts } from "./flows.ts";
import { type Golden, goldenOf } from "./rows.ts";
import { askProxies, pause, proxyPods } from "./scrape.ts";

// Counters that have names and no labels: of routes whose match has a statPrefix, and of the rules of AuthorizationPolicies.

/** What proxies counted of one route; -o json prints it so. */
export type RouteRow = Golden & {
  readonly kind: "route";
  /** The match's statPrefix. */
  readonly name: string;
  /** Of the service, where the host is one of the cluster's. */
  readonly namespace: string;
  readonly host: string;
  readonly retries: number;
  readonly timeouts: number;
};

/** How often a policy decided; -o json prints it so. */
export interface PolicyRow {
  readonly kind: "policy";
  readonly name: string;
  readonly namespace: string;
  /** Index in the policy's list of rules. */
  readonly rule: number;
  readonly allowed: number;
  readonly denied: number;
  /** What a policy that is only tried out would have done. */
  readonly tried: number;
}

/** Counters and histograms of one proxy by their names. */
interface Named {
  readonly counters: ReadonlyMap<string, number>;
  readonly histograms: ReadonlyMap<string, readonly Bucket[]>;
}

interface Window {
  readonly windowMs: number;
}

/** Rows of every route that has counters of its own, by host and name. */
export async function routeRows(
  cluster: Cluster,
  window: Window,
  io: Pick<Io, "err" | "signal">,
): Promise<readonly RouteRow[]> {
  const { all, seconds } = await counted(cluster, { ...window, filter: String.raw`^vhost\..*\.route\.` }, io);
  const routes = new Map<string, { host: string; name: string; parts: Counts[]; retries: number; timeouts: number }>();
  for (const { counters, histograms } of all)
    for (const [name, value] of counters) {
      const match = /^vhost\.(.+)\.route\.(.+)\.upstream_rq_(\d{3}|retry|timeout)$/.exec(name);
      if (match === null) continue;
      const [, host = "", route = "", what = ""] = match;
      const row = routes.get(`${host} ${route}`) ?? { host, name: route, parts: [], retries: 0, timeouts: 0 };
      routes.set(`${host} ${route}`, row);
      if (what === "timeout") row.timeouts += value;
      else if (what === "retry") {
        row.retries += value;
        // once per route and proxy: this counter is always there
        row.parts.push({
          ...sumCounts([]),
          latency: histograms.get(`vhost.${host}.route.${route}.upstream_rq_time`) ?? [],
        });
      } else if (value > 0) row.parts.push(answered(what, value));
    }
  return [...routes.values()]
    .map(({ host, name, parts, retries, timeouts }) => ({
      kind: "route" as const,
      name,
      namespace: /^[^.]+\.([^.]+)\.svc\./.exec(host)?.[1] ?? "",
      host,
      retries,
      timeouts,
      ...goldenOf(sumCounts(parts), seconds),
    }))
    .filter(({ requests }) => requests > 0)
    .toSorted((a, b) => (`${a.host} ${a.name}` < `${b.host} ${b.name}` ? -1 : 1));
}

function answered(code: string, requests: number): Counts {
  return { ...sumCounts([]), requests, failures: code.startsWith("5") ? requests : 0, codes: { [code]: requests } };
}

/** Rows of every rule that decided about a request, by policy and rule. */
export async function policyRows(
  cluster: Cluster,
  window: Window,
  io: Pick<Io, "err" | "signal">,
): Promise<readonly PolicyRow[]> {
  const { all } = await counted(cluster, { ...window, filter: String.raw`\.rbac\.policy\.` }, io);
  const rows = new Map<string, { -readonly [K in keyof PolicyRow]: PolicyRow[K] }>();
  for (const { counters } of all)
    for (const [counter, value] of counters) {
      const match =
        /\.policy\.(?:istio_dry_run_(?:allow|deny)_)?ns\[(.+?)\]-policy\[(.+?)\]-rule\[(\d+)\]\.(shadow_)?(allowed|denied)$/.exec(
          counter,
        );
      if (match === null || value === 0) continue;
      const [, namespace = "", name = "", rule = "", shadow, what] = match;
      const key = `${namespace} ${name} ${rule.padStart(6)}`;
      const row = rows.get(key) ?? {
        kind: "policy",
        name,
        namespace,
        rule: Number(rule),
        allowed: 0,
        denied: 0,
        tried: 0,
      };
      rows.set(key, row);
      row[shadow === undefined ? (what as "allowed" | "denied") : "tried"] += value;
    }
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** What every proxy counted of the names that a filter matches, within a window; what it holds where that is 0. */
async function counted(
  cluster: Cluster,
  { windowMs, filter }: Window & { readonly filter: string },
  io: Pick<Io, "err" | "signal">,
): Promise<{ readonly all: readonly Named[]; readonly seconds?: number }> {
  const pods = await proxyPods(cluster, undefined);
  const path = `/stats?format=json&histogram_buckets=cumulative&filter=${encodeURIComponent(filter)}`;
  const ask = (): Promise<readonly (readonly [string, Named])[]> =>
    askProxies(
      cluster,
      pods,
      { path, read: (body, pod) => [`${pod.namespace}/${pod.name}`, readNamed(body)] as const },
      io,
    );
  const first = await ask();
  if (windowMs === 0 || cluster.podHttp !== undefined) return { all: first.map(([, named]) => named) };
  const start = performance.now();
  await pause(windowMs, io.signal);
  const old = new Map(first);
  const all = (await ask()).map(([name, now]) => since(now, old.get(name)));
  return { all, seconds: (performance.now() - start) / 1000 };
}

function readNamed(body: string): Named {
  const answer = JSON.parse(body) as unknown;
  const entries = list(answer, "stats");
  const counters = entries.flatMap((entry) => {
    const name = text(entry, "name");
    return name === "" ? [] : [[name, Number(text(entry, "value"))] as const];
  });
  const histograms = entries
    .flatMap((entry) => list(entry, "histograms"))
    .map((histogram) => {
      const buckets = list(histogram, "buckets").map((bucket) => ({
        le: Number(text(bucket, "upper_bound")),
        count: Number(text(bucket, "cumulative")),
      }));
      return [text(histogram, "name"), buckets] as const;
    });
  return { counters: new Map(counters), histograms: new Map(histograms) };
}

function since(now: Named, before: Named | undefined): Named {
  if (before === undefined) return now;
  const counters = [...now.counters].map(([name, value]) => {
    const was = before.counters.get(name) ?? 0;
    return [name, value < was ? value : value - was] as const;
  });
  const histograms = [...now.histograms].map(
    ([name, buckets]) => [name, subtractBuckets(buckets, before.histograms.get(name) ?? [])] as const,
  );
  return { counters: new Map(counters), histograms: new Map(histograms) };
}
