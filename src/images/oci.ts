import { createHash } from "node:crypto";
import { MeshError } from "../base/errors.ts";

/** An image, archive or registry that is not as it should be, or cannot be used: exit code 2. */
export class ImageError extends MeshError {}

/** Media types of the OCI image specification 1.1. */
export const MEDIA = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  empty: "application/vnd.oci.empty.v1+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

/** Artifact type of a list of materials; CycloneDX in JSON is what images of this repository carry. */
export const SBOM_TYPES: readonly string[] = ["application/vnd.cyclonedx+json", "application/spdx+json"];

/** Names some bytes by their hash and length. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
}

/** What an image or an artifact consists of. */
export interface Manifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The manifest that this one is about. */
  readonly subject?: Descriptor;
}

/** A list of manifests. */
export interface Index {
  readonly manifests: readonly Descriptor[];
}

/** The part of an image's configuration that is looked at. */
export interface ImageConfig {
  readonly architecture?: string;
  readonly os?: string;
  readonly config?: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  };
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
}

/** Where the bytes of an image lie: an archive, a folder or a registry. Both throw ImageError when there are none of that digest. */
export interface BlobStore {
  /** For messages: the archive's path, or the repository. */
  readonly where: string;
  /** Small ones: manifests, configurations, lists of materials. Checked against digest and size. */
  read(descriptor: Descriptor): Promise<Uint8Array>;
  /** Of any size, unchecked. */
  stream(descriptor: Descriptor): AsyncIterable<Uint8Array>;
}

/** One image for one platform, wherever it lies. */
export interface Image {
  /** `docker.io/meshctl/meshd:1.2.0` */
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly store: BlobStore;
  /** Manifests about this one: lists of materials, signatures. */
  readonly referrers: readonly Descriptor[];
}

/** `sha256:…` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A digest that can be part of a path and that we can check. */
function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The bytes when they are what the descriptor names. Throws ImageError otherwise. */
export function checked(bytes: Uint8Array, { digest, size }: Descriptor, where: string): Uint8Array {
  const got = digestOf(bytes);
  if (got === digest && bytes.length === size) return bytes;
  throw new ImageError(
    "image-damaged",
    `${where}: expected ${digest} of ${size} bytes, got ${got} of ${bytes.length} bytes`,
    { hint: "build, copy or pull the image again" },
  );
}

/** JSON of a manifest, index or configuration. Throws ImageError when it is none. */
export function parseJson<T>(bytes: Uint8Array, where: string): T {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as T;
  } catch {
    // falls through: not JSON
  }
  throw new ImageError("image-damaged", `${where}: expected a JSON object`);
}

/** The manifest that a descriptor names; a list of platforms gives the one for Linux on this architecture. */
export async function readImage(
  name: string,
  descriptor: Descriptor,
  store: BlobStore,
): Promise<Omit<Image, "referrers">> {
  const bytes = await store.read(descriptor);
  const where = `${store.where}: ${name}`;
  const value = parseJson<Partial<Manifest> & Partial<Index>>(bytes, where);
  if (Array.isArray(value.manifests)) {
    const chosen = ofPlatform(value.manifests);
    if (chosen === undefined) throw new ImageError("image-platform", `${where}: nothing for linux/${architecture()}`);
    return readImage(name, chosen, store);
  }
  if (!isDescriptor(value.config) || !Array.isArray(value.layers) || !value.layers.every(isDescriptor))
    throw new ImageError("image-damaged", `${where}: expected an image manifest with config and layers`);
  const manifest = value as Manifest;
  const config = parseJson<ImageConfig>(await store.read(manifest.config), where);
  return { name, descriptor, manifest, config, store };
}

function ofPlatform(manifests: readonly Descriptor[]): Descriptor | undefined {
  return manifests.find(({ platform }) => platform?.os === "linux" && platform.architecture === architecture());
}

/** As images name it. */
function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

/** Whether a value names bytes in a way that we can check. */
export function isDescriptor(value: unknown): value is Descriptor {
  const { digest, size } = (value ?? {}) as Partial<Descriptor>;
  return typeof digest === "string" && isDigest(digest) && typeof size === "number";
}
