import { addBuckets, type Bucket, subtractBuckets } from "./percentile.ts";
import type { Sample } from "./samples.ts";

// What proxies counted, as flows: who called whom by which service. The counters are Istio's standard metrics, which every proxy
// of the mesh keeps: https://istio.io/latest/docs/reference/config/metrics/

/** One end of a flow: a workload, as metrics name it. */
export interface Party {
  /** Without a proxy and from outside it is "unknown". */
  readonly workload: string;
  readonly namespace: string;
  /** Version label; empty where nobody said it. */
  readonly version: string;
  /** The mesh's name of its cluster; empty where nobody said it. */
  readonly cluster: string;
}

/** Numbers of one flow; all but gauges only grow while a proxy lives. */
export interface Counts {
  readonly requests: number;
  readonly failures: number;
  /** By response code; `grpc 14` for the status of a gRPC call that did not succeed. */
  readonly codes: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly latency: readonly Bucket[];
  /** TCP connections. */
  readonly opened: number;
  readonly closed: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Which side's proxy counted. */
export type Reporter = "source" | "destination";

/** Traffic from one workload to another by one service. */
export interface Flow extends Counts {
  readonly from: Party;
  readonly to: Party;
  /** The host that was called. */
  readonly service: string;
  readonly protocol: string;
  readonly reporter: Reporter;
  /** mutual_tls, none, or unknown: only the server's proxy knows. */
  readonly security: string;
  /** SPIFFE identities; empty where none was shown. */
  readonly client: string;
  readonly server: string;
}

const NOTHING: Counts = {
  requests: 0,
  failures: 0,
  codes: {},
  latency: [],
  opened: 0,
  closed: 0,
  sentBytes: 0,
  receivedBytes: 0,
};

/** gRPC statuses by which a server says that it failed, not the caller. */
const FAILED_GRPC: ReadonlySet<string> = new Set(["2", "4", "12", "13", "14", "15"]);

/** The flows that the samples of one proxy, or of several together, tell of. */
export function flowsOf(samples: readonly Sample[]): readonly Flow[] {
  const flows = new Map<string, Flow>();
  const buckets = new Map<string, Map<number, number>>();
  for (const { name, labels, value } of samples) {
    const counts = countsOf(name, labels, value);
    const isBucket = name === "istio_request_duration_milliseconds_bucket";
    if (counts === undefined && !isBucket) continue;
    const flow = flowOf(labels);
    const key = flowKey(flow);
    const known = flows.get(key) ?? flow;
    flows.set(key, counts === undefined ? known : { ...known, ...addCounts(known, { ...NOTHING, ...counts }) });
    if (isBucket) {
      const own = buckets.get(key) ?? new Map<number, number>();
      const le = labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"]);
      own.set(le, (own.get(le) ?? 0) + value);
      buckets.set(key, own);
    }
  }
  return [...flows].map(([key, flow]) => {
    const own = [...(buckets.get(key) ?? [])].map(([le, count]) => ({ le, count })).toSorted((a, b) => a.le - b.le);
    return { ...flow, latency: own };
  });
}

function countsOf(name: string, labels: Sample["labels"], value: number): Partial<Counts> | undefined {
  switch (name) {
    case "istio_requests_total": {
      const { code, failed } = outcomeOf(labels);
      return { requests: value, failures: failed ? value : 0, codes: { [code]: value } };
    }
    case "istio_tcp_connections_opened_total":
      return { opened: value };
    case "istio_tcp_connections_closed_total":
      return { closed: value };
    case "istio_tcp_sent_bytes_total":
      return { sentBytes: value };
    case "istio_tcp_received_bytes_total":
      return { receivedBytes: value };
    default:
      return undefined;
  }
}

/** Whether a request failed: 5xx, no answer at all (code 0), or a gRPC status that means so. */
function outcomeOf(labels: Sample["labels"]): { readonly code: string; readonly failed: boolean } {
  const code = labels["response_code"] ?? "0";
  const grpc = labels["grpc_response_status"] ?? "";
  if (code === "200" && grpc !== "" && grpc !== "0") return { code: `grpc ${grpc}`, failed: FAILED_GRPC.has(grpc) };
  return { code, failed: code === "0" || code.startsWith("5") };
}

function flowOf(labels: Sample["labels"]): Flow {
  const party = (side: "source" | "destination"): Party => ({
    workload: labels[`${side}_workload`] ?? "unknown",
    namespace: labels[`${side}_workload_namespace`] ?? "unknown",
    version: known(labels[`${side}_version`]),
    cluster: known(labels[`${side}_cluster`]),
  });
  return {
    ...NOTHING,
    from: party("source"),
    to: party("destination"),
    service: labels["destination_service"] ?? "unknown",
    protocol: labels["request_protocol"] ?? "tcp",
    reporter: labels["reporter"] === "source" ? "source" : "destination",
    security: labels["connection_security_policy"] ?? "unknown",
    client: known(labels["source_principal"]),
    server: known(labels["destination_principal"]),
  };
}

function known(text: string | undefined): string {
  return text === undefined || text === "unknown" ? "" : text;
}

/** Names a flow as one reporter told it. */
function flowKey(flow: Flow): string {
  const { from, to, reporter, security, client, server } = flow;
  return [pairKey(flow), from.cluster, to.cluster, reporter, security, client, server].join(" ");
}

/** Names a flow whoever told it, of whichever clusters. */
function pairKey({ from, to, service, protocol }: Flow): string {
  return [from.namespace, from.workload, from.version, to.namespace, to.workload, to.version, service, protocol].join(
    " ",
  );
}

/** The sum of two. */
export function addCounts(one: Counts, other: Counts): Counts {
  return {
    ...combine(one, other, 1),
    codes: combineCodes(one.codes, other.codes, 1),
    latency: addBuckets(one.latency, other.latency),
  };
}

function combine(one: Counts, other: Counts, sign: 1 | -1): Omit<Counts, "codes" | "latency"> {
  const sum = (key: Exclude<keyof Counts, "codes" | "latency">): number => one[key] + sign * other[key];
  return {
    requests: sum("requests"),
    failures: sum("failures"),
    opened: sum("opened"),
    closed: sum("closed"),
    sentBytes: sum("sentBytes"),
    receivedBytes: sum("receivedBytes"),
  };
}

function combineCodes(one: Counts["codes"], other: Counts["codes"], sign: 1 | -1): Counts["codes"] {
  const codes: Record<string, number> = { ...one };
  for (const [code, count] of Object.entries(other)) codes[code] = (codes[code] ?? 0) + sign * count;
  return Object.fromEntries(Object.entries(codes).filter(([, count]) => count !== 0));
}

/** The sum of many. */
export function sumCounts(list: readonly Counts[]): Counts {
  return list.reduce(addCounts, NOTHING);
}

/** What one proxy counted since it was asked before. One that began anew counts from nothing. */
export function flowsSince(now: readonly Flow[], before: readonly Flow[]): readonly Flow[] {
  const old = new Map(before.map((flow) => [flowKey(flow), flow]));
  return now.map((flow) => {
    const was = old.get(flowKey(flow));
    if (was === undefined || flow.requests < was.requests || flow.opened < was.opened) return flow;
    return {
      ...flow,
      ...combine(flow, was, -1),
      codes: combineCodes(flow.codes, was.codes, -1),
      latency: subtractBuckets(flow.latency, was.latency),
    };
  });
}

/**
 * Each flow once, though the proxies of both ends count it: the client's numbers, which include what never arrived, and what only
 * the server's proxy knows: how it was secured and who called.
 */
export function mergeFlows(told: readonly Flow[], keyOf: (flow: Flow) => string = pairKey): readonly Flow[] {
  const pairs = new Map<string, Flow[]>();
  for (const flow of told) pairs.set(keyOf(flow), [...(pairs.get(keyOf(flow)) ?? []), flow]);
  return [...pairs.values()].map((flows) => {
    const of = (reporter: Reporter): readonly Flow[] => flows.filter((flow) => flow.reporter === reporter);
    const [sources, servers] = [of("source"), of("destination")];
    const [first] = servers.length > 0 ? servers : sources;
    if (first === undefined) throw new Error("a flow that nobody told of");
    return {
      ...first,
      ...sumCounts(sources.length > 0 ? sources : servers),
      reporter: sources.length > 0 ? "source" : "destination",
      security: securityOf(servers),
      client: flows.find(({ client }) => client !== "")?.client ?? "",
      server: flows.find(({ server }) => server !== "")?.server ?? "",
    };
  });
}

/** The same with workloads of one name in different clusters apart. A cluster that one end does not know is what others say. */
export function mergeFlowsByCluster(told: readonly Flow[]): readonly Flow[] {
  const said = new Map<string, Set<string>>();
  const heard = (flow: Flow, side: "from" | "to"): Set<string> => {
    const key = `${side} ${pairKey(flow)}`;
    const names = said.get(key) ?? new Set();
    said.set(key, names);
    return names;
  };
  for (const flow of told)
    for (const side of ["from", "to"] as const)
      if (flow[side].cluster !== "") heard(flow, side).add(flow[side].cluster);
  const placed = (flow: Flow, side: "from" | "to"): Party => {
    const [only = "", ...more] = heard(flow, side);
    return flow[side].cluster === "" && more.length === 0 ? { ...flow[side], cluster: only } : flow[side];
  };
  return mergeFlows(
    told.map((flow) => ({ ...flow, from: placed(flow, "from"), to: placed(flow, "to") })),
    (flow) => [flow.from.cluster, flow.to.cluster, pairKey(flow)].join(" "),
  );
}

/** One word for all: what is partly in plain text is "none". */
function securityOf(servers: readonly Flow[]): string {
  const words = new Set(servers.map(({ security }) => security));
  if (words.has("none")) return "none";
  return words.has("mutual_tls") ? "mutual_tls" : "unknown";
}
