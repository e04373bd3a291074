import type { CommandSpec } from "./types.ts";

/** Commands that bring a machine outside the cluster into the mesh. */
export const workloadCommands: readonly CommandSpec[] = [
  {
    name: "workload entry configure",
    summary: "Write all that a machine outside the cluster needs to join the mesh into a folder",
    options: [
      {
        flags: "-f, --file <file>",
        summary: "WorkloadGroup to read; without it, --name and -n name one of the cluster",
      },
      { flags: "--name <name>", summary: "name of the WorkloadGroup" },
      { flags: "-o, --output <folder>", summary: "folder to write to; made when it is not there" },
      {
        flags: "--clusterID <id>",
        summary: "cluster that the machine joins; default: as the injector's values name it",
      },
      { flags: "--tokenDuration <seconds>", summary: "how long the token can be used to join", default: 3600 },
      {
        flags: "--ingressService <service>",
        summary: "gateway by which istiod is reached, as service or service.namespace",
        default: "istio-eastwestgateway",
      },
      { flags: "--ingressIP <address>", summary: "address by which istiod is reached, instead of a gateway's" },
      {
        flags: "--autoregister",
        summary: "have istiod make a WorkloadEntry when the machine connects",
        default: false,
      },
      { flags: "--capture-dns <bool>", summary: "have the agent answer DNS queries of the machine", default: "true" },
      { flags: "--internalIP <address>", summary: "address of the machine that the mesh reaches it by" },
      { flags: "--externalIP <address>", summary: "the same, when the machine itself does not know it" },
      { flags: "-r, --revision <name>", summary: "control plane to join" },
    ],
    examples: [
      {
        line: "meshctl workload entry configure --name db -n shop --autoregister -o vm",
        summary: "by a WorkloadGroup of the cluster",
      },
      {
        line: "meshctl x workload entry configure -f group.yaml -o vm",
        summary: "by one from a file, as istioctl writes it",
      },
    ],
    load: async () => (await import("../commands/workload-entry.ts")).run,
  },
  {
    name: "workload group create",
    summary: "Print a WorkloadGroup: what machines outside the cluster that do the same have in common",
    options: [
      { flags: "--name <name>", summary: "name of the group" },
      { flags: "-l, --labels <pairs>", summary: "labels of each workload, as key=value,...", repeatable: true },
      {
        flags: "-a, --annotations <pairs>",
        summary: "annotations of each workload, as key=value,...",
        repeatable: true,
      },
      { flags: "-p, --ports <pairs>", summary: "ports of each workload, as name=number,...", repeatable: true },
      { flags: "-s, --serviceAccount <name>", summary: "whose identity the workloads have", default: "default" },
      { flags: "--network <name>", summary: "network that the workloads are in" },
      { flags: "--locality <place>", summary: "where the workloads run, as region/zone/subzone" },
      { flags: "-w, --weight <number>", summary: "share of the traffic of each workload" },
    ],
    examples: [
      {
        line: "meshctl workload group create --name db -n shop -l app=db -p tcp=5432 -s db | kubectl apply -f -",
        summary: "a group of database machines",
      },
    ],
    load: async () => (await import("../commands/workload-group.ts")).run,
  },
];
