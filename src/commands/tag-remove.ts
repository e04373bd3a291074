import { ClusterError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { settleDefaultRevision } from "../install/default-tag.ts";
import { dropObjects } from "../install/remove.ts";
import { readRevisions } from "../install/revisions.ts";
import { liveTagObjects } from "../install/tag.ts";
import { words } from "../install/tag-plan.ts";
import { isAgreed } from "./confirm.ts";
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
export async function tagRemove(options: TagRemoveOptions, io: Io): Promise<CommandResult> {
  const { tag, istioNamespace } = options;
  const cluster = await io.cluster();
  const objects = await liveTagObjects(cluster, tag);
  const { tags, revisions } = await readRevisions(cluster, istioNamespace);
  if (objects.length === 0)
    throw noTag(
      tag,
      tags.map((each) => each.tag),
    );
  // the default revision takes its namespaces back
  const takesOver = tag === "default" && revisions.some(({ revision }) => revision === "default");
  const losers = takesOver ? [] : (tags.find((each) => each.tag === tag)?.namespaces ?? []);
  if (losers.length > 0 && !(await mayLose(losers, options, io))) {
    io.err("Cancelled: nothing was removed.\n");
    return { exitCode: 1 };
  }
  await dropObjects(cluster, objects);
  io.out(`Tag ${tag} removed.\n`);
  if (takesOver && (await settleDefaultRevision(cluster, istioNamespace)))
    io.out("Its namespaces are the default revision's again.\n");
  else if (takesOver) io.err("The default revision's webhooks stay switched off: meshctl install writes them anew.\n");
  return { exitCode: 0 };
}

function mayLose(namespaces: readonly string[], { tag, isConfirmed }: TagRemoveOptions, io: Io): Promise<boolean> {
  const names = namespaces.join(", ");
  const count = words(namespaces.length, "namespace");
  io.err(`${count} would lose tag ${tag}: ${names}. Their new pods will start without a proxy.\n`);
  return isAgreed(io, { byFlag: isConfirmed, doing: "pods would lose their proxies" });
}

function noTag(tag: string, known: readonly string[]): ClusterError {
  const close = nearest(tag, known);
  const list = known.length === 0 ? "There are no tags." : `There are: ${known.join(", ")}.`;
  return new ClusterError("not-found", `there is no tag ${tag}`, {
    hint: close === undefined ? list : `Did you mean ${close}? ${list}`,
  });
}
