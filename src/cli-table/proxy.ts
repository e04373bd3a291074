import { injectCommands } from "./inject.ts";
import { proxyConfigCommands } from "./proxy-config.ts";
import { type CommandSpec, clusterOptions, outputOption } from "./types.ts";

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
  ...proxyConfigCommands,
  {
    name: "proxy-status",
    aliases: ["ps"],
    summary: "Whether every proxy has acknowledged its current configuration; of one pod, where it differs",
    args: [
      {
        flags: "[pod]",
        summary: "compare what this proxy holds with what it would be sent now: pod, name.namespace or deploy/name",
        complete: "workload",
      },
    ],
    options: [
      outputOption,
      {
        flags: "-v, --verbosity <level>",
        summary: "1: ages, certificates and the types that few proxies have too",
        default: "0",
        choices: ["0", "1"],
      },
      { flags: "-f, --file <file>", summary: "compare a dump of /config_dump instead of asking the proxy; - is stdin" },
      { flags: "--why", summary: "which object and field is behind what is not in sync", default: false },
      { flags: "-r, --revision <name>", summary: "only this control plane and its proxies" },
      { flags: "-w, --watch", summary: "go on: a table that is redrawn, or a line for each change", default: false },
      { flags: "--wait", summary: "wait until every proxy is in sync", default: false },
      { flags: "--timeout <duration>", summary: "how long to wait (60s), or to watch (until Ctrl-C)" },
      { flags: "--proxy-admin-port <port>", summary: "Envoy's admin port", default: "15000" },
      ...clusterOptions,
    ],
    examples: [
      { line: "meshctl proxy-status", summary: "all proxies; exit code 1 when one is stale or refused something" },
      { line: "meshctl proxy-status web-6d5f.shop --why", summary: "where one differs from what it should run" },
      { line: "meshctl proxy-status --watch", summary: "see a change arrive" },
    ],
    load: async () => (await import("../commands/proxy-status.ts")).run,
  },
];
