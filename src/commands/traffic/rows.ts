import { compact } from "../../base/compact.ts";
import { type Counts, type Flow, mergeFlows, mergeFlowsByCluster, sumCounts } from "./flows.ts";
import { percentile } from "./percentile.ts";
import type { ProxyFlows } from "./scrape.ts";

/** What people want to know of some traffic; -o json prints it so. */
export interface Golden {
  /** 0 for TCP. */
  readonly requests: number;
  /** Requests per second; absent without a window. */
  readonly rps?: number;
  /** From 0 to 1; absent without requests. */
  readonly success?: number;
  /** Milliseconds; absent where no proxy told of a time. */
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
  /** How often each response code came, `grpc 14` for statuses of gRPC. */
  readonly codes: Readonly<Record<string, number>>;
  /** TCP connections that were opened, and bytes to the client and from it. */
  readonly tcp?: {
    readonly opened: number;
    readonly sentBytes: number;
    readonly receivedBytes: number;
  };
}

/** A workload at one end. */
export interface EdgeEnd {
  readonly workload: string;
  readonly namespace: string;
  /** Of a mesh of several clusters, where somebody told it. */
  readonly cluster?: string;
}

/** Traffic between two workloads by one service; -o json prints it so. */
export interface Edge extends Golden {
  readonly from: EdgeEnd;
  readonly to: EdgeEnd;
  readonly service: string;
  readonly protocol: string;
  /** mutual_tls, none, or unknown where only the client's proxy told of it. */
  readonly security: string;
  readonly client?: string;
  readonly server?: string;
}

/** The numbers of counts that were taken within some seconds, or nobody knows since when. */
export function goldenOf(counts: Counts, seconds: number | undefined): Golden {
  const { requests, failures, latency, codes } = counts;
  const at = (share: number): number | undefined => round(percentile(latency, share));
  return compact({
    requests,
    rps: seconds === undefined ? undefined : round(requests / seconds),
    success: requests === 0 ? undefined : round((requests - failures) / requests, 4),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    codes,
    tcp: tcpOf(counts),
  });
}

function tcpOf({ opened, closed, sentBytes, receivedBytes }: Counts): Golden["tcp"] {
  return opened + closed + sentBytes + receivedBytes === 0 ? undefined : { opened, sentBytes, receivedBytes };
}

function round(value: number | undefined, digits = 2): number | undefined {
  return value === undefined ? undefined : Number(value.toFixed(digits));
}

/** Who called whom, each edge once, busiest first. `wants` chooses among flows; `byCluster`: clusters are told apart. */
export function edgesOf(
  proxies: readonly ProxyFlows[],
  wants: (flow: Flow) => boolean = () => true,
  byCluster = false,
): readonly Edge[] {
  const seconds = secondsOf(proxies);
  const told = proxies.flatMap(({ flows }) => flows).filter((flow) => wants(flow) && isAlive(flow));
  return (byCluster ? mergeFlowsByCluster(told) : mergeFlows(told))
    .map((flow) => edgeOf(flow, { seconds, byCluster }))
    .toSorted((a, b) => b.requests - a.requests || compare(edgeName(a), edgeName(b)));
}

/** Whether anything went on. */
export function isAlive({ requests, opened, sentBytes, receivedBytes }: Counts): boolean {
  return requests + opened + sentBytes + receivedBytes > 0;
}

function edgeOf(
  flow: Flow,
  { seconds, byCluster }: { readonly seconds: number | undefined; readonly byCluster: boolean },
): Edge {
  const { from, to, service, protocol, security, client, server } = flow;
  return compact({
    from: endOf(from, byCluster),
    to: endOf(to, byCluster),
    service,
    protocol,
    security,
    client: client === "" ? undefined : client,
    server: server === "" ? undefined : server,
    ...goldenOf(flow, seconds),
  });
}

function endOf({ workload, namespace, cluster }: Flow["from"], byCluster: boolean): EdgeEnd {
  return { workload, namespace, ...(byCluster && cluster !== "" ? { cluster } : {}) };
}

/** Length of the window; all proxies have the same. */
export function secondsOf(proxies: readonly ProxyFlows[]): number | undefined {
  return proxies[0]?.seconds;
}

function edgeName({ from, to, service, protocol }: Edge): string {
  const parts = [from.namespace, from.workload, to.namespace, to.workload, service, protocol];
  return [...parts, from.cluster ?? "", to.cluster ?? ""].join(" ");
}

/** Groups flows by a name and adds them up, by name. */
export function groupsOf(
  flows: readonly Flow[],
  nameOf: (flow: Flow) => string,
  seconds: number | undefined,
): readonly (Golden & { readonly name: string })[] {
  const groups = new Map<string, Flow[]>();
  for (const flow of flows) {
    const group = groups.get(nameOf(flow));
    if (group === undefined) groups.set(nameOf(flow), [flow]);
    else group.push(flow);
  }
  return [...groups]
    .map(([name, group]) => ({ name, ...goldenOf(sumCounts(group), seconds) }))
    .toSorted((a, b) => compare(a.name, b.name));
}

/** Cells for people: success, requests, requests per second and three percentiles; "-" where there is nothing to say. */
export function goldenCells({ success, rps, requests, p50, p95, p99 }: Golden): readonly string[] {
  const ms = (value: number | undefined): string =>
    value === undefined ? "-" : value >= 1000 ? `${(value / 1000).toFixed(1)}s` : `${Math.round(value)}ms`;
  return [
    success === undefined ? "-" : `${(success * 100).toFixed(2)}%`,
    requests === 0 ? "-" : String(requests),
    requests === 0 || rps === undefined ? "-" : rps.toFixed(1),
    ms(p50),
    ms(p95),
    ms(p99),
  ];
}

/** Headings of goldenCells. */
export const GOLDEN_COLUMNS = ["SUCCESS", "REQUESTS", "RPS", "P50", "P95", "P99"] as const;

/** A SPIFFE identity as `namespace/account`, as it is where it has another form; "-" for none. */
export function identityCell(identity: string | undefined): string {
  if (identity === undefined) return "-";
  const match = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(identity);
  return match === null ? identity : `${match[1]}/${match[2]}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
