import { readRevisions, type Tag } from "../install/revisions.ts";
import { table } from "../report/table.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface TagListResult extends CommandResult {
  readonly tags: readonly Tag[];
}

/** `meshctl tag list`: tags, and revisions without one under an empty name, as istioctl lists them. */
export async function run(input: CommandInput, io: Io): Promise<TagListResult> {
  const cluster = await io.cluster();
  const { tags, revisions } = await readRevisions(cluster, globalOptions(input).istioNamespace);
  const bare = revisions
    .filter((each) => each.tags.length === 0)
    .map(({ revision, namespaces }): Tag => ({ tag: "", revision, namespaces }));
  const all = [...tags, ...bare].toSorted((a, b) => compare(a.revision, b.revision) || compare(a.tag, b.tag));
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(all, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(all));
  else if (all.length === 0) io.err("There are no tags and no revisions in the cluster.\n");
  else
    io.out(
      table(
        ["TAG", "REVISION", "NAMESPACES"],
        all.map((each) => [each.tag, each.revision, each.namespaces.join(",")]),
      ),
    );
  return { exitCode: 0, tags: all };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
