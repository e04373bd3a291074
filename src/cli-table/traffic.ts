import { meshSource } from "./authz.ts";
import { type ArgumentSpec, type CommandSpec, clusterOptions, type OptionSpec, outputOption } from "./types.ts";

const window = (value: string): OptionSpec => ({
  flags: "-t, --window <duration>",
  summary: "count for so long from now; 0: all that proxies hold, which forget what rests for 5 minutes",
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
    options: [outputOption, window("0"), ...clusterOptions],
    examples: [
      { line: "meshctl edges -n shop", summary: "everything from and into a namespace that its proxies remember" },
      { line: "meshctl edges web.shop -t 10s", summary: "of one workload, in the next ten seconds" },
    ],
    load: async () => (await import("../commands/edges.ts")).run,
  },
  {
    name: "graph",
    summary: "Who called whom, or may by configuration, as the text of a picture",
    options: [
      {
        flags: "-o, --output <format>",
        summary: "language of the picture, or data",
        default: "mermaid",
        choices: ["dot", "mermaid", "json"],
      },
      window("0"),
      { flags: "--static", summary: "who may call whom by configuration, not who did", default: false },
      ...meshSource,
    ],
    examples: [
      { line: "meshctl graph -n shop -o dot", summary: "for Graphviz, what proxies remember" },
      { line: "meshctl graph --static -n shop", summary: "for Mermaid, what visibility and policies allow" },
    ],
    load: async () => (await import("../commands/graph.ts")).run,
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
      { line: "meshctl stat svc/web.shop -t 0", summary: "a service, all that proxies remember" },
      { line: "meshctl stat policy -n shop -t 0", summary: "how often each rule of the policies decided" },
    ],
    load: async () => (await import("../commands/stat.ts")).run,
  },
  {
    name: "tap",
    summary: "Single requests as they pass a pod's proxy, until Ctrl-C",
    args: [
      {
        flags: "<pod>",
        summary: "pod as name.namespace, or deploy/name.namespace: all its pods",
        complete: "workload",
      },
    ],
    options: [
      {
        flags: "-o, --output <format>",
        summary: "how to print: columns, or a line of JSON per request",
        default: "table",
        choices: ["table", "json"],
      },
      {
        flags: "-X, --method <method>",
        summary: "only this HTTP method",
        complete: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      },
      { flags: "--path <prefix>", summary: "only paths that begin so", complete: [] },
      {
        flags: "--status <status>",
        summary: "only answers with this status: 503 or 5xx",
        complete: ["5xx", "4xx", "503"],
      },
      { flags: "--to <host>", summary: "only hosts with this part", complete: [] },
      {
        flags: "--from <client>",
        summary: "only this client: namespace/account, an identity or an address",
        complete: [],
      },
      {
        flags: "--direction <direction>",
        summary: "only what comes to the pod or from it",
        choices: ["inbound", "outbound"],
      },
      { flags: "--headers", summary: "headers too, with -o json; without those that give access", default: false },
      { flags: "--count <number>", summary: "end after so many requests; 0: go on", default: "0" },
      { flags: "--duration <duration>", summary: "end after so long; 0: go on", default: "0" },
    ],
    examples: [
      { line: "meshctl tap deploy/web.shop", summary: "everything to and from a workload" },
      {
        line: "meshctl tap web-6d5f.shop --status 5xx --count 1 -o json --headers",
        summary: "the next failure, with its headers",
      },
    ],
    load: async () => (await import("../commands/tap.ts")).run,
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
