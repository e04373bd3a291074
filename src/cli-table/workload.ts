import type { CommandSpec } from "./types.ts";

/** Commands that bring another cluster, or a machine outside of any, into the mesh. */
export const workloadCommands: readonly CommandSpec[] = [
  {
    name: "create-remote-secret",
    summary: "Print the Secret by which a control plane in another cluster follows this one",
    options: [
      { flags: "--name <name>", summary: "the cluster's name in the mesh; default: the UID of namespace kube-system" },
      {
        flags: "--type <kind>",
        summary:
          "remote: to follow this cluster; config: to be its control plane from outside (Secret istio-kubeconfig)",
        default: "remote",
        choices: ["remote", "config"],
      },
      {
        flags: "--service-account <name>",
        summary:
          "account that the other control plane is here; default: istio-reader-service-account, istiod with --type config",
      },
      {
        flags: "--create-service-account <bool>",
        summary: "make the account and its role where they are not there",
        default: "true",
        choices: ["true", "false"],
      },
      {
        flags: "--server <url>",
        summary: "address of the API server for the other cluster; default: the kubeconfig's",
      },
      { flags: "--tls-server-name <name>", summary: "name that the API server's certificate is checked for" },
      {
        flags: "--secret-name <name>",
        summary: "name of the Secret; default: istio-remote-secret-NAME or istio-kubeconfig",
      },
    ],
    examples: [
      {
        line: "meshctl create-remote-secret --context west --name west | kubectl --context east apply -f -",
        summary: "the mesh in east sees the services and pods of west",
      },
    ],
    load: async () => (await import("../commands/create-remote-secret.ts")).run,
  },
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
      {
        flags: "--capture-dns <bool>",
        summary: "have the agent answer DNS queries of the machine",
        default: "true",
        choices: ["true", "false"],
      },
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
