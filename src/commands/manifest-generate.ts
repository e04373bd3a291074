import { render } from "../install/render.ts";
import { settingsOf } from "../install/settings.ts";
import type { KubeObject } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { listOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface ManifestGenerateResult extends CommandResult {
  readonly objects: readonly KubeObject[];
}

/** `meshctl manifest generate`: what install would apply, without the Namespace; never talks to a cluster. */
export function run(input: CommandInput, io: Io): Promise<ManifestGenerateResult> {
  return Promise.resolve().then(() => {
    const settings = settingsOf(textOption(input, "profile"), listOption(input, "set"));
    const objects = render(settings).flatMap((part) => part.objects);
    io.out(objects.map((object) => `---\n${toYaml(object)}`).join(""));
    return { exitCode: 0, objects };
  });
}
