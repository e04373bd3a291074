import { ClusterError, UsageError } from "../base/errors.ts";
import { applyObject, type Change } from "../install/apply.ts";
import { settleDefaultRevision } from "../install/default-tag.ts";
import type { InjectedPod } from "../install/revisions.ts";
import { dropObjects } from "../install/remove.ts";
import { liveTagObjects } from "../install/tag.ts";
import { planTag, type TagPlan, words } from "../install/tag-plan.ts";
import type { Cluster } from "../resources/cluster.ts";
import { refOf, refText } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { durationOption, globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { behindTable, waitMoved } from "./wait-moved.ts";

export interface TagSetOptions {
  readonly tag: string;
  readonly revision: string;
  readonly istioNamespace: string;
  readonly webhookName?: string | undefined;
  /** Tag `default` alone: namespaces that say nothing ask for it too. */
  readonly autoInject?: boolean;
  /** The tag may name another revision now. */
  readonly overwrite: boolean;
  /** Do not ask when webhooks of others take the same pods. */
  readonly isConfirmed: boolean;
  readonly dryRun?: boolean;
  /** Until no pod that asks for the tag has a proxy of another revision. */
  readonly wait?: boolean;
  readonly timeoutMs?: number;
}

export interface TagSetResult extends CommandResult {
  /** What setting it did; `unchanged` when it was set already. */
  readonly change?: Change;
  /** Pods that ask for the tag and still have a proxy of another revision. */
  readonly behind: readonly InjectedPod[];
}

/** Reads what `tag set` and `tag generate` share. */
function optionsOf(input: CommandInput): TagSetOptions {
  const revision = textOption(input, "revision");
  if (revision === undefined) throw new UsageError("which revision?", "Pass --revision.");
  return {
    tag: input.args[0] ?? "",
    revision,
    istioNamespace: globalOptions(input).istioNamespace,
    webhookName: textOption(input, "webhookName"),
    autoInject: switchOption(input, "autoInjectNamespaces"),
    overwrite: switchOption(input, "overwrite"),
    isConfirmed: switchOption(input, "skipConfirmation"),
    dryRun: switchOption(input, "dryRun"),
    wait: switchOption(input, "wait"),
    timeoutMs: durationOption(input, "timeout", "10m"),
  };
}

/** `meshctl tag set`. */
export async function run(input: CommandInput, io: Io): Promise<TagSetResult> {
  return tagSet(optionsOf(input), io);
}

/** `meshctl tag generate`: the objects of a tag as YAML; nothing is written. */
export async function runGenerate(input: CommandInput, io: Io): Promise<CommandResult> {
  const options = optionsOf(input);
  if (isImplied(options))
    throw new UsageError("the default revision needs no tag default", "Its own webhooks select what the tag would.");
  const { objects, conflicts } = await planOf(await io.cluster(), { ...options, overwrite: true });
  io.out(objects.map((object) => toYaml(object)).join("---\n"));
  if (conflicts.length > 0) io.err(conflictText(options.tag, conflicts));
  return { exitCode: 0 };
}

/**
 * Makes a tag, or moves it to another revision: pods that are created from now on in the namespaces that ask for it get that
 * revision's proxy. Exit code 1 when the user said no, or when `wait` ended before every pod had moved.
 */
export async function tagSet(options: TagSetOptions, io: Io): Promise<TagSetResult> {
  const { tag, revision } = options;
  const cluster = await io.cluster();
  const plan = await planOf(cluster, options);
  if (plan.conflicts.length > 0 && !(await isAgreed(plan.conflicts, options, io))) return { exitCode: 1, behind: [] };
  const change = await apply(cluster, plan, { options, io });
  if (options.dryRun === true) return { exitCode: 0, change, behind: [] };
  io.out(`Tag ${tag} ${said(change, plan)} revision ${revision}.\n`);
  if (change === "created" && plan.state.namespaces.every(({ asks }) => asks !== tag))
    io.out(
      `Next: kubectl label namespace <name> ${tag === "default" ? "istio-injection=enabled" : `istio.io/rev=${tag}`}\n`,
    );
  const isBehind = (pod: InjectedPod): boolean => pod.asks === tag && pod.revision !== revision;
  const timeoutMs = options.wait === true ? (options.timeoutMs ?? 0) : 0;
  const behind = await waitMoved(cluster, { namespace: options.istioNamespace, isBehind, timeoutMs }, io);
  if (behind.length > 0) {
    io.out(behindTable(behind));
    io.err(
      `${words(behind.length, "pod")} in ${words(new Set(behind.map(({ namespace }) => namespace)).size, "namespace")} get their new proxy when they are created anew: kubectl rollout restart deployment -n <name>\n`,
    );
  }
  return { exitCode: options.wait === true && behind.length > 0 ? 1 : 0, change, behind };
}

function planOf(cluster: Cluster, options: TagSetOptions): Promise<TagPlan> {
  const { tag, revision, istioNamespace: namespace, webhookName, autoInject, overwrite } = options;
  return planTag(cluster, { tag, revision, namespace, webhookName, autoInject }, { overwrite });
}

async function apply(
  cluster: Cluster,
  { objects, request }: TagPlan,
  { options, io }: { readonly options: TagSetOptions; readonly io: Io },
): Promise<Change> {
  const dryRun = options.dryRun === true;
  if (isImplied(request)) return dryRun ? "unchanged" : giveBack(cluster, request.namespace);
  const isOwn = request.tag === "default";
  const changes: Change[] = [];
  // where the default revision's webhooks stopped first, pods of that moment would start without a proxy: the API server may ask
  // two webhooks, and the second injector leaves a pod alone that has its proxy
  for (const object of objects) {
    const change = await applyObject(cluster, object, { dryRun });
    if (dryRun && change !== "unchanged") io.out(`${refText(refOf(object))} would be ${change}\n`);
    if (object.kind === "MutatingWebhookConfiguration") changes.push(change);
  }
  if (isOwn && !dryRun) await settleDefaultRevision(cluster, request.namespace);
  return changes[0] ?? "unchanged";
}

/** Namespaces ask for the default revision by this name when there is no tag: its own webhooks select them. */
function isImplied({ tag, revision }: Pick<TagSetOptions, "tag" | "revision">): boolean {
  return tag === "default" && revision === "default";
}

/** First the default revision's webhooks, then without the tag: no pod starts in between without a proxy. */
async function giveBack(cluster: Cluster, namespace: string): Promise<Change> {
  const objects = await liveTagObjects(cluster, "default");
  if (objects.length === 0) return "unchanged";
  await settleDefaultRevision(cluster, namespace, "default");
  await dropObjects(cluster, objects);
  return "changed";
}

function said(change: Change, { before, request }: TagPlan): string {
  if (change === "created" || before === undefined) return "now names";
  return before.revision === request.revision ? "names" : `moved from revision ${before.revision} to`;
}

async function isAgreed(conflicts: readonly string[], options: TagSetOptions, io: Io): Promise<boolean> {
  io.err(conflictText(options.tag, conflicts));
  if (options.isConfirmed || options.dryRun === true) return true;
  if (io.ask === undefined)
    throw new ClusterError("tag-conflict", `tag ${options.tag} would inject pods a second time`, {
      hint: "Remove the other webhooks, or pass -y to set the tag all the same.",
    });
  const isYes = /^y(es)?$/i.test((await io.ask("Set the tag all the same? (y/N) ")).trim());
  if (!isYes) io.err("Cancelled: nothing was changed.\n");
  return isYes;
}

function conflictText(tag: string, conflicts: readonly string[]): string {
  return `warning: other webhooks take the pods of tag ${tag} too: ${conflicts.join(", ")}. Pods would be injected twice [IST0139].\n`;
}
