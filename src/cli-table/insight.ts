import { meshSource } from "./authz.ts";
import { type CommandSpec, outputOption } from "./types.ts";

/** Pages by the word after `dashboard`; src/commands/dashboard/targets.ts says where they are. */
const DASHBOARDS: Readonly<Record<string, string>> = {
  controlz: "The control plane itself: versions, levels of its log",
  grafana: "Grafana",
  "istiod-debug": "The control plane's debug answers",
  jaeger: "Jaeger",
  kiali: "Kiali",
  mesh: "The mesh: who calls whom, proxies, findings, certificates, the control plane",
  prometheus: "Prometheus",
  proxy: "Envoy's admin page of a pod",
  skywalking: "SkyWalking's page",
  zipkin: "Zipkin's page of Jaeger",
};

/** Commands that look into a running mesh, beside proxy-config and proxy-status. */
export const insightCommands: readonly CommandSpec[] = [
  ...Object.entries(DASHBOARDS).map(
    ([name, summary]): CommandSpec => ({
      name: `dashboard ${name}`,
      aliases: name === "proxy" ? ["envoy"] : [],
      summary: `${summary}, at a port of this machine until Ctrl-C`,
      args: [{ flags: "[pod]", summary: name === "proxy" ? "pod" : "pod; default: by labels", complete: "workload" }],
      options: [
        { flags: "-p, --port <port>", summary: "port of this machine; 0: any that is free", default: "0" },
        { flags: "--address <address>", summary: "address of this machine to listen at", default: "localhost" },
        { flags: "--browser [bool]", summary: "open it in a browser", default: "true", complete: ["true", "false"] },
        { flags: "-l, --selector <pairs>", summary: "labels of the pod: key=value, separated by commas" },
      ],
      examples: [
        name === "proxy"
          ? { line: `meshctl dashboard ${name} web-6d5f.shop`, summary: "of one pod" }
          : { line: `meshctl dashboard ${name} --browser=false`, summary: "print the address only" },
      ],
      load: async () => {
        const { runDashboard } = await import("../commands/dashboard.ts");
        return (input, io) => runDashboard(name, input, io);
      },
    }),
  ),
  ...(
    [
      ["pod", "po", "Which Services, rules, mutual TLS and policies a pod has", "web-6d5f.shop"],
      ["service", "svc", "Which rules and gateways a service has", "web.shop"],
    ] as const
  ).map(
    ([what, alias, summary, example]): CommandSpec => ({
      name: `describe ${what}`,
      aliases: [alias],
      summary,
      args: [
        what === "pod"
          ? { flags: "<pod>", summary: "pod, as name or name.namespace", complete: "workload" }
          : { flags: "<name>", summary: "service, as name, name.namespace or its host" },
      ],
      options: [outputOption, ...meshSource],
      examples: [{ line: `meshctl describe ${what} ${example}`, summary: "in the cluster" }],
      load: async () => {
        const { runPod, runService } = await import("../commands/describe.ts");
        return what === "pod" ? runPod : runService;
      },
    }),
  ),
  {
    name: "envoy-stats",
    aliases: ["es", "stats"],
    summary: "Counters of a proxy or of its clusters",
    args: [{ flags: "<pod>", summary: "pod, as name, name.namespace or deploy/name.namespace", complete: "workload" }],
    options: [
      { flags: "-t, --type <type>", summary: "what they are of", default: "server", choices: ["server", "clusters"] },
      {
        flags: "-o, --output <format>",
        summary: "how to print; prom: Envoy's for Prometheus, prom-merged: with the agent's and the application's",
        default: "table",
        choices: ["table", "short", "json", "yaml", "prom", "prom-merged"],
      },
      { flags: "--proxy-admin-port <port>", summary: "Envoy's admin port", default: "15000" },
    ],
    examples: [
      { line: "meshctl envoy-stats web-6d5f.shop", summary: "everything that was counted" },
      { line: "meshctl envoy-stats web-6d5f.shop --type clusters", summary: "by cluster and endpoint" },
    ],
    load: async () => (await import("../commands/envoy-stats.ts")).run,
  },
  {
    name: "internal-debug",
    summary: "What the control plane answers to a debug question",
    args: [{ flags: "[path]", summary: "the question: syncz, connections, config_dump?proxyID=web.shop" }],
    options: [
      { flags: "-L, --list", summary: "which questions there are", default: false },
      { flags: "--all", summary: "of every pod of the control plane, each under its name", default: false },
      { flags: "-r, --revision <name>", summary: "only this control plane" },
    ],
    examples: [
      { line: "meshctl internal-debug syncz", summary: "who is in sync, as the control plane knows it" },
      { line: "meshctl internal-debug --list", summary: "every question" },
    ],
    load: async () => (await import("../commands/internal-debug.ts")).run,
  },
];
