import { type ArgumentSpec, type CommandSpec, type OptionSpec, outputOption } from "./types.ts";

const window = (value: string): OptionSpec => ({
  flags: "-t, --window <duration>",
  summary: "count for so long from now; 0: since each proxy started",
  default: value,
});

const WORKLOAD: ArgumentSpec = {
  flags: "[workload]",
  summary: "only to and from it: name.namespace or deploy/name",
  complete: "workload",
};

/** Commands about what goes on between workloads, as their proxies count it. */
export const trafficCommands: readonly CommandSpec[] = [
  {
    name: "edges",
    summary: "Who called whom, by which identities, and how it was secured",
    args: [
      { flags: "[workload]", summary: "only to and from it: name.namespace or deploy/name", complete: "workload" },
    ],
    options: [outputOption, window("0")],
    examples: [
      { line: "meshctl edges -n shop", summary: "everything from and into a namespace since its proxies started" },
      { line: "meshctl edges web.shop -t 10s", summary: "of one workload, in the next ten seconds" },
    ],
    load: async () => (await import("../commands/edges.ts")).run,
  },
  {
    name: "stat",
    summary: "Success, requests per second and latencies, as proxies count them",
    args: [
      {
        flags: "[what]",
        summary: "deploy, pod, svc, ns, route or policy, with /NAME for one",
        complete: ["deploy", "pod", "svc", "ns", "route", "policy"],
      },
    ],
    options: [
      outputOption,
      window("10s"),
      { flags: "--from <workload>", summary: "only what this one asks", complete: "workload" },
      {
        flags: "--to <workload>",
        summary: "only what is asked of this one, as its clients count it",
        complete: "workload",
      },
    ],
    examples: [
      { line: "meshctl stat", summary: "every workload, in the next ten seconds" },
      { line: "meshctl stat svc/web.shop -t 0", summary: "a service, since the proxies started" },
      { line: "meshctl stat policy -n shop -t 0", summary: "how often each rule of the policies decided" },
    ],
    load: async () => (await import("../commands/stat.ts")).run,
  },
  {
    name: "top",
    summary: "Who calls whom now, a table per interval",
    args: [WORKLOAD],
    options: [
      {
        flags: "-o, --output <format>",
        summary: "how to print: a table for people, or a line of JSON per interval",
        default: "table",
        choices: ["table", "json"],
      },
      { flags: "--interval <duration>", summary: "between two tables; latencies move every 5s", default: "5s" },
      { flags: "--count <number>", summary: "end after so many tables; 0: go on until Ctrl-C", default: "0" },
      { flags: "--limit <number>", summary: "rows of a table at most; 0: all", default: "20" },
      {
        flags: "--sort <key>",
        summary: "what the first row has most of",
        default: "rps",
        choices: ["rps", "failures", "p99"],
      },
    ],
    examples: [
      { line: "meshctl top", summary: "drawn anew every five seconds" },
      {
        line: "meshctl top web.shop --sort failures --count 1",
        summary: "one table of what fails to and from a workload",
      },
    ],
    load: async () => (await import("../commands/top.ts")).run,
  },
];
