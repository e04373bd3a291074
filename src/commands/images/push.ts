import { UsageError } from "../../base/errors.ts";
import { type PushedImage, pushImages } from "../../images/push.ts";
import { createProgress } from "../../report/progress.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { openRegistries, printOutput, readSourceImages, sizeText } from "./sources.ts";

/** `meshctl images push HUB ARCHIVE...`: what the registry has is not sent again. Says how to install from there. */
export async function push(input: CommandInput, io: Io): Promise<CommandResult> {
  const [hub = "", ...archives] = input.args;
  const { host, folder } = parseHub(hub);
  const registries = openRegistries(input, io);
  const progress = await createProgress(io);
  try {
    const images = await readSourceImages(archives, registries, io);
    progress.start(`sending ${images.length} images to ${hub}`);
    const target = { registry: await registries.open(host), folder };
    const pushed = await pushImages(images, target, (image) => progress.update(lineOf(image)));
    progress.succeed(`${hub} has ${pushed.length} images`);
    const text = (): string => `${pushed.map(lineOf).join("\n")}\nNext: meshctl install --set hub=${hub}\n`;
    printOutput(input, io, { data: { hub, images: pushed }, text });
    return { exitCode: 0 };
  } catch (error) {
    progress.fail(`not everything was sent to ${hub}; run it again to go on`);
    throw error;
  } finally {
    registries.close();
  }
}

function lineOf({ name, digest, uploaded, bytes, changed }: PushedImage): string {
  const sent = uploaded === 0 ? "nothing had to be sent" : `${uploaded} blobs sent, ${sizeText(bytes)}`;
  return `${name} ${digest}: ${changed ? sent : "was there already"}`;
}

/** `registry.example:5000/mesh/prod`: the first part is the registry. */
function parseHub(hub: string): { host: string; folder: string } {
  const [host = "", ...rest] = hub.split("/");
  const folder = rest.join("/");
  const isHost = /^(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-f:]+\]|[\w.-]+(?=:))(?::\d+)?$/i.test(host);
  if (isHost && (folder === "" || /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(folder))) return { host, folder };
  throw new UsageError(
    `expected a registry and perhaps a folder, got "${hub}"`,
    "Write it as registry.example/mesh, without https:// and tag.",
  );
}
