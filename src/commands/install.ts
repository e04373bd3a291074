import { compact } from "../base/compact.ts";
import { UsageError } from "../base/errors.ts";
import { defaultTagTarget } from "../install/default-tag.ts";
import type { Settings } from "../install/settings.ts";
import { hasInjector, injectorOf } from "../install/tag.ts";
import { revisionOf } from "../install/variables.ts";
import type { Cluster } from "../resources/cluster.ts";
import { bring, type Changed, planDiff, reportChanges } from "./bring.ts";
import { durationOption, globalOptions, switchOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { passesPrecheck, planOf, withClusterFacts } from "./install-plan.ts";
import { readSettingsInput, type SettingsFlags, settingsFlags } from "./settings-input.ts";
import { tagSet } from "./tag-set.ts";

export interface InstallOptions extends SettingsFlags {
  readonly isConfirmed: boolean;
  /** The API server judges every object, nothing changes. */
  readonly dryRun: boolean;
  /** Print first what would change, own fields only. */
  readonly diff?: boolean;
  readonly skipPrecheck: boolean;
  readonly readinessTimeoutMs: number;
  readonly istioNamespace: string;
}

/** What happened to each object, in the order of applying. */
export interface InstallResult extends CommandResult {
  readonly changes: readonly Changed[];
}

/** `meshctl install`. */
export async function run(input: CommandInput, io: Io): Promise<InstallResult> {
  return install(installOptions(input), io);
}

/** The flags that install and upgrade share. */
export function installOptions(input: CommandInput): InstallOptions {
  return compact({
    ...settingsFlags(input),
    isConfirmed: switchOption(input, "skipConfirmation"),
    dryRun: switchOption(input, "dryRun"),
    diff: switchOption(input, "diff"),
    skipPrecheck: switchOption(input, "skipPrecheck"),
    readinessTimeoutMs: durationOption(input, "readinessTimeout", "300s"),
    istioNamespace: globalOptions(input).istioNamespace,
  });
}

/**
 * Brings the cluster to the profile: looks at it first, applies the components in order and waits for each. A second run finds
 * nothing to change. Settings are read before the cluster is asked anything, so a typo changes nothing. Exit code 1 when a
 * check failed or the user said no; ClusterError (2) when something does not become ready.
 */
export async function install(options: InstallOptions, io: Io): Promise<InstallResult> {
  const { settings: asked, request } = await readSettingsInput(options, io);
  const cluster = await io.cluster();
  await cluster.version();
  const settings = await withClusterFacts(cluster, asked);
  const plan = planOf(settings, request);
  if (!options.skipPrecheck && !(await passesPrecheck(cluster, plan, io))) return { exitCode: 1, changes: [] };
  if (options.diff === true) showDiff(await planDiff({ cluster, plan }), io);
  if (!(await isConfirmed(options, settings, io))) {
    io.err("Cancelled: nothing was changed.\n");
    return { exitCode: 1, changes: [] };
  }
  const isFirst = !(await hasInjector(cluster));
  const changes = await bring({ cluster, plan, io }, options);
  reportChanges(changes, options, io);
  if (!options.dryRun) await settleDefault(cluster, { settings, isFirst }, io);
  if (!options.dryRun && changes.some(({ change }) => change === "created")) io.out(NEXT);
  return { exitCode: 0, changes };
}

/** The first revision of a cluster is meant by istio-injection=enabled; a tag `default` that is there stays as it is. */
async function settleDefault(
  cluster: Cluster,
  { settings, isFirst }: { readonly settings: Settings; readonly isFirst: boolean },
  io: Io,
): Promise<void> {
  const [revision, target] = [revisionOf(settings), await defaultTagTarget(cluster)];
  if (target !== undefined && target !== revision && revision === "default")
    io.err(`istio-injection=enabled stays with revision ${target}: tag default names revision ${target}.\n`);
  if (!isFirst || revision === "default" || (await injectorOf(cluster, revision)) === undefined) return;
  const autoInject = settings.values.sidecarInjectorWebhook["enableNamespacesByDefault"] === true;
  const request = { tag: "default", revision, istioNamespace: settings.namespace, autoInject };
  await tagSet({ ...request, overwrite: false, isConfirmed: true }, { ...io, out: io.err });
}

const NEXT =
  "Next: kubectl label namespace <name> istio-injection=enabled, then restart its pods; meshctl proxy-status shows them.\n";

function showDiff(text: string, io: Io): void {
  io.out(text);
  if (text === "") io.err("No difference: nothing would change.\n");
}

async function isConfirmed(options: InstallOptions, settings: Settings, io: Io): Promise<boolean> {
  if (options.isConfirmed || options.dryRun) return true;
  if (io.ask === undefined)
    throw new UsageError("install changes the cluster and nobody can be asked", "Pass -y to agree.");
  const answer = await io.ask(
    `This will install the mesh, profile "${settings.profile}", into namespace ${settings.namespace}. Proceed? (y/N) `,
  );
  return /^y(es)?$/i.test(answer.trim());
}
