import type { CommandSpec, OptionSpec } from "./types.ts";

const nameOption: OptionSpec = { flags: "--name <name>", summary: "name of the cluster", default: "mesh" };

/** Commands of the embedded cluster. */
export const localCommands: readonly CommandSpec[] = [
  {
    name: "down",
    summary: "End the local cluster and leave nothing of it",
    options: [nameOption],
    examples: [{ line: "meshctl down", summary: "also after it was killed" }],
    load: async () => (await import("../commands/down.ts")).run,
  },
  {
    name: "local-node",
    summary: "The process of a local cluster; started by meshctl up",
    options: [],
    examples: [],
    hidden: true,
    load: async () => (await import("../commands/local-node.ts")).run,
  },
  {
    name: "up",
    summary: "Start a local Kubernetes cluster whose pods are processes of this machine",
    options: [
      nameOption,
      {
        flags: "--network <kind>",
        summary: "how pods reach each other; by default the first of these that is possible",
        choices: ["netns", "userns", "loopback"],
      },
      { flags: "--map <image=command>", summary: "program that runs for an image", repeatable: true },
      { flags: "--api-port <port>", summary: "port of the Kubernetes API on 127.0.0.1; by default a free one" },
      { flags: "--foreground", summary: "stay in front, log to the terminal, end with Ctrl-C", default: false },
      { flags: "--tied", summary: "stay in front and end the cluster when stdin closes", default: false },
      { flags: "--clusters <count>", summary: "start this many, NAME-1, NAME-2 and so on, joined to each other" },
      {
        flags: "--cross-network",
        summary: "with --clusters: they reach only each other's load balancers, as on networks of their own",
        default: false,
      },
      {
        flags: "--merge-kubeconfig",
        summary: "also add the cluster to your own kubeconfig (KUBECONFIG or ~/.kube/config)",
        default: false,
      },
    ],
    examples: [
      { line: "meshctl up", summary: "a cluster, and how to use it" },
      { line: "meshctl up --network loopback", summary: "pods on addresses of this machine, nothing is intercepted" },
      { line: "meshctl up --clusters 2", summary: "two clusters to make one mesh of" },
      { line: 'meshctl up --map shop/web="node /src/web/server.mjs"', summary: "run your own program for an image" },
    ],
    load: async () => (await import("../commands/up.ts")).run,
  },
];
