import { ClusterError, UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { settleDefaultRevision } from "../install/default-tag.ts";
import { dropObjects } from "../install/remove.ts";
import { readRevisions } from "../install/revisions.ts";
import { liveTagObjects } from "../install/tag.ts";
import { words } from "../install/tag-plan.ts";
import { globalOptions, switchOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface TagRemoveOptions {
  readonly tag: string;
  readonly istioNamespace: string;
  readonly isConfirmed: boolean;
}

/** `meshctl tag remove`. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const { istioNamespace } = globalOptions(input);
  return tagRemove(
    { tag: input.args[0] ?? "", istioNamespace, isConfirmed: switchOption(input, "skipConfirmation") },
    io,
  );
}

/**
 * Takes a tag away. While namespaces ask by it their new pods would start without a proxy: it names them and asks first. Exit code 1
 * when the user said no.
 */
export async function tagRemove(
  { tag, istioNamespace, isConfirmed }: TagRemoveOptions,
  io: Io,
): Promise<CommandResult> {
  const cluster = await io.cluster();
  const objects = await liveTagObjects(cluster, tag);
  const { tags, revisions } = await readRevisions(cluster, istioNamespace);
  if (objects.length === 0)
    throw noTag(
      tag,
      tags.map((each) => each.tag),
    );
  const namespaces = tags.find((each) => each.tag === tag)?.namespaces ?? [];
  const takesOver = tag === "default" && revisions.some(({ revision }) => revision === "default");
  if (namespaces.length > 0 && !takesOver) {
    io.err(
      `${words(namespaces.length, "namespace")} ask by tag ${tag}: ${namespaces.join(", ")}. Their new pods will start without a proxy.\n`,
    );
    if (!isConfirmed && io.ask === undefined)
      throw new UsageError("pods would lose their proxies and nobody can be asked", "Pass -y to agree.");
    const isAgreed = isConfirmed || /^y(es)?$/i.test((await io.ask?.("Proceed? (y/N) "))?.trim() ?? "");
    if (!isAgreed) {
      io.err("Cancelled: nothing was removed.\n");
      return { exitCode: 1 };
    }
  }
  await dropObjects(cluster, objects);
  const isSettled = tag !== "default" || !takesOver || (await settleDefaultRevision(cluster, istioNamespace));
  io.out(`Tag ${tag} removed.\n`);
  if (takesOver && isSettled) io.out("Its namespaces are the default revision's again.\n");
  if (!isSettled) io.err("The default revision's webhooks stay switched off: meshctl install writes them anew.\n");
  return { exitCode: 0 };
}

function noTag(tag: string, known: readonly string[]): ClusterError {
  const close = nearest(tag, known);
  const list = known.length === 0 ? "There are no tags." : `There are: ${known.join(", ")}.`;
  return new ClusterError("not-found", `there is no tag ${tag}`, {
    hint: close === undefined ? list : `Did you mean ${close}? ${list}`,
  });
}
