import { UsageError } from "../../base/errors.ts";
import { type Image, ImageError } from "../../images/oci.ts";
import { findSbom } from "../../images/verify.ts";
import { textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { openRegistries, readSourceImages } from "./sources.ts";

/** `meshctl images sbom SOURCE`: the list of materials as it is attached to the image. */
export async function sbom(input: CommandInput, io: Io): Promise<CommandResult> {
  const registries = openRegistries(input, io);
  try {
    const image = choose(await readSourceImages(input.args, registries, io), textOption(input, "image"));
    const found = await findSbom(image);
    if (typeof found === "string") throw new ImageError("image-sbom", `${image.name} ${found}`);
    io.out(`${JSON.stringify(found.document, undefined, 2)}\n`);
    return { exitCode: 0 };
  } finally {
    registries.close();
  }
}

function choose(images: readonly Image[], wanted: string | undefined): Image {
  const fitting = images.filter(({ name }) => wanted === undefined || name.includes(wanted));
  const [image] = fitting;
  const names = (fitting.length === 0 ? images : fitting).map(({ name }) => name).join(", ");
  if (image === undefined)
    throw new UsageError(`--image ${wanted ?? ""}: there is none of that name`, `There are: ${names}.`);
  if (fitting.length > 1)
    throw new UsageError(`there are ${fitting.length} images: ${names}`, "Choose one with --image.");
  return image;
}
