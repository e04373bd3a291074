import { type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

interface ViewSpec {
  readonly view: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** Flags that this view alone has. */
  readonly options?: readonly OptionSpec[];
}

const BRIEF: OptionSpec = {
  flags: "--verbose [bool]",
  summary: "false: a line each, without what is in them",
  default: "true",
  complete: ["true", "false"],
};
const OF_CLUSTERS: readonly OptionSpec[] = [
  { flags: "--fqdn <name>", summary: "only clusters whose host has this in it" },
  { flags: "--direction <direction>", summary: "only inbound, or outbound", complete: ["inbound", "outbound"] },
  { flags: "--subset <name>", summary: "only this subset of a DestinationRule" },
];
const PORT: OptionSpec = { flags: "--port <number>", summary: "only this port" };
const ADDRESS: OptionSpec = { flags: "--address <address>", summary: "only this address" };
const OF_LISTENERS: readonly OptionSpec[] = [
  { flags: "--type <type>", summary: "only listeners of this type", complete: ["HTTP", "TCP", "HTTP+TCP"] },
];
const OF_ROUTES: readonly OptionSpec[] = [{ flags: "--name <name>", summary: "only the route table of this name" }];
const OF_ENDPOINTS: readonly OptionSpec[] = [
  { flags: "--cluster <name>", summary: "only endpoints of this cluster: outbound|80||web.shop.svc.cluster.local" },
  {
    flags: "--status <status>",
    summary: "only endpoints of this health",
    complete: ["HEALTHY", "UNHEALTHY", "DRAINING", "DEGRADED", "TIMEOUT"],
  },
];

const views: readonly ViewSpec[] = [
  { view: "bootstrap", aliases: ["b"], summary: "Configuration a proxy started with" },
  {
    view: "clusters",
    aliases: ["cluster", "c"],
    summary: "Clusters of a proxy: the services it can send to",
    options: [...OF_CLUSTERS, PORT],
  },
  { view: "ecds", aliases: ["ec"], summary: "Filters whose configuration a proxy gets apart from its listeners" },
  { view: "eds", aliases: [], summary: "Endpoints as the control plane sent them, with localities" },
  {
    view: "endpoints",
    aliases: ["endpoint", "ep"],
    summary: "Endpoints of a proxy with their health",
    options: [ADDRESS, PORT, ...OF_ENDPOINTS],
  },
  {
    view: "listeners",
    aliases: ["listener", "l"],
    summary: "Listeners of a proxy and what they match",
    options: [ADDRESS, PORT, ...OF_LISTENERS, BRIEF],
  },
  { view: "routes", aliases: ["route", "r"], summary: "Routes of a proxy", options: [...OF_ROUTES, BRIEF] },
  {
    view: "secret",
    aliases: ["secrets", "s"],
    summary: "Certificates a proxy holds",
    options: [{ flags: "--chain", summary: "every certificate of each chain, decoded", default: false }],
  },
];

/** Views whose resources objects of the mesh decide. */
const EXPLAINED: readonly string[] = ["clusters", "listeners", "routes"];
const why: OptionSpec = {
  flags: "--why",
  summary: "which object and field each comes from, and which were not followed",
  default: false,
};

/** `table` by istioctl's word too. */
const viewOutput: OptionSpec = { ...outputOption, choices: ["table", "short", "json", "yaml"] };
const adminPort: OptionSpec = { flags: "--proxy-admin-port <port>", summary: "Envoy's admin port", default: "15000" };
/** Where what a proxy holds is read from. */
const SOURCE: readonly OptionSpec[] = [
  {
    flags: "-f, --file <file>",
    summary: "a dump of /config_dump instead of a pod; - is standard input; no cluster is opened",
  },
  adminPort,
];
const summaryOption: OptionSpec = { flags: "--summary", summary: "how many there are of each sort", default: false };
const podArgument = {
  flags: "[pod]",
  summary: "pod, as name, name.namespace or deploy/name.namespace",
  complete: "workload",
} as const;

/** `proxy-config` and its views, with istioctl's names and filters. */
export const proxyConfigCommands: readonly CommandSpec[] = [
  ...views.map(
    ({ view, aliases, summary, options = [] }): CommandSpec => ({
      name: `proxy-config ${view}`,
      aliases,
      summary,
      args: [podArgument],
      options: [
        view === "bootstrap" ? { ...viewOutput, default: "json" } : viewOutput,
        ...options,
        summaryOption,
        ...(EXPLAINED.includes(view) ? [why] : []),
        ...SOURCE,
      ],
      examples: [
        { line: `meshctl proxy-config ${view} web-6d5f.shop`, summary: `${view} of one pod` },
        ...(EXPLAINED.includes(view)
          ? [{ line: `meshctl proxy-config ${view} web-6d5f.shop --why`, summary: "the objects behind them" }]
          : []),
      ],
      load: async () => {
        const { runView } = await import("../commands/proxy-config/index.ts");
        return (input, io) => runView(view, input, io);
      },
    }),
  ),
  {
    name: "proxy-config all",
    aliases: ["a"],
    summary: "Everything a proxy holds, one table after the other",
    args: [podArgument],
    options: [
      viewOutput,
      { flags: "--with-headers", summary: "a line above each table that says what it is", default: false },
      ...OF_CLUSTERS,
      ADDRESS,
      PORT,
      ...OF_LISTENERS,
      ...OF_ROUTES,
      ...OF_ENDPOINTS,
      BRIEF,
      summaryOption,
      ...SOURCE,
    ],
    examples: [
      { line: "meshctl proxy-config all web-6d5f.shop", summary: "every table of one pod" },
      { line: "meshctl proxy-config all web-6d5f.shop -o json > dump.json", summary: "a dump for --file" },
    ],
    load: async () => (await import("../commands/proxy-config/index.ts")).runAll,
  },
  {
    name: "proxy-config log",
    aliases: ["o"],
    summary: "Levels of Envoy's loggers, shown and changed while it runs",
    args: [{ ...podArgument, flags: "[pod...]" }],
    options: [
      outputOption,
      {
        flags: "--level <levels>",
        summary: "a level for all loggers, or logger:level, separated by commas",
        complete: ["trace", "debug", "info", "warning", "error", "critical", "off"],
      },
      { flags: "-r, --reset", summary: "the levels that proxies start with", default: false },
      {
        flags: "-l, --selector <pairs>",
        summary: "every running pod with these labels: key=value, separated by commas",
      },
      adminPort,
    ],
    examples: [
      { line: "meshctl proxy-config log web-6d5f.shop --level http:debug,rbac:debug", summary: "see requests decided" },
      { line: "meshctl proxy-config log web-6d5f.shop --reset", summary: "be quiet again" },
    ],
    load: async () => (await import("../commands/proxy-config/log.ts")).run,
  },
  {
    name: "proxy-config rootca-compare",
    aliases: ["rc"],
    summary: "Whether two proxies trust the same roots; exit code 1 when they do not",
    args: [{ flags: "<pod...>", summary: "two pods", complete: "workload" }],
    options: [adminPort],
    examples: [{ line: "meshctl proxy-config rootca-compare web-6d5f.shop db-0.shop", summary: "two pods" }],
    load: async () => (await import("../commands/proxy-config/compare-roots.ts")).run,
  },
];
