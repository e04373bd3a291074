import { compact } from "../base/compact.ts";
import { VERSION } from "../gen/version.ts";
import type { InjectedPod } from "../install/revisions.ts";
import { readSettings, type SettingsRequest } from "../install/settings.ts";
import { words } from "../install/tag-plan.ts";
import { planUpgrade, type Upgrade } from "../install/upgrade.ts";
import { imagesOf } from "../model/mesh-images.ts";
import type { Cluster } from "../resources/cluster.ts";
import { bring, type Plan, planDiff, reportChanges } from "./bring.ts";
import { isAgreed } from "./confirm.ts";
import { type InstallOptions, installOptions, type InstallResult } from "./install.ts";
import { passesPrecheck, planOf, withClusterFacts } from "./install-plan.ts";
import { durationOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";
import { readSettingsInput } from "./settings-input.ts";
import { behindTable, waitMoved } from "./wait-moved.ts";

export interface UpgradeOptions extends InstallOptions {
  /** The revision that a second one starts from. */
  readonly from?: string;
  readonly gateways: boolean;
  readonly force: boolean;
  /** Until no pod has a proxy of before. */
  readonly wait: boolean;
  readonly timeoutMs: number;
}

export interface UpgradeResult extends InstallResult {
  /** Pods that still have a proxy of before. */
  readonly behind: readonly InjectedPod[];
}

/** `meshctl upgrade`. */
export async function run(input: CommandInput, io: Io): Promise<UpgradeResult> {
  return upgrade(
    compact({
      ...installOptions(input),
      from: textOption(input, "from"),
      gateways: switchOption(input, "gateways"),
      force: switchOption(input, "force"),
      wait: switchOption(input, "wait"),
      timeoutMs: durationOption(input, "timeout", "10m"),
    }),
    io,
  );
}

/**
 * Brings an installed revision to this version, or makes a second one beside it, with the settings of the installation unless others
 * are given. Says first from which version it goes and what changes. Exit code 1 when a check failed, the user said no, or waiting
 * for pods ended too early; ClusterError (2) for a step that is not supported.
 */
export async function upgrade(options: UpgradeOptions, io: Io): Promise<UpgradeResult> {
  const nothing = { exitCode: 1, changes: [], behind: [] } as const;
  const asked = await askedRequest(options, io);
  const cluster = await io.cluster();
  await cluster.version();
  const { revision, from, gateways, force, istioNamespace: namespace } = options;
  const step = await planUpgrade(cluster, {
    namespace,
    revision,
    from,
    request: asked,
    gateways,
    force,
    version: VERSION,
  });
  const settings = await withClusterFacts(cluster, readSettings(step.request).settings);
  const plan = planOf(settings, step.request);
  if (!options.skipPrecheck && !(await passesPrecheck(cluster, plan, io, ["upgrade-path"]))) return nothing;
  const diff = await planDiff({ cluster, plan });
  io.err(announcement(step, diff));
  if (options.diff === true) io.out(diff);
  if (!(await isAgreed(io, { byFlag: options.isConfirmed || options.dryRun, doing: "upgrade changes the cluster" }))) {
    io.err("Cancelled: nothing was changed.\n");
    return nothing;
  }
  const changes = await bring({ cluster, plan, io }, options);
  reportChanges(changes, options, io);
  if (options.dryRun) return { exitCode: 0, changes, behind: [] };
  const behind = await followPods(cluster, { step, plan, options }, io);
  return { exitCode: options.wait && behind.length > 0 ? 1 : 0, changes, behind };
}

/** Undefined when nothing is asked for: then it is what the installation was asked for. */
async function askedRequest(options: UpgradeOptions, io: Io): Promise<SettingsRequest | undefined> {
  const { profile, filenames = [], set = [] } = options;
  if (profile === undefined && filenames.length === 0 && set.length === 0) return undefined;
  return (await readSettingsInput(options, io)).request;
}

const SHOWN = 12;

function announcement({ isCanary, revision, from, fromVersion, warning }: Upgrade, diff: string): string {
  const names = [...diff.matchAll(/^--- a\/(.+)$/gm)].map(([, name]) => name ?? "");
  const steps = isCanary
    ? `Revision ${revision} (${VERSION}) is installed beside revision ${from} (${fromVersion}), which stays as it is.`
    : from === revision
      ? `Revision ${revision} goes from version ${fromVersion} to ${VERSION}.`
      : `Revision ${revision} (${VERSION}) takes the gateways over from revision ${from} (${fromVersion}).`;
  const some = names.slice(0, SHOWN).map((name) => `  ${name}`);
  const more = names.length > SHOWN ? [`  and ${names.length - SHOWN} more`] : [];
  return [
    ...(warning === undefined ? [] : [`warning: not supported: ${warning}`]),
    steps,
    ...(names.length === 0
      ? ["No object changes."]
      : [`${words(names.length, "object")} will be written:`, ...some, ...more]),
    "",
  ].join("\n");
}

/** Pods get their new proxy when they are created anew: who still has one of before, and what to do next. */
async function followPods(
  cluster: Cluster,
  { step, plan, options }: { readonly step: Upgrade; readonly plan: Plan; readonly options: UpgradeOptions },
  io: Io,
): Promise<readonly InjectedPod[]> {
  const image = imagesOf(plan.components.flatMap(({ objects }) => objects)).find(({ usedBy }) =>
    usedBy.includes("sidecars"),
  )?.image;
  const isBehind = (pod: InjectedPod): boolean =>
    step.from === step.revision
      ? pod.revision === step.revision && image !== undefined && pod.image !== image
      : pod.revision === step.from;
  const { istioNamespace: namespace, wait, timeoutMs } = options;
  const behind = await waitMoved(cluster, { namespace, isBehind, timeoutMs: wait ? timeoutMs : 0 }, io);
  if (behind.length > 0) io.out(behindTable(behind));
  io.err(nextSteps(step, behind.length));
  return behind;
}

function nextSteps({ isCanary, revision, from }: Upgrade, behind: number): string {
  if (isCanary)
    return [
      `Next: meshctl tag set <tag> --revision ${revision} --overwrite, or label a namespace with istio.io/rev=${revision};`,
      "restart its pods: kubectl rollout restart deployment -n <name>;",
      `in the end meshctl upgrade --revision ${revision} --gateways and meshctl uninstall --revision ${from}.`,
      "",
    ].join("\n");
  if (behind === 0) return "";
  return `${words(behind, "pod")} keep the proxy of before until they are created anew: kubectl rollout restart deployment -n <name>\n`;
}
