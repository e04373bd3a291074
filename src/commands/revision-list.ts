import { readRevisions, type Revision } from "../install/revisions.ts";
import { table } from "../report/table.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface RevisionListResult extends CommandResult {
  readonly revisions: readonly Revision[];
}

/** `meshctl revision list`: control planes, and how much of the mesh is on each. */
export async function run(input: CommandInput, io: Io): Promise<RevisionListResult> {
  const { revisions } = await readRevisions(await io.cluster(), globalOptions(input).istioNamespace);
  const output = textOption(input, "output");
  if (output === "json") io.out(`${JSON.stringify(revisions, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(revisions));
  else if (revisions.length === 0)
    io.err("There is no control plane in the cluster. Install one with meshctl install.\n");
  else {
    const rows = revisions.map(({ revision, version, isReady, tags, namespaces, proxies }) => [
      revision,
      version,
      isReady ? "ready" : "not ready",
      tags.join(","),
      namespaces.join(","),
      String(proxies),
    ]);
    io.out(table(["REVISION", "VERSION", "STATUS", "TAGS", "NAMESPACES", "PROXIES"], rows));
  }
  return { exitCode: 0, revisions };
}
