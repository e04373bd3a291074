import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const tool = join(import.meta.dirname, "../../../images/image.py");

/** What a small image is made of. */
export interface SmallImage {
  readonly name: string;
  /** Content of the one file of its last layer. */
  readonly content: string;
  /** Content of a layer of its own below. */
  readonly part?: string;
  readonly user?: string;
  /** False: none. */
  readonly hasSbom?: boolean;
  readonly hasLabels?: boolean;
}

const LABELS = ["title", "description", "version", "licenses"].map((name) => `org.opencontainers.image.${name}=x`);
const SBOM = { bomFormat: "CycloneDX", specVersion: "1.6", version: 1, components: [{ type: "library", name: "a" }] };

/** Writes an image archive with images/image.py, the tool of the real ones, into `dir`; its path. */
export async function makeImage(dir: string, image: SmallImage): Promise<string> {
  const { name, content, part, user = "1337:1337", hasSbom = true, hasLabels = true } = image;
  const folder = join(dir, Buffer.from(name).toString("hex").slice(-24));
  await mkdir(folder, { recursive: true });
  const file = async (base: string, text: string): Promise<string> => {
    await writeFile(join(folder, base), text);
    return join(folder, base);
  };
  const out = join(folder, "image.tar");
  await run("python3", [
    tool,
    `--out=${out}`,
    `--name=${name}`,
    `--user=${user}`,
    "--entrypoint=/app",
    ...(part === undefined ? [] : ["--part", `${await file("part", part)}:/part:644`]),
    `--add=${await file("app", content)}:/app:755`,
    ...(hasSbom ? ["--sbom", await file("sbom.json", JSON.stringify(SBOM))] : []),
    ...(hasLabels ? LABELS.flatMap((label) => ["--label", label]) : []),
  ]);
  return out;
}
