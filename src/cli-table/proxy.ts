import { injectCommands } from "./inject.ts";
import { proxyConfigCommands } from "./proxy-config.ts";
import { type CommandSpec, outputOption } from "./types.ts";

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
