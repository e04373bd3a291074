import { injectCommands } from "./inject.ts";
import { type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const views: readonly { readonly view: string; readonly aliases: readonly string[]; readonly summary: string }[] = [
  { view: "bootstrap", aliases: ["b"], summary: "Configuration a proxy started with" },
  { view: "clusters", aliases: ["cluster", "c"], summary: "Clusters of a proxy: the services it can send to" },
  { view: "endpoints", aliases: ["endpoint", "ep"], summary: "Endpoints of a proxy with their health" },
  { view: "listeners", aliases: ["listener", "l"], summary: "Listeners of a proxy and what they match" },
  { view: "routes", aliases: ["route", "r"], summary: "Routes of a proxy" },
  { view: "secret", aliases: ["secrets", "s"], summary: "Certificates a proxy holds" },
];

/** Views whose resources objects of the mesh decide. */
const EXPLAINED: readonly string[] = ["clusters", "listeners", "routes"];
const why: OptionSpec = {
  flags: "--why",
  summary: "which object and field each comes from, and which were not followed",
  default: false,
};

/** Commands about proxies: putting them into pods, whether they are in sync, what they hold. */
export const proxyCommands: readonly CommandSpec[] = [
  ...injectCommands,
  {
    name: "drain",
    summary: "Take one pod out of traffic while it runs, or bring it back",
    args: [{ flags: "<pod>", summary: "pod, as name or name.namespace, or deploy/name", complete: "workload" }],
    options: [
      { flags: "--eject", summary: "also for sessions that are bound to it", default: false },
      { flags: "--undo", summary: "bring it back", default: false },
    ],
    examples: [
      { line: "meshctl drain web-6d5f.shop", summary: "no new requests for it from now on" },
      { line: "meshctl drain web-6d5f.shop --undo", summary: "bring it back" },
    ],
    load: async () => (await import("../commands/drain.ts")).run,
  },
  ...views.map(
    ({ view, aliases, summary }): CommandSpec => ({
      name: `proxy-config ${view}`,
      aliases,
      summary,
      args: [{ flags: "<pod>", summary: "pod, as name or name.namespace" }],
      options: [
        view === "bootstrap" ? { ...outputOption, default: "json" } : outputOption,
        ...(EXPLAINED.includes(view) ? [why] : []),
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
    name: "proxy-status",
    aliases: ["ps"],
    summary: "Whether every proxy has acknowledged its current configuration",
    options: [
      outputOption,
      { flags: "-r, --revision <name>", summary: "only this control plane and its proxies" },
      { flags: "--wait", summary: "wait until every proxy is in sync", default: false },
      { flags: "--timeout <duration>", summary: "how long to wait", default: "60s" },
    ],
    examples: [
      { line: "meshctl proxy-status", summary: "all proxies; exit code 1 when one is stale or refused something" },
    ],
    load: async () => (await import("../commands/proxy-status.ts")).run,
  },
];
