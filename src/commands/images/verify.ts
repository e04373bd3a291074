import { type VerifiedImage, verifyImage } from "../../images/verify.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { openRegistries, printOutput, readSourceImages, sizeText } from "./sources.ts";

/** `meshctl images verify SOURCE...`: every byte against its digest, then what an image must have. Exit code 1 when one is not so. */
export async function verify(input: CommandInput, io: Io): Promise<CommandResult> {
  const registries = openRegistries(input, io);
  try {
    const images: VerifiedImage[] = [];
    for (const image of await readSourceImages(input.args, registries, io)) images.push(await verifyImage(image));
    printOutput(input, io, { data: { images }, text: () => images.map(imageText).join("") });
    return { exitCode: images.some(({ problems }) => problems.length > 0) ? 1 : 0 };
  } finally {
    registries.close();
  }
}

function imageText({ name, digest, platform, user, size, layers, sbom, problems }: VerifiedImage): string {
  const materials = sbom === null ? "no list of materials" : `${sbom.components} materials listed`;
  const facts = `${platform}, user ${user === "" ? "root" : user}, ${layers} layers, ${sizeText(size)}, ${materials}`;
  const lines = [`${problems.length === 0 ? "✔" : "✘"} ${name}`, `    ${digest}`, `    ${facts}`];
  return `${[...lines, ...problems.map((problem) => `    ✘ ${problem}`)].join("\n")}\n`;
}
