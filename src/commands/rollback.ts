import { ClusterError, UsageError } from "../base/errors.ts";
import { type Recorded, readRecord } from "../install/record.ts";
import { bring, type Changed, type Plan, planDiff, reportChanges } from "./bring.ts";
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
      hint: "A second installation records the first; meshctl install brings any profile about.",
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

function planOf(target: Recorded, place: { readonly namespace: string; readonly revision: string }): Plan {
  const { profile, request, version, components } = target;
  return { ...place, profile, request, version, namespaces: [], components };
}

async function isConfirmed(
  options: RollbackOptions,
  { profile, version, appliedAt }: Recorded,
  io: Io,
): Promise<boolean> {
  const what = `profile "${profile}" of version ${version}, applied at ${appliedAt}`;
  io.err(`This brings back ${what}.\n`);
  if (options.isConfirmed || options.dryRun) return true;
  if (io.ask === undefined)
    throw new UsageError("rollback changes the cluster and nobody can be asked", "Pass -y to agree.");
  return /^y(es)?$/i.test((await io.ask("Proceed? (y/N) ")).trim());
}
