import { compact } from "../base/compact.ts";
import { errorText } from "../base/errors.ts";
import { VERSION } from "../gen/version.ts";
import type { Cluster } from "../resources/cluster.ts";
import { textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface VersionOptions {
  readonly istioNamespace: string;
  /** The flag of that name: a cluster that is named is asked. */
  readonly kubeconfig?: string;
  /** Ask the cluster too; off with --no-remote. */
  readonly remote: boolean;
  readonly output: "text" | "json" | "yaml";
}

/** What `meshctl version -o json` prints: istioctl's names for the parts that scripts read. */
export interface VersionInfo {
  readonly clientVersion: { readonly version: string };
  /** One entry per image version that runs in the control plane. */
  readonly meshVersion?: readonly {
    readonly Component: string;
    readonly Revision: string;
    readonly Info: { readonly version: string };
  }[];
}

/** `meshctl version`: a cluster that cannot be asked is a remark on stderr, as in istioctl, not a failure. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const output = textOption(input, "output") ?? "text";
  await version(
    compact({
      kubeconfig: textOption(input, "kubeconfig"),
      istioNamespace: textOption(input, "istioNamespace") ?? "istio-system",
      remote: input.options["remote"] !== false,
      output: output === "json" || output === "yaml" ? output : ("text" as const),
    }),
    io,
  );
  return { exitCode: 0 };
}

/** Prints and returns the versions. Without any kubeconfig the cluster's part is left out and nothing heavy is loaded. */
export async function version(options: VersionOptions, io: Io): Promise<VersionInfo> {
  const client: VersionInfo = { clientVersion: { version: VERSION } };
  if (options.output === "text") io.out(`client version: ${VERSION}\n`);
  const meshVersion = options.remote ? await askCluster(options, io) : undefined;
  const info = meshVersion === undefined ? client : { ...client, meshVersion };
  if (options.output === "json") io.out(`${JSON.stringify(info, undefined, 2)}\n`);
  if (options.output === "yaml") io.out((await import("../resources/yaml-plain.ts")).toYaml(info));
  if (options.output === "text") for (const line of controlPlaneLines(meshVersion ?? [])) io.out(`${line}\n`);
  return info;
}

async function askCluster(options: VersionOptions, io: Io): Promise<VersionInfo["meshVersion"]> {
  if (options.kubeconfig === undefined && !(await hasKubeconfig(io))) return undefined;
  try {
    const versions = await controlPlaneVersions(await io.cluster(), options.istioNamespace);
    if (versions.length === 0) {
      io.err(`No mesh in this cluster: no control plane pods run in namespace "${options.istioNamespace}".\n`);
    }
    return versions;
  } catch (error) {
    io.err(`The cluster was not asked: ${errorText(error)}\n`);
    return undefined;
  }
}

async function controlPlaneVersions(
  cluster: Cluster,
  namespace: string,
): Promise<NonNullable<VersionInfo["meshVersion"]>> {
  const pods = await cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace, labelSelector: "app=istiod" });
  return pods.map((pod) => {
    const { containers } = pod.spec as { containers: readonly { readonly name: string; readonly image: string }[] };
    const image = containers.find((container) => container.name === "discovery")?.image ?? "";
    return {
      Component: "pilot",
      Revision: pod.metadata.labels?.["istio.io/rev"] ?? "default",
      Info: { version: image.split(":").at(-1) ?? "" },
    };
  });
}

/** One line when all replicas agree, else one per replica: istioctl's form. */
function controlPlaneLines(meshVersion: NonNullable<VersionInfo["meshVersion"]>): string[] {
  const versions = [...new Set(meshVersion.map((entry) => entry.Info.version))];
  if (versions.length === 1) return [`control plane version: ${versions[0] ?? ""}`];
  return meshVersion.map((entry) => `${entry.Component} version: ${entry.Info.version}`);
}

async function hasKubeconfig(io: Io): Promise<boolean> {
  if (io.env["KUBECONFIG"] !== undefined || io.env["KUBERNETES_SERVICE_HOST"] !== undefined) return true;
  const { existsSync } = await import("node:fs");
  return existsSync(`${io.env["HOME"] ?? ""}/.kube/config`);
}
