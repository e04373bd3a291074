import { hostname, userInfo } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { ClusterError } from "../base/errors.ts";
import { VERSION } from "../gen/version.ts";
import { applyObject, kindByKind, type Change } from "../install/apply.ts";
import { besideDefaultTag } from "../install/default-tag.ts";
import { diffObjects, removalDiff } from "../install/diff.ts";
import { holdInstallLease } from "../install/lease.ts";
import { type InstallRecord, readRecord, type Recorded, recordObject, withoutCrds } from "../install/record.ts";
import { dropObjects, findPruned } from "../install/remove.ts";
import type { ComponentName, RenderedComponent } from "../install/render.ts";
import type { SettingsRequest } from "../install/settings.ts";
import { waitReady } from "../install/wait.ts";
import { createProgress, type Progress } from "../report/progress.ts";
import type { Cluster } from "../resources/cluster.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import type { Io } from "./io.ts";

/** What the cluster is to be brought to: by install from settings, by rollback from the record. */
export interface Plan {
  readonly namespace: string;
  readonly revision: string;
  readonly profile: string;
  /** Of the program that rendered it; default: this one. */
  readonly version?: string;
  readonly request: SettingsRequest;
  /** Namespaces that are made when they are missing. */
  readonly namespaces: readonly KubeObject[];
  readonly components: readonly RenderedComponent[];
}

/** What happened to an object, in the order in which it happened. */
export interface Changed {
  readonly object: KubeObject;
  readonly change: Change | "removed";
}

interface Work {
  readonly cluster: Cluster;
  readonly plan: Plan;
  readonly io: Io;
}

/** How it is done. */
export interface BringOptions {
  /** The API server judges every object, nothing changes. */
  readonly dryRun: boolean;
  /** Until everything has to be ready. */
  readonly readinessTimeoutMs: number;
}

/** What bringing the cluster to a plan would change, as `diff -u` writes it: own fields only. Empty when nothing would. */
export async function planDiff({ cluster, plan }: Omit<Work, "io">): Promise<string> {
  const missing = await missingNamespaces(cluster, plan);
  const isUnjudged = ({ metadata }: KubeObject): boolean =>
    missing.some((each) => each.metadata.name === metadata.namespace);
  const components = await besideDefaultTag(cluster, plan.revision, plan.components);
  const objects = [...missing, ...components.flatMap((part) => part.objects)];
  return (await diffObjects(cluster, objects, isUnjudged)) + removalDiff(await prunedOf(cluster, plan));
}

/**
 * Applies the components of a plan in order, waits for each, removes what an earlier installation of the revision made and this
 * one does not, and records the new state. A Lease keeps a second installation away meanwhile. Run again, it finds nothing to do;
 * interrupted, it goes on. Throws ClusterError when something does not become ready, and when another installation is running.
 */
export async function bring(work: Work, options: BringOptions): Promise<readonly Changed[]> {
  const { cluster, plan, io } = work;
  const isEmpty = plan.components.length === 0;
  const changes: Changed[] = isEmpty ? [] : await ensureNamespaces(work, options);
  if (options.dryRun) return [...changes, ...(await applyAll(work, options, changes))];
  const hasNamespace = !isEmpty || (await cluster.get(namespaceTarget(plan.namespace))) !== undefined;
  const release = hasNamespace
    ? await holdInstallLease(cluster, plan.namespace, { identity: identity(), now: io.now })
    : undefined;
  try {
    const record = await readRecord(cluster, plan);
    const next: Recorded = stateOf(plan, io);
    const isRecorded = !record.isOpen && isSameState(record.current, next);
    if (hasNamespace && !isRecorded) await writeRecord(cluster, plan, { ...record, isOpen: true });
    changes.push(...(await applyAll(work, options, changes)));
    if (hasNamespace && !isRecorded) {
      const previous = isSameState(record.current, next) ? record.previous : record.current;
      await writeRecord(cluster, plan, { current: next, previous, isOpen: false });
    }
    return changes;
  } finally {
    await release?.();
  }
}

function identity(): string {
  return `${userInfo().username}@${hostname()} (pid ${process.pid})`;
}

function stateOf({ profile, request, components, version = VERSION }: Plan, io: Io): Recorded {
  return { version, profile, appliedAt: io.now().toISOString(), request, components: withoutCrds(components) };
}

/** Also after what JSON does to it: undefined members go. */
function isSameState(known: Recorded | undefined, next: Recorded): boolean {
  if (known === undefined) return false;
  const content = (state: Recorded): unknown => JSON.parse(JSON.stringify({ ...state, appliedAt: "" })) as unknown;
  return isDeepStrictEqual(content(known), content(next));
}

async function writeRecord(cluster: Cluster, plan: Plan, record: InstallRecord): Promise<void> {
  await applyObject(cluster, recordObject(plan, record), { dryRun: false });
}

function prunedOf(cluster: Cluster, { namespace, revision, components }: Plan): Promise<KubeObject[]> {
  return findPruned(cluster, { namespace, revision, objects: components.flatMap((part) => part.objects) });
}

const namespaceTarget = (name: string): { apiVersion: string; kind: string; name: string } => ({
  apiVersion: "v1",
  kind: "Namespace",
  name,
});

/** Namespaces that are not there yet; one that is there stays as it is, also its labels: it may be the user's. */
async function missingNamespaces(cluster: Cluster, { namespaces }: Plan): Promise<readonly KubeObject[]> {
  const missing: KubeObject[] = [];
  for (const namespace of namespaces) {
    const { name } = namespace.metadata;
    const live = await cluster.get(namespaceTarget(name));
    if (live?.metadata.deletionTimestamp !== undefined)
      throw new ClusterError("namespace-terminating", `namespace ${name} is being deleted`, {
        hint: "Wait until it is gone and run the command again.",
      });
    if (live === undefined) missing.push(namespace);
  }
  return missing;
}

async function ensureNamespaces({ cluster, plan }: Work, { dryRun }: BringOptions): Promise<Changed[]> {
  const missing = await missingNamespaces(cluster, plan);
  const changes: Changed[] = [];
  for (const object of plan.namespaces) {
    const change = missing.includes(object) ? await applyObject(cluster, object, { dryRun }) : "unchanged";
    changes.push({ object, change });
  }
  return changes;
}

const TITLES: Readonly<Record<ComponentName, string>> = {
  Base: "CRDs",
  Pilot: "Control plane",
  IstiodRemote: "Remote control plane",
  IngressGateways: "Ingress gateway",
  EgressGateways: "Egress gateway",
};

async function applyAll(work: Work, options: BringOptions, before: readonly Changed[]): Promise<Changed[]> {
  const { cluster, plan, io } = work;
  const until = io.now().getTime() + options.readinessTimeoutMs;
  const made = before.filter(({ change }) => change === "created").map(({ object }) => object.metadata.name);
  // in a dry run of a first install there is no namespace yet in which the API server could judge the object
  const isUnjudged = ({ metadata }: KubeObject): boolean => options.dryRun && made.includes(metadata.namespace ?? "");
  const progress = await createProgress(io);
  const changes: Changed[] = [];
  for (const part of await besideDefaultTag(cluster, plan.revision, plan.components)) {
    const title = TITLES[part.component];
    progress.start(`${title}: applying ${part.objects.length} objects`);
    try {
      const applied = await kindByKind(part.objects, async (object): Promise<Changed> => {
        io.signal.throwIfAborted();
        const change = isUnjudged(object) ? "created" : await applyObject(cluster, object, options);
        return { object, change };
      });
      changes.push(...applied);
      const timeoutMs = Math.max(0, until - io.now().getTime());
      if (!options.dryRun) await waitFor(work, part, { title, timeoutMs, progress });
    } catch (error) {
      progress.fail(`${title}: not installed`);
      if (io.signal.aborted && !options.dryRun) io.err(INTERRUPTED);
      throw error;
    }
    progress.succeed(options.dryRun ? `${title}: accepted by the API server` : `${title}: ready`);
  }
  return [...changes, ...(await prune(work, options, progress))];
}

const INTERRUPTED =
  "Some objects are in the cluster: run the command again to finish, or meshctl uninstall to remove them.\n";

interface Waiting {
  readonly title: string;
  readonly timeoutMs: number;
  readonly progress: Progress;
}

async function waitFor(
  { cluster, io }: Work,
  part: RenderedComponent,
  { title, timeoutMs, progress }: Waiting,
): Promise<void> {
  // the webhook of a remote control plane gets its certificate from there, whenever that control plane knows of this cluster
  const objects = part.component === "IstiodRemote" ? [] : part.objects;
  await waitReady(cluster, objects, {
    timeoutMs,
    signal: io.signal,
    onProgress: ([first]) => {
      if (first === undefined) return;
      progress.update(`${title}: waiting for ${refText(refOf(first.object))} (${first.reason ?? "not ready yet"})`);
    },
  });
}

async function prune({ cluster, plan }: Work, { dryRun }: BringOptions, progress: Progress): Promise<Changed[]> {
  const gone = await prunedOf(cluster, plan);
  if (gone.length > 0 && !dryRun) {
    progress.start(`removing ${gone.length} objects that are no longer part of it`);
    await dropObjects(cluster, gone);
    progress.succeed(`removed ${gone.length} objects that are no longer part of it`);
  }
  return gone.map((object) => ({ object, change: "removed" }));
}

/** What was done, in words on stdout. */
export function reportChanges(changes: readonly Changed[], { dryRun }: Pick<BringOptions, "dryRun">, io: Io): void {
  const count = (wanted: Changed["change"]): number => changes.filter(({ change }) => change === wanted).length;
  const changed = changes.filter(({ change }) => change !== "unchanged");
  if (dryRun) for (const { object, change } of changed) io.out(`${refText(refOf(object))} would be ${change}\n`);
  if (changed.length === 0) {
    io.out(`Nothing changed: all ${changes.length} objects are as they should be.\n`);
    return;
  }
  const removed = count("removed") === 0 ? "" : `, ${count("removed")} removed`;
  const numbers = `${count("created")} created, ${count("changed")} changed, ${count("unchanged")} unchanged${removed}`;
  io.out(dryRun ? `Dry run: ${numbers}. Nothing was changed.\n` : `Installed: ${numbers}.\n`);
}
