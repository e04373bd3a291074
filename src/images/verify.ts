import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { errorText } from "../base/errors.ts";
import { type Descriptor, type Image, type Manifest, parseJson, SBOM_TYPES } from "./oci.ts";

/** Labels that say what an image is, by the OCI specification's names. */
export const REQUIRED_LABELS: readonly string[] = [
  "org.opencontainers.image.title",
  "org.opencontainers.image.description",
  "org.opencontainers.image.version",
  "org.opencontainers.image.licenses",
];

/** What an image turned out to be. */
export interface VerifiedImage {
  readonly name: string;
  readonly digest: string;
  /** `linux/amd64` */
  readonly platform: string;
  readonly user: string;
  /** Compressed bytes of all layers. */
  readonly size: number;
  readonly layers: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Digest of the list of materials, and how many there are on it; null when the image has none. */
  readonly sbom: { readonly digest: string; readonly components: number } | null;
  /** What is wrong, in words; empty when nothing is. */
  readonly problems: readonly string[];
}

/**
 * Reads every byte of an image and compares it with the digests of manifest and configuration; then what an image of ours must
 * have: labels, a user that is not root, a list of materials. Problems are data; nothing is thrown for a bad image.
 */
export async function verifyImage(image: Image): Promise<VerifiedImage> {
  const { config, manifest } = image;
  const labels = config.config?.Labels ?? {};
  const user = config.config?.User ?? "";
  const problems = [
    ...(await layerProblems(image)),
    ...REQUIRED_LABELS.filter((name) => (labels[name] ?? "") === "").map((name) => `label ${name} is missing`),
    ...(/^(?:root|0)?(?::|$)/.test(user) ? [`runs as root: user is "${user}"`] : []),
  ];
  const found = await findSbom(image).catch((error: unknown) => errorText(error));
  if (typeof found === "string") problems.push(found);
  return {
    name: image.name,
    digest: image.descriptor.digest,
    platform: `${config.os ?? "unknown"}/${config.architecture ?? "unknown"}`,
    user,
    size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    layers: manifest.layers.length,
    labels,
    sbom:
      typeof found === "string" ? null : { digest: found.descriptor.digest, components: componentsOf(found.document) },
    problems,
  };
}

async function layerProblems({ manifest, config, store }: Image): Promise<readonly string[]> {
  const diffIds = config.rootfs?.diff_ids ?? [];
  const problems: string[] = [];
  if (diffIds.length !== manifest.layers.length)
    problems.push(`the configuration names ${diffIds.length} layers, the manifest ${manifest.layers.length}`);
  for (const [index, layer] of manifest.layers.entries()) {
    const where = `layer ${index + 1} (${layer.digest.slice(0, 19)})`;
    try {
      const hashes = await hashLayer(layer, store.stream(layer));
      if (hashes.size !== layer.size) problems.push(`${where}: expected ${layer.size} bytes, got ${hashes.size}`);
      if (hashes.digest !== layer.digest) problems.push(`${where}: its bytes have ${hashes.digest}`);
      else if (diffIds[index] !== undefined && hashes.diffId !== diffIds[index])
        problems.push(`${where}: unpacked it has ${hashes.diffId}, the configuration says ${diffIds[index]}`);
    } catch (error) {
      problems.push(`${where}: ${errorText(error)}`);
    }
  }
  return problems;
}

interface LayerHashes {
  readonly digest: string;
  readonly diffId: string;
  readonly size: number;
}

async function hashLayer(layer: Descriptor, stream: AsyncIterable<Uint8Array>): Promise<LayerHashes> {
  const packed = createHash("sha256");
  let size = 0;
  async function* tapped(): AsyncIterable<Uint8Array> {
    for await (const part of stream) {
      packed.update(part);
      size += part.length;
      yield part;
    }
  }
  const plain = createHash("sha256");
  if (layer.mediaType.endsWith("gzip")) {
    await pipeline(tapped, createGunzip(), async (parts: AsyncIterable<Uint8Array>) => {
      for await (const part of parts) plain.update(part);
    });
  } else for await (const part of tapped()) plain.update(part);
  return { digest: `sha256:${packed.digest("hex")}`, diffId: `sha256:${plain.digest("hex")}`, size };
}

/** The list of materials of an image, or why there is none. */
export async function findSbom(
  image: Image,
): Promise<{ readonly descriptor: Descriptor; readonly document: Readonly<Record<string, unknown>> } | string> {
  for (const referrer of image.referrers) {
    const manifest = parseJson<Manifest>(await image.store.read(referrer), image.name);
    const [layer] = manifest.layers;
    const type = referrer.artifactType ?? manifest.artifactType ?? manifest.config.mediaType;
    if (layer === undefined || !SBOM_TYPES.includes(type)) continue;
    return {
      descriptor: layer,
      document: parseJson(await image.store.read(layer), `${image.name}: list of materials`),
    };
  }
  return "has no list of materials (SBOM)";
}

/** Number of materials, of CycloneDX or SPDX. */
function componentsOf(document: Readonly<Record<string, unknown>>): number {
  const list = document["components"] ?? document["packages"];
  return Array.isArray(list) ? list.length : 0;
}
