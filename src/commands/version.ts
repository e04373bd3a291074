import { compact } from "../base/compact.ts";
import { errorText } from "../base/errors.ts";
import { VERSION } from "../gen/version.ts";
import { textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import type { ComponentVersion, ProxyVersion, ClusterVersions } from "./version-cluster.ts";

export interface VersionOptions {
  readonly istioNamespace: string;
  /** The flag of that name: a cluster that is named is asked. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Only this control plane, and the proxies that are connected to it. */
  readonly revision?: string;
  /** Ask the cluster too; off with --remote=false. */
  readonly remote: boolean;
  /** One line for what agrees; off with --short=false: a line for every control plane pod and proxy. */
  readonly short: boolean;
  readonly output: "text" | "json" | "yaml";
}

/** What `meshctl version -o json` prints: istioctl's names for the parts that scripts read. */
export interface VersionInfo {
  readonly clientVersion: { readonly version: string };
  /** One entry per running pod of the control plane. */
  readonly meshVersion?: readonly ComponentVersion[];
  /** One entry per connected proxy. */
  readonly dataPlaneVersion?: readonly ProxyVersion[];
}

/** `meshctl version`: a cluster that cannot be asked is a remark on stderr, as in istioctl, not a failure. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const output = textOption(input, "output") ?? "text";
  const isOn = (name: string): boolean => input.options[name] !== false && textOption(input, name) !== "false";
  await version(
    compact({
      kubeconfig: textOption(input, "kubeconfig"),
      context: textOption(input, "context"),
      istioNamespace: textOption(input, "istioNamespace") ?? "istio-system",
      revision: textOption(input, "revision"),
      remote: isOn("remote"),
      short: isOn("short"),
      output: output === "json" || output === "yaml" ? output : ("text" as const),
    }),
    io,
  );
  return { exitCode: 0 };
}

/** Prints and returns the versions. Without any kubeconfig the cluster's part is left out and nothing heavy is loaded. */
export async function version(options: VersionOptions, io: Io): Promise<VersionInfo> {
  const { output, short } = options;
  const client: VersionInfo = { clientVersion: { version: VERSION } };
  if (output === "text") io.out(`client version: ${VERSION}\n`);
  const found = options.remote ? await askCluster(options, io) : undefined;
  const { meshVersion, dataPlaneVersion } = found ?? {};
  const info: VersionInfo = compact({ ...client, meshVersion, dataPlaneVersion });
  if (output === "json") io.out(`${JSON.stringify(info, undefined, 2)}\n`);
  if (output === "yaml") io.out((await import("../resources/yaml-plain.ts")).toYaml(info));
  const lines = output !== "text" || found === undefined ? [] : short ? shortLines(found) : longLines(found);
  for (const line of lines) io.out(`${line}\n`);
  return info;
}

async function askCluster(options: VersionOptions, io: Io): Promise<ClusterVersions | undefined> {
  const { istioNamespace: namespace, revision } = options;
  if (options.kubeconfig === undefined && options.context === undefined && !(await hasKubeconfig(io))) return undefined;
  try {
    const { clusterVersions } = await import("./version-cluster.ts");
    const found = await clusterVersions(await io.cluster(), compact({ namespace, revision }));
    for (const problem of found.problems) io.err(`${problem}\n`);
    if (found.meshVersion.length > 0) return found;
    // istioctl's words: scripts look for them
    io.err(`Istio is not present in the cluster: no running Istio pods in namespace "${namespace}"\n`);
  } catch (error) {
    io.err(`The cluster was not asked: ${errorText(error)}\n`);
  }
  return undefined;
}

/** istioctl's lines: one for all control plane pods when they agree, one for all proxies. */
function shortLines({ meshVersion, dataPlaneVersion }: ClusterVersions): readonly string[] {
  const versions = [...new Set(meshVersion.map(({ Info }) => Info.version))];
  const control =
    versions.length === 1
      ? [`control plane version: ${versions[0] ?? ""}`]
      : meshVersion.map(({ Component, Info }) => `${Component} version: ${Info.version}`);
  if (dataPlaneVersion === undefined) return control;
  const counts = new Map<string, number>();
  for (const { IstioVersion } of dataPlaneVersion) counts.set(IstioVersion, (counts.get(IstioVersion) ?? 0) + 1);
  const data = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([each, count]) => `${each} (${count} proxies)`);
  return [...control, `data plane version: ${data.length === 0 ? "none" : data.join(", ")}`];
}

function longLines({ meshVersion, dataPlaneVersion = [] }: ClusterVersions): readonly string[] {
  return [
    ...meshVersion.map(
      ({ Component, Revision, Info }) => `${Component} version: ${Info.version} (revision ${Revision})`,
    ),
    ...dataPlaneVersion.map(({ ID, IstioVersion }) => `data plane version: ${IstioVersion} (${ID})`),
  ];
}

async function hasKubeconfig(io: Io): Promise<boolean> {
  if (io.env["KUBECONFIG"] !== undefined || io.env["KUBERNETES_SERVICE_HOST"] !== undefined) return true;
  const { existsSync } = await import("node:fs");
  return existsSync(`${io.env["HOME"] ?? ""}/.kube/config`);
}
