/** The question that edges, stat, top and graph ask of a proxy's admin port. */
export const QUESTION = "/stats/prometheus?filter=istio_(requests_total|request_duration_milliseconds|tcp_)";

interface Counted {
  readonly reporter: "source" | "destination";
  readonly from?: string;
  readonly to?: string;
  readonly service?: string;
  readonly security?: string;
  /** Requests by response code. */
  readonly codes: Readonly<Record<number, number>>;
  /** Status of gRPC. */
  readonly grpc?: string;
}

/** What a proxy's `/stats/prometheus` says of one flow in namespace shop: half of the requests below 5 ms, 45 % below 50, the rest below 100. */
export function counters(counted: Counted): string {
  const { reporter, from = "client-v1", to = "web-v1", service = "web", security = "mutual_tls", codes } = counted;
  const account = (workload: string): string => `spiffe://cluster.local/ns/shop/sa/${workload.replace(/-v\d$/, "")}`;
  const labels = {
    reporter,
    source_workload: from,
    source_workload_namespace: "shop",
    source_principal: account(from),
    source_version: "v1",
    destination_workload: to,
    destination_workload_namespace: "shop",
    destination_principal: account(to),
    destination_version: "v1",
    destination_service: `${service}.shop.svc.cluster.local`,
    request_protocol: counted.grpc === undefined ? "http" : "grpc",
    grpc_response_status: counted.grpc ?? "",
    connection_security_policy: security,
  };
  const line = (name: string, more: Readonly<Record<string, string>>, value: number): string => {
    const pairs = Object.entries({ ...labels, ...more }).map(([key, text]) => `${key}="${text}"`);
    return `${name}{${pairs.join(",")}} ${value}\n`;
  };
  return Object.entries(codes)
    .flatMap(([code, count]) => [
      line("istio_requests_total", { response_code: code }, count),
      ...BUCKETS.map(([le, share]) =>
        line("istio_request_duration_milliseconds_bucket", { response_code: code, le }, count * share),
      ),
    ])
    .join("");
}

const BUCKETS: readonly (readonly [le: string, share: number])[] = [
  ["5", 0.5],
  ["50", 0.95],
  ["100", 1],
  ["+Inf", 1],
];

const named = (filter: string, stats: readonly object[]): Readonly<Record<string, unknown>> => ({
  [`/stats?format=json&histogram_buckets=cumulative&filter=${encodeURIComponent(filter)}`]: { stats },
});

const ROUTE = "vhost.web.shop.svc.cluster.local:80.route.main.upstream_rq_";

/** What a proxy says of a route that counts. */
export const routeCounters = named(String.raw`^vhost\..*\.route\.`, [
  { name: `${ROUTE}200`, value: 9 },
  { name: `${ROUTE}2xx`, value: 9 },
  { name: `${ROUTE}503`, value: 1 },
  { name: `${ROUTE}retry`, value: 3 },
  { name: `${ROUTE}timeout`, value: 1 },
  {
    histograms: [
      {
        name: `${ROUTE}time`,
        buckets: BUCKETS.slice(0, 3).map(([le, share]) => ({
          upper_bound: Number(le),
          interval: 0,
          cumulative: share * 100,
        })),
      },
    ],
  },
]);

const RULE = "http.inbound_0.0.0.0_8080;.rbac.policy.";

/** What a proxy says of rules of policies. */
export const policyCounters = named(String.raw`\.rbac\.policy\.`, [
  { name: `${RULE}ns[shop]-policy[ok]-rule[0].allowed`, value: 7 },
  { name: `${RULE}istio_dry_run_allow_ns[shop]-policy[ok]-rule[0].shadow_denied`, value: 2 },
  { name: `${RULE}ns[shop]-policy[no]-rule[1].denied`, value: 4 },
  { name: `${RULE}ns[shop]-policy[quiet]-rule[0].allowed`, value: 0 },
]);
