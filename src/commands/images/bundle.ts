import { resolve } from "node:path";
import { writeBundle } from "../../images/bundle.ts";
import { textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { neededImages, refuseOwnHub } from "./needed.ts";
import { openRegistries, printOutput, readSourceImages, sizeText } from "./sources.ts";

/** `meshctl images bundle [SOURCE...]`: one archive with all of them, and their lists of materials. */
export async function bundle(input: CommandInput, io: Io): Promise<CommandResult> {
  const registries = openRegistries(input, io);
  try {
    const sources = input.args.length > 0 ? input.args : await profileSources(input, io);
    const images = await readSourceImages(sources, registries, io);
    const out = textOption(input, "out") ?? "mesh-images.tar";
    const { size, blobs } = await writeBundle(resolve(io.cwd, out), images);
    const list = images.map(({ name, descriptor }) => ({ name, digest: descriptor.digest }));
    const text = (): string =>
      `${list.map(({ name, digest }) => `${name} ${digest}\n`).join("")}${out}: ${sizeText(size)}, ${blobs} blobs\n`;
    printOutput(input, io, { data: { archive: out, size, images: list }, text });
    return { exitCode: 0 };
  } finally {
    registries.close();
  }
}

async function profileSources(input: CommandInput, io: Io): Promise<readonly string[]> {
  const needed = await neededImages(input, io);
  refuseOwnHub(needed);
  return needed.map(({ image }) => image);
}
