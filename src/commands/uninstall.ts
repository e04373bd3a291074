import { ClusterError, UsageError } from "../base/errors.ts";
import { settleDefaultRevision } from "../install/default-tag.ts";
import { findRemoval, findRevisionRemoval, type Removal, remove } from "../install/remove.ts";
import { usersOf } from "../install/users.ts";
import { createProgress } from "../report/progress.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import { isAgreed } from "./confirm.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface UninstallOptions {
  /** Only this revision; refused while proxies use it, unless forced. */
  readonly revision?: string | undefined;
  readonly force?: boolean;
  /** Also CRDs with all configuration, and the namespace if install made it. */
  readonly purge: boolean;
  readonly isConfirmed: boolean;
  readonly dryRun: boolean;
  readonly timeoutMs: number;
  readonly istioNamespace: string;
}

export interface UninstallResult extends CommandResult {
  readonly removed: readonly KubeObject[];
}

/** `meshctl uninstall`. */
export async function run(input: CommandInput, io: Io): Promise<UninstallResult> {
  return uninstall(
    {
      revision: textOption(input, "revision"),
      force: switchOption(input, "force"),
      purge: switchOption(input, "purge"),
      isConfirmed: switchOption(input, "skipConfirmation"),
      dryRun: switchOption(input, "dryRun"),
      timeoutMs: durationOption(input, "timeout", "120s"),
      istioNamespace: globalOptions(input).istioNamespace,
    },
    io,
  );
}

/**
 * Takes the mesh out: says first what goes and which pods still carry a proxy, then removes it and waits until it is gone.
 * Nothing to remove is fine (exit code 0); a "no" is exit code 1.
 */
export async function uninstall(options: UninstallOptions, io: Io): Promise<UninstallResult> {
  const cluster = await io.cluster();
  await cluster.version();
  const { revision, istioNamespace: namespace } = options;
  if (revision !== undefined && options.purge)
    throw new UsageError("--revision and --purge exclude each other", "Without --revision everything goes.");
  if (revision !== undefined && options.force !== true) await refuseInUse(cluster, namespace, revision);
  const removal =
    revision === undefined
      ? await findRemoval(cluster, namespace, options.purge)
      : await findRevisionRemoval(cluster, { namespace, revision });
  const objects = allOf(removal);
  if (objects.length === 0) {
    io.out("There is nothing to remove.\n");
    return { exitCode: 0, removed: [] };
  }
  io.err(await announcement(cluster, removal, options));
  if (options.dryRun) {
    io.out(objects.map((object) => `${refText(refOf(object))} would be removed\n`).join(""));
    return { exitCode: 0, removed: [] };
  }
  if (!(await isAgreed(io, { byFlag: options.isConfirmed, doing: "uninstall changes the cluster" }))) {
    io.err("Cancelled: nothing was removed.\n");
    return { exitCode: 1, removed: [] };
  }
  const progress = await createProgress(io);
  progress.start(`removing ${objects.length} objects`);
  try {
    await remove(cluster, removal, {
      timeoutMs: options.timeoutMs,
      signal: io.signal,
      onProgress: ([first]) => {
        if (first !== undefined) progress.update(`waiting until ${refText(refOf(first.object))} is gone`);
      },
    });
  } catch (error) {
    progress.fail("not everything was removed");
    throw error;
  }
  progress.succeed(`removed ${objects.length} objects`);
  // it may have been behind tag `default`
  if (revision !== undefined && revision !== "default") await settleDefaultRevision(cluster, namespace);
  return { exitCode: 0, removed: objects };
}

/** Throws ClusterError `in-use` while pods have a proxy of the revision, namespaces ask it for one, or it has the gateways. */
async function refuseInUse(cluster: ClusterReader, namespace: string, revision: string): Promise<void> {
  const { pods, namespaces, gateways } = await usersOf(cluster, namespace, revision);
  const some = (names: readonly string[]): string =>
    `${names.slice(0, 10).join(", ")}${names.length > 10 ? " and more" : ""}`;
  const lines = [
    ...(pods.length === 0 ? [] : [`${pods.length} pods have a proxy of it: ${some(pods)}`]),
    ...(namespaces.length === 0 ? [] : [`${namespaces.length} namespaces ask it for proxies: ${some(namespaces)}`]),
    ...(gateways.length === 0 ? [] : [`gateways would go with it: ${some(gateways)}`]),
  ];
  if (lines.length === 0) return;
  const move = "Move the namespaces to another revision and restart their pods, or pass --force.";
  const hand = "Hand the gateways over: meshctl upgrade --revision <name> --gateways. ";
  throw new ClusterError("in-use", `revision ${revision} is in use:\n  ${lines.join("\n  ")}`, {
    hint: `${gateways.length === 0 ? "" : hand}${move}`,
  });
}

function allOf({ running, supporting, crds, namespaces }: Removal): KubeObject[] {
  return [...running, ...supporting, ...crds, ...namespaces];
}

async function announcement(cluster: ClusterReader, removal: Removal, options: UninstallOptions): Promise<string> {
  const lines = [`This removes the mesh from the cluster: ${allOf(removal).length} objects.`];
  if (removal.crds.length > 0) lines.push("All mesh configuration goes with its CRDs.");
  const proxies = await podsWithProxy(cluster, options.istioNamespace);
  if (proxies.length > 0) {
    const shown = proxies.slice(0, 10).join(", ");
    const more = proxies.length > 10 ? " and more" : "";
    lines.push(`${proxies.length} pods keep their proxy until they are created anew: ${shown}${more}.`);
  }
  return `${lines.join("\n")}\n`;
}

async function podsWithProxy(cluster: ClusterReader, istioNamespace: string): Promise<string[]> {
  const pods = await cluster.list({ apiVersion: "v1", kind: "Pod" });
  return pods
    .filter(({ metadata }) => metadata.namespace !== istioNamespace)
    .filter(({ metadata }) => metadata.annotations?.["sidecar.istio.io/status"] !== undefined)
    .map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
}
