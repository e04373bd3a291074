/** Where a table of ours says something else than istioctl's on purpose: how a cell reads on both sides without it, and why. */
export interface Intended {
  /** The command, without the pod. */
  readonly command: string;
  readonly column: string;
  readonly why: string;
  /** Takes the difference out of a cell of istioctl's. */
  readonly istioctl?: (cell: string) => string;
  /** Takes it out of one of ours. */
  readonly ours?: (cell: string) => string;
}

/** Every intended difference in a table; what is in none of these must be equal, row by row. */
export const INTENDED: readonly Intended[] = [
  {
    command: "proxy-config cluster",
    column: "TYPE",
    why: "clusters by DNS are Envoy's envoy.cluster.dns, which istioctl takes for STATIC; ours says what they do",
    ours: (cell) => cell.replace(/^(?:STRICT|LOGICAL)_DNS$/, "STATIC"),
  },
  {
    command: "proxy-config listener",
    column: "MATCH",
    why: "istioctl has words only for the very lists of protocols that Istio's own listeners name",
    istioctl: (cell) =>
      cell
        .replace("App: istio-http/1.0,istio-http/1.1,istio-h2", "App: HTTP TLS")
        .replace("App: http/1.1,h2c", "App: HTTP"),
  },
  {
    command: "proxy-config listener",
    column: "DESTINATION",
    why: "a chain that only ends connections is named by where it leads, not by what it is not",
    istioctl: (cell) => cell.replace(/^Non-HTTP\/Non-TCP$/, "BlackHoleCluster"),
  },
  {
    command: "proxy-config route",
    column: "MATCH",
    why: "what else than the path must hold is told: istioctl leaves it out, and routes looked alike",
    ours: (cell) => cell.replace(/ if .*$/, ""),
  },
  {
    command: "proxy-config route",
    column: "DOMAINS",
    why: "hosts that are only there with a port are told; istioctl leaves the cell empty",
    ours: (cell) => (/^\S+:\d+(?:, |$)/.test(cell) ? "" : cell),
  },
  {
    command: "tag list",
    column: "NAMESPACES",
    why: "namespaces with istio-injection=enabled belong to the default tag too",
    ours: () => "",
  },
];

/** Commands of istioctl that differ from ours as a whole, or do not work against our mesh, and why that stays so. */
export const WHOLE: Readonly<Record<string, string>> = {
  analyze: "reports namespaces without injection in which nothing runs (IST0102)",
  "admin log": "asks ControlZ at 9876, which nobody guards; ours asks the guarded monitoring port (meshctl admin log)",
  "proxy-config rootca-compare": "decodes the roots from base64 a second time, with Istio's own proxies too",
  "proxy-config route -o json": "cannot print the empty Any by which Envoy is told to turn a filter on for one route",
  "proxy-config ecds": "fails where a proxy has no extension; ours says so in a table without rows",
  "describe pod": "the same facts in other words, with Gateway API and weights beside them",
  "envoy-stats": "prints every statistic; ours those that say something, sorted",
  "proxy-status": "this version's columns; ours has those of every version before it (CDS, LDS, EDS, RDS)",
};
