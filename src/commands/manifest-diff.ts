import { unifiedDiff } from "../base/line-diff.ts";
import { EnvironmentError } from "../base/errors.ts";
import { messageOf } from "../diagnostics/codes.ts";
import { readManifests } from "../resources/manifests.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readSources } from "./sources.ts";

export interface ManifestDiffResult extends CommandResult {
  /** Objects that differ, as `Kind namespace/name`. */
  readonly different: readonly string[];
}

/**
 * `meshctl manifest diff A B`: two sets of manifests (files, folders, `-`) object by object; the order of objects and of keys
 * does not matter. Exit code 1 when something differs.
 */
export async function run({ args }: CommandInput, io: Io): Promise<ManifestDiffResult> {
  const [before, after] = [await objectsOf(args[0] ?? "", io), await objectsOf(args[1] ?? "", io)];
  const different: string[] = [];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const text = unifiedDiff(name.replaceAll(" ", "/"), textOf(before.get(name)), textOf(after.get(name)));
    if (text === "") continue;
    different.push(name);
    io.out(text);
  }
  const all = new Set([...before.keys(), ...after.keys()]).size;
  io.err(
    different.length === 0 ? `✔ ${all} objects, no difference.\n` : `${different.length} of ${all} objects differ.\n`,
  );
  return { exitCode: different.length === 0 ? 0 : 1, different };
}

async function objectsOf(name: string, io: Io): Promise<ReadonlyMap<string, KubeObject>> {
  const { objects, findings } = readManifests(await readSources([name], io));
  const [bad] = findings;
  if (bad !== undefined) throw new EnvironmentError("unreadable-file", `${name}: ${messageOf(bad)}`);
  const files = objects.filter(({ object }) => object.kind !== "Kustomization");
  return new Map(files.map(({ object }) => [refText(refOf(object)), object]));
}

function textOf(object: KubeObject | undefined): string {
  return object === undefined ? "" : toYaml(sorted(object));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
