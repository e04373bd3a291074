import { type Manifest, renderManifests } from "../install/render.ts";
import { listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { writeObjectFiles } from "./object-files.ts";
import { readSettingsInput, settingsFlags } from "./settings-input.ts";

export interface ManifestGenerateResult extends CommandResult {
  readonly manifests: readonly Manifest[];
}

/**
 * `meshctl manifest generate`: what install would apply, without the Namespace, in the order of applying; never talks to a cluster.
 * The same settings give the same bytes. With `-o` a file per object, and a kustomization
 * that lists them; with `--component` only objects of these parts.
 */
export async function run(input: CommandInput, io: Io): Promise<ManifestGenerateResult> {
  const { settings } = await readSettingsInput(settingsFlags(input), io);
  const wanted = listOption(input, "component");
  const all = renderManifests(settings);
  const manifests = wanted.length === 0 ? all : all.filter(({ component }) => wanted.includes(component));
  const folder = textOption(input, "output");
  if (folder === undefined) io.out(manifests.map(({ text }) => `---\n${text}`).join(""));
  else {
    const { written, removed } = await writeObjectFiles(folder, manifests, io);
    const gone = removed === 0 ? "" : `, ${removed} of an earlier run removed`;
    io.err(
      `✔ ${written} objects written to ${folder}${gone}. Apply them with kubectl apply --server-side -k ${folder}.\n`,
    );
  }
  return { exitCode: 0, manifests };
}
