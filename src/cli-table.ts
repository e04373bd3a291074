import { addonCommands } from "./cli-table/addons.ts";
import { caCommands } from "./cli-table/ca.ts";
import { configCommands } from "./cli-table/config.ts";
import { controlPlaneCommands } from "./cli-table/control-plane.ts";
import { everydayCommands } from "./cli-table/everyday.ts";
import { explainCommands } from "./cli-table/explain.ts";
import { imageCommands } from "./cli-table/images.ts";
import { insightCommands } from "./cli-table/insight.ts";
import { installCommands } from "./cli-table/install.ts";
import { localCommands } from "./cli-table/local.ts";
import { authzCommands } from "./cli-table/authz.ts";
import { observingCommands } from "./cli-table/observing.ts";
import { offlineCommands } from "./cli-table/offline.ts";
import { profileCommands } from "./cli-table/profiles.ts";
import { proxyCommands } from "./cli-table/proxy.ts";
import { revisionCommands } from "./cli-table/revisions.ts";
import { trafficCommands } from "./cli-table/traffic.ts";
import type { CommandSpec, OptionSpec } from "./cli-table/types.ts";
import { workloadCommands } from "./cli-table/workload.ts";

export type { CommandSpec, OptionSpec } from "./cli-table/types.ts";

/** Flags of every command, by istioctl's names. */
export const globalOptions: readonly OptionSpec[] = [
  { flags: "-c, --kubeconfig <file>", summary: "kubeconfig to use instead of KUBECONFIG and ~/.kube/config" },
  { flags: "--context <name>", summary: "context of the kubeconfig" },
  { flags: "--as <user>", summary: "user to act as in the cluster (impersonation)" },
  { flags: "--as-group <group>", summary: "group to act as, together with --as", repeatable: true },
  { flags: "--as-uid <uid>", summary: "UID to act as, together with --as" },
  { flags: "--bundle <archive>", summary: "what meshctl bug-report wrote, instead of a cluster", complete: "file" },
  {
    flags: "--xds-address <address>",
    summary: "control plane to ask over xDS, as host:port, instead of through its pods",
  },
  { flags: "--authority <name>", summary: "name in that control plane's certificate", hidden: true },
  { flags: "--cert-dir <folder>", summary: "client certificate to show it, instead of a token", hidden: true },
  { flags: "--insecure", summary: "take any certificate of it", hidden: true },
  { flags: "--plaintext", summary: "ask it without TLS and token", hidden: true },
  { flags: "-n, --namespace <name>", summary: "namespace to work in" },
  { flags: "-i, --istioNamespace <name>", summary: "namespace of the control plane", default: "istio-system" },
];

/** Words that only lead to further commands, with what they are about. */
export const commandGroups: Readonly<
  Record<string, { readonly summary: string; readonly aliases: readonly string[] }>
> = {
  addons: { summary: "Programs beside the mesh that show what it does", aliases: [] },
  admin: { summary: "The control plane itself", aliases: ["istiod"] },
  auth: { summary: "Who may call whom", aliases: [] },
  authz: { summary: "Who may call what, and which policy says so", aliases: [] },
  ca: { summary: "The authority that signs the mesh's identities", aliases: [] },
  dashboard: { summary: "Pages of the mesh and its addons, at a port of this machine", aliases: ["dash", "d"] },
  describe: { summary: "What the mesh makes of a pod or a service", aliases: ["des"] },
  images: { summary: "Container images of the mesh, and ways to bring them to the nodes", aliases: [] },
  manifest: { summary: "Kubernetes objects of the mesh", aliases: [] },
  profile: { summary: "What can be installed, and how it differs", aliases: [] },
  mtls: { summary: "Mutual TLS of the mesh", aliases: [] },
  "proxy-config": { summary: "What a proxy holds, by kind of configuration", aliases: ["pc"] },
  revision: { summary: "Control planes side by side", aliases: [] },
  tag: { summary: "Names of revisions, by which namespaces ask for them", aliases: [] },
  workload: { summary: "Machines outside the cluster that are part of the mesh", aliases: [] },
};

/** Every command, sorted by name. */
export const commandTable: readonly CommandSpec[] = [
  ...addonCommands,
  ...caCommands,
  ...configCommands,
  ...controlPlaneCommands,
  ...everydayCommands,
  ...explainCommands,
  ...imageCommands,
  ...insightCommands,
  ...installCommands,
  ...localCommands,
  ...authzCommands,
  ...observingCommands,
  ...offlineCommands,
  ...profileCommands,
  ...proxyCommands,
  ...revisionCommands,
  ...trafficCommands,
  ...workloadCommands,
].sort((a, b) => (a.name < b.name ? -1 : 1));
