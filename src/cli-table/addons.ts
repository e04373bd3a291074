import { type ArgumentSpec, type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const ADDONS = ["grafana", "jaeger", "kiali", "otel-collector", "prometheus"];

const names: readonly ArgumentSpec[] = [
  { flags: "[addon...]", summary: "names of the addons, of meshctl addons list", complete: ADDONS },
];
const all: OptionSpec = { flags: "--all", summary: "every addon", default: false };
const dryRun: OptionSpec = {
  flags: "--dry-run",
  summary: "let the API server judge every object, change nothing",
  default: false,
};

/** Programs beside the mesh: metrics, dashboards, traces, the mesh as a graph. */
export const addonCommands: readonly CommandSpec[] = [
  {
    name: "addons install",
    summary: "Install Prometheus, Grafana, Kiali, Jaeger or an OpenTelemetry Collector beside the mesh",
    args: names,
    options: [
      all,
      { flags: "--hub <registry>", summary: "registry in place of the images' own, such as a mirror" },
      { flags: "--image <addon=image>", summary: "image of one addon", repeatable: true, complete: [] },
      { flags: "--scrape-interval <duration>", summary: "how often Prometheus scrapes; default 15s" },
      { flags: "--retention <duration>", summary: "how long Prometheus keeps what it scraped; default 24h" },
      dryRun,
      {
        flags: "--wait [bool]",
        summary: "wait until its pods are ready",
        default: "true",
        complete: ["true", "false"],
      },
      { flags: "--timeout <duration>", summary: "how long to wait", default: "300s" },
    ],
    examples: [
      { line: "meshctl addons install prometheus grafana", summary: "metrics and their dashboards" },
      { line: "meshctl addons install --all --hub mirror.example.com", summary: "images from a mirror" },
    ],
    load: async () => (await import("../commands/addons-install.ts")).run,
  },
  {
    name: "addons list",
    summary: "Addons, and which of them are in the cluster",
    options: [outputOption],
    examples: [{ line: "meshctl addons list", summary: "a table" }],
    load: async () => (await import("../commands/addons-list.ts")).run,
  },
  {
    name: "addons remove",
    summary: "Take addons away, with what they collected",
    args: names,
    options: [
      all,
      { flags: "-y, --skip-confirmation", summary: "do not ask", default: false },
      { ...dryRun, summary: "tell what would go, change nothing" },
      { flags: "--timeout <duration>", summary: "how long to wait", default: "120s" },
    ],
    examples: [{ line: "meshctl addons remove kiali -y", summary: "without asking" }],
    load: async () => (await import("../commands/addons-remove.ts")).run,
  },
];
