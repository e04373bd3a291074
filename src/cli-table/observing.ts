import type { CommandSpec } from "./types.ts";

/** Commands that read what proxies tell of single requests: access logs and traces. */
export const observingCommands: readonly CommandSpec[] = [
  {
    name: "logs",
    summary: "Access logs of a workload's proxies, with flags in words",
    args: [
      {
        flags: "<workload>",
        summary: "workload or pod: name.namespace or deploy/name.namespace",
        complete: "workload",
      },
    ],
    options: [
      { flags: "-f, --follow", summary: "go on until Ctrl-C, also with new pods of the workload", default: false },
      { flags: "--since <duration>", summary: "only lines not older than this" },
      { flags: "--tail <count>", summary: "look only at so many last lines of each proxy" },
      { flags: "--status <code>", summary: "only answers with it: 503, 5xx, 400-499, >=500", repeatable: true },
      { flags: "--flag <flag>", summary: "only with this response flag (UF, NR, ...), or any", repeatable: true },
      { flags: "--route <text>", summary: "only of the route with this name; * for anything", repeatable: true },
      { flags: "--path <text>", summary: "only of this path; * for anything", repeatable: true },
      {
        flags: "--peer <workload>",
        summary: "only with this other side: workload, pod, service, host, address or identity",
        repeatable: true,
        complete: "workload",
      },
      { flags: "--direction <direction>", summary: "only one way", choices: ["inbound", "outbound"] },
      {
        flags: "-o, --output <format>",
        summary: "how to print: lines for people, or an object on each line",
        default: "text",
        choices: ["text", "json"],
      },
      { flags: "--proxy-admin-port <port>", summary: "Envoy's admin port", default: "15000" },
    ],
    examples: [
      { line: "meshctl logs web.shop --status 5xx --since 5m", summary: "what failed in the last five minutes" },
      { line: "meshctl logs deploy/web.shop -f --flag any", summary: "every request with a response flag from now on" },
      { line: "meshctl logs web.shop --peer cart.shop -o json", summary: "one line of JSON for each call" },
    ],
    load: async () => (await import("../commands/logs.ts")).run,
  },
];
