import { type CommandSpec, clusterOptions, outputOption } from "./types.ts";

const revision = { flags: "-r, --revision <name>", summary: "only this control plane" };

/** Commands that ask, or tell, the control plane itself. */
export const controlPlaneCommands: readonly CommandSpec[] = [
  {
    name: "admin log",
    aliases: ["l"],
    summary: "Levels of the control plane's log, shown and changed while it runs, in every pod of it",
    options: [
      outputOption,
      {
        flags: "--level <levels>",
        summary: "a level for everything, or scope:level, separated by commas",
        complete: ["debug", "info", "warn", "error", "none"],
      },
      { flags: "--reset", summary: "the levels that it started with", default: false },
      revision,
    ],
    examples: [
      { line: "meshctl admin log", summary: "every part and its level" },
      { line: "meshctl admin log --level ads:debug", summary: "see what is pushed and confirmed" },
      { line: "meshctl admin log --reset", summary: "be quiet again" },
    ],
    load: async () => (await import("../commands/admin-log.ts")).run,
  },
  {
    name: "check-inject",
    summary: "Which webhooks are called for a pod, and whether it is then injected",
    args: [{ flags: "[pod]", summary: "pod, as name or name.namespace, or deploy/name", complete: "workload" }],
    options: [
      outputOption,
      { flags: "-l, --labels <pairs>", summary: "labels of a pod that is not there yet: key=value, with commas" },
    ],
    examples: [
      { line: "meshctl check-inject deploy/web.shop", summary: "pods that a Deployment would make now" },
      {
        line: "meshctl check-inject -n shop -l app=web",
        summary: "a pod with these labels; exit code 1: not injected",
      },
    ],
    load: async () => (await import("../commands/check-inject.ts")).run,
  },
  {
    name: "metrics",
    aliases: ["m"],
    summary: "Requests, errors and latencies of workloads: from Prometheus, or counted by their proxies from now on",
    args: [{ flags: "<workload...>", summary: "workloads: name, name.namespace or deploy/name", complete: "workload" }],
    options: [
      outputOption,
      {
        flags: "-d, --duration <duration>",
        summary: "over how long: 1m of Prometheus, 5s without; 0s: since they started",
      },
    ],
    examples: [{ line: "meshctl metrics web-v1.shop catalog-v1.shop", summary: "in the mean of the last minute" }],
    load: async () => (await import("../commands/metrics.ts")).run,
  },
  {
    name: "remote-clusters",
    summary: "What each pod of the control plane reads, clusters and registries, and whether it has all of it",
    options: [outputOption, revision, ...clusterOptions],
    examples: [{ line: "meshctl remote-clusters", summary: "exit code 1: something is not in sync" }],
    load: async () => (await import("../commands/remote-clusters.ts")).run,
  },
  {
    name: "wait",
    summary: "Wait until every proxy runs what an object makes for it, as its Envoy confirmed",
    args: [
      {
        flags: "<kind>",
        summary: "virtualservice, vs, authorizationpolicy, httproute …; or kind/name",
        complete: "explain",
      },
      { flags: "[name]", summary: "its name, as name or name.namespace" },
    ],
    options: [
      outputOption,
      {
        flags: "--for <condition>",
        summary: "delivery: it is live; delete: nothing of it is left",
        default: "delivery",
        choices: ["delivery", "distribution", "delete"],
      },
      { flags: "--generation <number>", summary: "this or a later one; default: as the API server has it now" },
      { flags: "--threshold <number>", summary: "enough proxies: a share from 0 to 1", default: "1" },
      { flags: "--timeout <duration>", summary: "how long to wait", default: "30s" },
      { flags: "-v, --verbose", summary: "tell how far it is, again and again", default: false },
      revision,
    ],
    examples: [
      { line: "meshctl wait virtualservice reviews.shop", summary: "exit code 1: who is behind, and why" },
      { line: "meshctl wait --for=delete authorizationpolicy deny-all.shop --timeout 1m", summary: "until it is gone" },
    ],
    load: async () => (await import("../commands/wait.ts")).run,
  },
];
