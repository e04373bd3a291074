import { UsageError } from "../../base/errors.ts";
import { render } from "../../install/render.ts";
import { imagesOf, type NeededImage, OWN_HUB } from "../../model/mesh-images.ts";
import { VERSION } from "../../gen/version.ts";
import { switchOption } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";
import { readSettingsInput, settingsFlags } from "../settings-input.ts";

/** The images that the settings of the command line need; with --samples that of the sample application too. */
export async function neededImages(input: CommandInput, io: Io): Promise<readonly NeededImage[]> {
  const { settings } = await readSettingsInput(settingsFlags(input), io);
  const needed = imagesOf(render(settings).flatMap(({ objects }) => objects));
  if (!switchOption(input, "samples")) return needed;
  return [
    ...needed,
    {
      image: `${settings.hub}/samples:${settings.tag === "" ? VERSION : settings.tag}`,
      usedBy: ["sample application"],
    },
  ];
}

/** Images without a hub of the user's are in no registry. */
export function refuseOwnHub(images: readonly NeededImage[]): void {
  const own = images.filter(({ image }) => image.startsWith(`${OWN_HUB}/`)).map(({ image }) => image);
  if (own.length === 0) return;
  throw new UsageError(
    `no registry has ${own.join(", ")}`,
    "Name archives that images/build.mjs wrote, or the registry that they were pushed to with --set hub=REGISTRY.",
  );
}
