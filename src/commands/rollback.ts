import { ClusterError } from "../base/errors.ts";
import { type Recorded, readRecord } from "../install/record.ts";
import { readRevisions } from "../install/revisions.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import { bring, type Changed, type Plan, planDiff, reportChanges } from "./bring.ts";
import { isAgreed } from "./confirm.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface RollbackOptions {
  readonly revision: string;
  readonly istioNamespace: string;
  readonly isConfirmed: boolean;
  readonly dryRun: boolean;
  readonly diff?: boolean;
  readonly readinessTimeoutMs: number;
}

export interface RollbackResult extends CommandResult {
  readonly changes: readonly Changed[];
}

/** `meshctl rollback`. */
export async function run(input: CommandInput, io: Io): Promise<RollbackResult> {
  return rollback(
    {
      revision: textOption(input, "revision") ?? "default",
      istioNamespace: globalOptions(input).istioNamespace,
      isConfirmed: switchOption(input, "skipConfirmation"),
      dryRun: switchOption(input, "dryRun"),
      diff: switchOption(input, "diff"),
      readinessTimeoutMs: durationOption(input, "readinessTimeout", "300s"),
    },
    io,
  );
}

/**
 * Brings back the state that was recorded before the last installation; after one that failed or was interrupted, the last that
 * was whole. The objects are those that were applied then, so another version of this program gives the same. CRDs stay.
 */
export async function rollback(options: RollbackOptions, io: Io): Promise<RollbackResult> {
  const cluster = await io.cluster();
  await cluster.version();
  const { revision, istioNamespace: namespace } = options;
  const record = await readRecord(cluster, { namespace, revision });
  const target = record.isOpen ? record.current : record.previous;
  if (target === undefined)
    throw new ClusterError("no-record", `there is no earlier state of revision ${revision} in ${namespace}`, {
      hint: await wayBack(cluster, options),
    });
  const plan = planOf(target, { namespace, revision });
  if (options.diff === true) io.out(await planDiff({ cluster, plan }));
  if (!(await isConfirmed(options, target, io))) {
    io.err("Cancelled: nothing was changed.\n");
    return { exitCode: 1, changes: [] };
  }
  const changes = await bring({ cluster, plan, io }, options);
  reportChanges(changes, options, io);
  return { exitCode: 0, changes };
}

/** A second revision has no earlier state: the way back from it is the first one. */
async function wayBack(cluster: ClusterReader, { revision, istioNamespace }: RollbackOptions): Promise<string> {
  const { revisions } = await readRevisions(cluster, istioNamespace);
  const other = revisions.find((each) => each.revision !== revision);
  if (other === undefined || revision === "default")
    return "A second installation records the first; meshctl install brings any profile about.";
  return `Move its tags back (meshctl tag set <tag> --revision ${other.revision} --overwrite), restart the pods, then meshctl uninstall --revision ${revision}.`;
}

function planOf(target: Recorded, place: { readonly namespace: string; readonly revision: string }): Plan {
  const { profile, request, version, components } = target;
  return { ...place, profile, request, version, namespaces: [], components };
}

function isConfirmed(options: RollbackOptions, { profile, version, appliedAt }: Recorded, io: Io): Promise<boolean> {
  io.err(`This brings back profile "${profile}" of version ${version}, applied at ${appliedAt}.\n`);
  return isAgreed(io, { byFlag: options.isConfirmed || options.dryRun, doing: "rollback changes the cluster" });
}
