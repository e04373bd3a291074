import { runChecks } from "../checks/check.ts";
import { precheckChecks } from "../checks/precheck.ts";
import { compact } from "../base/compact.ts";
import { ClusterError, UsageError } from "../base/errors.ts";
import { applyObject, type Change } from "../install/apply.ts";
import { namespaceObject, render, type RenderedComponent } from "../install/render.ts";
import { type Settings, settingsOf } from "../install/settings.ts";
import { waitReady } from "../install/wait.ts";
import { createProgress, type Progress } from "../report/progress.ts";
import type { Cluster } from "../resources/cluster.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { durationOption, globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { checkText } from "./precheck.ts";

export interface InstallOptions {
  /** Name of a bundled profile; default "default". */
  readonly profile?: string;
  /** `path=value` lines, left to right. */
  readonly set: readonly string[];
  readonly isConfirmed: boolean;
  /** The API server judges every object, nothing changes. */
  readonly dryRun: boolean;
  readonly skipPrecheck: boolean;
  readonly readinessTimeoutMs: number;
  readonly istioNamespace: string;
}

/** What happened to each object, in the order of applying. */
export interface InstallResult extends CommandResult {
  readonly changes: readonly { readonly object: KubeObject; readonly change: Change }[];
}

/** `meshctl install`. */
export async function run(input: CommandInput, io: Io): Promise<InstallResult> {
  return install(
    compact({
      profile: textOption(input, "profile"),
      set: listOption(input, "set"),
      isConfirmed: switchOption(input, "skipConfirmation"),
      dryRun: switchOption(input, "dryRun"),
      skipPrecheck: switchOption(input, "skipPrecheck"),
      readinessTimeoutMs: durationOption(input, "readinessTimeout", "300s"),
      istioNamespace: globalOptions(input).istioNamespace,
    }),
    io,
  );
}

/**
 * Brings the cluster to the profile: looks at it first, applies the components in order and waits for each. A second run finds
 * nothing to change. Settings are read before the cluster is asked anything, so a typo changes nothing. Exit code 1 when a
 * check failed or the user said no; ClusterError (2) when something does not become ready.
 */
export async function install(options: InstallOptions, io: Io): Promise<InstallResult> {
  const namespaceLine = `namespace=${options.istioNamespace}`;
  const lines = options.istioNamespace === "istio-system" ? options.set : [namespaceLine, ...options.set];
  const asked = settingsOf(options.profile, lines);
  const cluster = await io.cluster();
  await cluster.version();
  const settings = await withClusterFacts(cluster, asked);
  if (!options.skipPrecheck && !(await passesPrecheck(cluster, settings, io))) return { exitCode: 1, changes: [] };
  if (!(await isConfirmed(options, settings, io))) {
    io.err("Cancelled: nothing was changed.\n");
    return { exitCode: 1, changes: [] };
  }
  const progress = await createProgress(io);
  const changes = await applyAll({ cluster, settings, options, io, progress });
  summarize(changes, options, io);
  return { exitCode: 0, changes };
}

/** Nodes that cannot redirect traffic say so by a label; when all do, proxies are reached by explicit addresses. */
async function withClusterFacts(cluster: Cluster, settings: Settings): Promise<Settings> {
  const nodes = await cluster.list({ apiVersion: "v1", kind: "Node" });
  const isExplicit =
    nodes.length > 0 && nodes.every((node) => node.metadata.labels?.["meshctl.io/interception"] === "none");
  if (!isExplicit) return settings;
  const proxy = { ...(settings.values.global["proxy"] as object), interceptionMode: "NONE" };
  return { ...settings, values: { ...settings.values, global: { ...settings.values.global, proxy } } };
}

async function passesPrecheck(cluster: Cluster, settings: Settings, io: Io): Promise<boolean> {
  const results = await runChecks(precheckChecks, cluster, { istioNamespace: settings.namespace });
  const bad = results.filter(({ status }) => status === "error" || status === "warning");
  if (bad.length > 0) io.err(checkText(bad));
  const failed = bad.filter(({ status }) => status === "error");
  if (failed.length > 0) io.err("Nothing was changed. Repair what is named above, or pass --skip-precheck.\n");
  return failed.length === 0;
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

interface Work {
  readonly cluster: Cluster;
  readonly settings: Settings;
  readonly options: InstallOptions;
  readonly io: Io;
  readonly progress: Progress;
}

const TITLES = {
  Base: "CRDs",
  Pilot: "Control plane",
  IstiodRemote: "Remote control plane",
  IngressGateways: "Ingress gateway",
  EgressGateways: "Egress gateway",
} as const;

async function applyAll(work: Work): Promise<InstallResult["changes"]> {
  const { cluster, settings, options, io, progress } = work;
  const until = io.now().getTime() + options.readinessTimeoutMs;
  const changes: { object: KubeObject; change: Change }[] = [];
  const components = render(settings);
  if (components.length > 0) changes.push(...(await ensureNamespace(work)));
  for (const component of components) {
    const title = TITLES[component.component];
    progress.start(`${title}: applying ${component.objects.length} objects`);
    try {
      changes.push(...(await applyComponent(work, component, isMissingNamespace(changes, options))));
      if (!options.dryRun)
        await waitReady(cluster, component.objects, {
          timeoutMs: Math.max(0, until - io.now().getTime()),
          signal: io.signal,
          onProgress: (waiting) => {
            const first = waiting[0];
            if (first === undefined) return;
            progress.update(
              `${title}: waiting for ${refText(refOf(first.object))} (${first.reason ?? "not ready yet"})`,
            );
          },
        });
    } catch (error) {
      progress.fail(`${title}: not installed`);
      if (io.signal.aborted && !options.dryRun)
        io.err(
          "Some objects are in the cluster: run the command again to finish, or meshctl uninstall to remove them.\n",
        );
      throw error;
    }
    progress.succeed(options.dryRun ? `${title}: accepted by the API server` : `${title}: ready`);
  }
  return changes;
}

/** A namespace that is already there stays as it is, also its labels: it may be the user's. */
async function ensureNamespace({ cluster, settings, options }: Work): Promise<InstallResult["changes"]> {
  const wanted = namespaceObject(settings);
  const live = await cluster.get({ apiVersion: "v1", kind: "Namespace", name: settings.namespace });
  if (live?.metadata.deletionTimestamp !== undefined)
    throw new ClusterError("namespace-terminating", `namespace ${settings.namespace} is being deleted`, {
      hint: "Wait until it is gone and run the command again.",
    });
  if (live !== undefined) return [{ object: live, change: "unchanged" }];
  return [{ object: wanted, change: await applyObject(cluster, wanted, { dryRun: options.dryRun }) }];
}

function isMissingNamespace(changes: InstallResult["changes"], { dryRun }: InstallOptions): boolean {
  return dryRun && changes.some(({ object, change }) => object.kind === "Namespace" && change === "created");
}

async function applyComponent(
  { cluster, options, io }: Work,
  component: RenderedComponent,
  hasNoNamespace: boolean,
): Promise<InstallResult["changes"]> {
  const changes: { object: KubeObject; change: Change }[] = [];
  for (const object of component.objects) {
    io.signal.throwIfAborted();
    // in a dry run of a first install there is no namespace yet in which the API server could judge the object
    const isUnjudged = hasNoNamespace && object.metadata.namespace !== undefined;
    const change = isUnjudged ? "created" : await applyObject(cluster, object, { dryRun: options.dryRun });
    changes.push({ object, change });
  }
  return changes;
}

function summarize(changes: InstallResult["changes"], { dryRun }: InstallOptions, io: Io): void {
  const count = (wanted: Change): number => changes.filter(({ change }) => change === wanted).length;
  const changed = changes.filter(({ change }) => change !== "unchanged");
  if (dryRun) for (const { object, change } of changed) io.out(`${refText(refOf(object))} would be ${change}\n`);
  if (changed.length === 0) {
    io.out(`Nothing changed: all ${changes.length} objects are as they should be.\n`);
    return;
  }
  const numbers = `${count("created")} created, ${count("changed")} changed, ${count("unchanged")} unchanged`;
  io.out(dryRun ? `Dry run: ${numbers}. Nothing was changed.\n` : `Installed: ${numbers}.\n`);
  if (dryRun || count("created") === 0) return;
  io.out(
    "Next: kubectl label namespace <name> istio-injection=enabled, then restart its pods; meshctl proxy-status shows them.\n",
  );
}
