import { type CommandSpec, outputOption } from "./types.ts";

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
      {
        flags: "--status <number>",
        summary: "only answers with it: 503, 5xx, 400-499, >=500",
        repeatable: true,
      },
      { flags: "--flag <name>", summary: "only with this response flag (UF, NR, ...), or any", repeatable: true },
      { flags: "--route <name>", summary: "only of the route with this name; * for anything", repeatable: true },
      { flags: "--path <path>", summary: "only of this path; * for anything", repeatable: true },
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
  {
    name: "trace",
    summary: "A trace as a waterfall, or the traces from one workload to another",
    args: [{ flags: "[id]", summary: "id of a trace, or of a request as access logs have it" }],
    options: [
      outputOption,
      { flags: "--from <workload>", summary: "traces in which this one calls", complete: "workload" },
      {
        flags: "--to <workload>",
        summary: "traces in which this one is called, by --from or anyone",
        complete: "workload",
      },
      { flags: "--last", summary: "the newest of them as a waterfall", default: false },
      { flags: "--since <duration>", summary: "how far back", default: "1h" },
      { flags: "--limit <count>", summary: "how many traces are listed", default: "20" },
      { flags: "--address <url>", summary: "Jaeger's query API, instead of its pod: http://HOST:16686" },
    ],
    examples: [
      { line: "meshctl trace --from web.shop --to cart.shop --last", summary: "the newest call, hop by hop" },
      { line: "meshctl trace 4bf92f3577b34da6a3ce929d0e0e4736", summary: "one trace" },
    ],
    load: async () => (await import("../commands/trace.ts")).run,
  },
];
