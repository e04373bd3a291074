import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { type BlobStore, type Descriptor, type Image, ImageError, type Manifest, MEDIA, parseJson } from "./oci.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar.ts";

/** What a bundle holds. */
export interface WrittenBundle {
  readonly path: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly blobs: number;
}

interface Entry {
  readonly descriptor: Descriptor;
  readonly store: BlobStore;
}

/**
 * Writes one archive with all images and what refers to them: an OCI layout (containerd, podman, skopeo) that is a `docker save`
 * archive too (docker, kind). Layers that images share are there once. Every blob is hashed on its way; equal images in any order
 * give equal bytes. Throws ImageError for a blob that is not what its digest says; the file then keeps its old content.
 */
export async function writeBundle(path: string, images: readonly Image[]): Promise<WrittenBundle> {
  const sorted = [...images].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blobs = new Map<string, Entry>();
  for (const image of sorted) for (const entry of await entriesOf(image)) blobs.set(entry.descriptor.digest, entry);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w");
  try {
    let size = 0;
    const write = async (bytes: Uint8Array): Promise<void> => {
      size += bytes.length;
      await file.writeFile(bytes);
    };
    const writeFile = async (name: string, text: string): Promise<void> => {
      const bytes = Buffer.from(text);
      for (const part of [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]) await write(part);
    };
    await writeFile("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
    await writeFile("index.json", JSON.stringify(indexOf(sorted)));
    await writeFile("manifest.json", JSON.stringify(sorted.map(dockerEntry)));
    for (const [, entry] of [...blobs].sort(([a], [b]) => (a < b ? -1 : 1))) await writeBlob(entry, write);
    await write(TAR_END);
    await file.close();
    await rename(temporary, path);
    return { path, size, blobs: blobs.size };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

async function entriesOf({ descriptor, manifest, store, referrers }: Image): Promise<Entry[]> {
  const list = [descriptor, manifest.config, ...manifest.layers];
  for (const referrer of referrers) {
    const about = parseJson<Manifest>(await store.read(referrer), store.where);
    list.push(referrer, about.config, ...about.layers);
  }
  return list.map((each) => ({ descriptor: each, store }));
}

function indexOf(images: readonly Image[]): unknown {
  const named = images.map(({ name, descriptor, config }) => ({
    ...bare(descriptor),
    platform: { architecture: config.architecture, os: config.os },
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
    },
  }));
  const about = images.flatMap(({ referrers }) =>
    referrers.map((each) => ({
      ...bare(each),
      ...(each.artifactType === undefined ? {} : { artifactType: each.artifactType }),
    })),
  );
  const once = [...new Map(about.map((each) => [each.digest, each])).values()];
  return { schemaVersion: 2, mediaType: MEDIA.index, manifests: [...named, ...once] };
}

function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** As `docker save` lists an image. */
function dockerEntry({ name, manifest }: Image): unknown {
  const path = ({ digest }: Descriptor): string => `blobs/${digest.replace(":", "/")}`;
  return { Config: path(manifest.config), RepoTags: [name], Layers: manifest.layers.map(path) };
}

async function writeBlob({ descriptor, store }: Entry, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const { digest, size } = descriptor;
  const name = `blobs/${digest.replace(":", "/")}`;
  await write(tarHeader(name, size));
  const hash = createHash("sha256");
  let length = 0;
  for await (const part of store.stream(descriptor)) {
    hash.update(part);
    length += part.length;
    await write(part);
  }
  if (length !== size || `sha256:${hash.digest("hex")}` !== digest)
    throw new ImageError("image-damaged", `${store.where}: ${digest} is damaged`, {
      hint: "build, copy or pull the image again",
    });
  await write(tarPadding(size));
}
