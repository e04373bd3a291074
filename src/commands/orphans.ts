import { findOrphans, type Orphan, removeOrphans } from "../install/orphans.ts";
import { words } from "../install/tag-plan.ts";
import { table } from "../report/table.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import { isAgreed } from "./confirm.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface OrphansOptions {
  readonly istioNamespace: string;
  readonly output: "table" | "json" | "yaml";
  /** Remove them. */
  readonly remove: boolean;
  readonly isConfirmed: boolean;
}

/** What `orphans -o json` prints: schemas/output/orphans.schema.json. */
export interface OrphanEntry {
  readonly kind: string;
  /** Empty for what is in no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
}

export interface OrphansResult extends CommandResult {
  readonly orphans: readonly OrphanEntry[];
}

/** `meshctl orphans`. */
export async function run(input: CommandInput, io: Io): Promise<OrphansResult> {
  const output = textOption(input, "output");
  return orphans(
    {
      istioNamespace: globalOptions(input).istioNamespace,
      output: output === "json" || output === "yaml" ? output : "table",
      remove: switchOption(input, "delete"),
      isConfirmed: switchOption(input, "skipConfirmation"),
    },
    io,
  );
}

/**
 * Lists what installations left behind, and removes it when told to. Exit code 0 when there is nothing or it was removed, 1 when
 * something is left.
 */
export async function orphans(options: OrphansOptions, io: Io): Promise<OrphansResult> {
  const cluster = await io.cluster();
  const found = await findOrphans(cluster, options.istioNamespace);
  const entries = found.map(entryOf);
  print(entries, options.output, io);
  const removable = found.filter(({ isKept }) => !isKept);
  if (removable.length < found.length)
    io.err(
      `${words(found.length - removable.length, "CRD")} would take configuration along: meshctl uninstall --purge removes them.\n`,
    );
  const isOver = found.length === 0;
  if (isOver || !options.remove) return { exitCode: isOver ? 0 : 1, orphans: entries };
  if (removable.length > 0 && !(await isAgreed(io, confirmation(options, removable.length)))) {
    io.err("Cancelled: nothing was removed.\n");
    return { exitCode: 1, orphans: entries };
  }
  await removeOrphans(cluster, removable);
  io.err(`✔ removed ${words(removable.length, "object")}\n`);
  return { exitCode: removable.length < found.length ? 1 : 0, orphans: entries };
}

function entryOf({ object: { kind, metadata }, reason }: Orphan): OrphanEntry {
  return { kind, namespace: metadata.namespace ?? "", name: metadata.name, reason };
}

function print(entries: readonly OrphanEntry[], output: OrphansOptions["output"], io: Io): void {
  if (output === "json") io.out(`${JSON.stringify(entries, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(entries));
  else if (entries.length === 0) io.out("Nothing was left behind.\n");
  else {
    const rows = entries.map(({ kind, namespace, name, reason }) => [kind, namespace, name, reason]);
    io.out(table(["KIND", "NAMESPACE", "NAME", "REASON"], rows));
  }
}

function confirmation({ isConfirmed }: OrphansOptions, count: number): Parameters<typeof isAgreed>[1] {
  return { byFlag: isConfirmed, doing: "objects would be removed", question: `Remove ${words(count, "object")}?` };
}
