import { openLayout } from "../../images/layout.ts";
import { parseReference, referenceText } from "../../images/reference.ts";
import { imagesOnNodes, type NodeImages, type NodeStatus } from "../../model/mesh-images.ts";
import { table } from "../../report/table.ts";
import { listOption, switchOption } from "../input.ts";
import { resolve } from "node:path";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { neededImages, refuseOwnHub } from "./needed.ts";
import { openRegistries, printOutput, type Registries } from "./sources.ts";

interface ListedImage {
  readonly image: string;
  readonly usedBy: readonly string[];
  /** null: not known */
  readonly digest: string | null;
  /** With --nodes: names of those that have it, and of those that do not; nodes that do not tell are in neither. */
  readonly nodes?: { readonly with: readonly string[]; readonly without: readonly string[] };
}

/** `meshctl images list`: what the settings need; asks registries and the cluster only when told to. Exit code 1 when a node lacks one. */
export async function list(input: CommandInput, io: Io): Promise<CommandResult> {
  const registries = openRegistries(input, io);
  try {
    const needed = await neededImages(input, io);
    const digests = await knownDigests(input, io);
    const isRemote = switchOption(input, "remote");
    if (isRemote) refuseOwnHub(needed.filter(({ image }) => !digests.has(image)));
    const nodes = switchOption(input, "nodes") ? await askNodes(io) : undefined;
    const images: ListedImage[] = [];
    for (const { image, usedBy } of needed) {
      const digest = digests.get(image) ?? pinned(image) ?? (isRemote ? await remoteDigest(image, registries) : null);
      images.push({ image, usedBy, digest, ...(nodes === undefined ? {} : { nodes: spread(image, nodes) }) });
    }
    printOutput(input, io, { data: { images }, text: () => textOf(images) });
    return { exitCode: images.some((each) => (each.nodes?.without.length ?? 0) > 0) ? 1 : 0 };
  } finally {
    registries.close();
  }
}

async function knownDigests(input: CommandInput, io: Io): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>();
  for (const archive of listOption(input, "from"))
    for (const { name, descriptor } of (await openLayout(resolve(io.cwd, archive))).images)
      known.set(name, descriptor.digest);
  return known;
}

function pinned(image: string): string | undefined {
  return parseReference(image).digest;
}

async function remoteDigest(image: string, registries: Registries): Promise<string | null> {
  const { registry, repository, tag = "latest" } = parseReference(image);
  return (await (await registries.open(registry)).manifestDigest(repository, tag)) ?? null;
}

async function askNodes(io: Io): Promise<readonly NodeImages[]> {
  const cluster = await io.cluster();
  return imagesOnNodes((await cluster.list({ apiVersion: "v1", kind: "Node" })) as readonly NodeStatus[]);
}

function spread(image: string, nodes: readonly NodeImages[]): { with: readonly string[]; without: readonly string[] } {
  const name = referenceText(parseReference(image));
  const has = ({ images }: NodeImages): boolean => images.has(name);
  const names = (part: readonly NodeImages[]): string[] => part.map(({ node }) => node);
  return { with: names(nodes.filter(has)), without: names(nodes.filter((node) => !has(node))) };
}

function textOf(images: readonly ListedImage[]): string {
  const withNodes = images.some(({ nodes }) => nodes !== undefined);
  const rows = images.map(({ image, usedBy, digest, nodes }) => [
    image,
    digest ?? "-",
    ...(withNodes ? [nodesText(nodes)] : []),
    usedBy.join(", "),
  ]);
  return table(["IMAGE", "DIGEST", ...(withNodes ? ["NODES"] : []), "FOR"], rows);
}

function nodesText(nodes: ListedImage["nodes"]): string {
  const { with: having = [], without = [] } = nodes ?? {};
  if (having.length + without.length === 0) return "not known";
  return without.length === 0 ? `all ${having.length}` : `not on ${without.join(", ")}`;
}
