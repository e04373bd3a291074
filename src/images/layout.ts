import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlobStore,
  checked,
  type Descriptor,
  type Image,
  ImageError,
  type Index,
  isDescriptor,
  type Manifest,
  parseJson,
  readImage,
} from "./oci.ts";
import { readTarIndex } from "./tar.ts";

/** Files of an OCI layout, in a folder or in a tar archive. */
interface Files {
  /** Bytes, or undefined when there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
  stream(name: string): AsyncIterable<Uint8Array> | undefined;
}

/** The images of an OCI layout: an archive as images/build.mjs, `docker save` and `meshctl images bundle` write it, or a folder. */
export interface Layout {
  readonly images: readonly Image[];
}

/** Opens a layout. Throws ImageError when the path is none, or when what its index names is not there. */
export async function openLayout(path: string): Promise<Layout> {
  const files = await openFiles(path);
  const index = await files.read("index.json");
  if (index === undefined || (await files.read("oci-layout")) === undefined)
    throw new ImageError(
      "image-archive",
      `${path}: expected an OCI image layout, got neither index.json nor oci-layout`,
      {
        hint: "name an archive that images/build.mjs or `meshctl images bundle` wrote",
      },
    );
  const { manifests } = parseJson<Partial<Index>>(index, `${path}: index.json`);
  if (!Array.isArray(manifests) || !manifests.every(isDescriptor))
    throw new ImageError("image-archive", `${path}: index.json: expected a list of manifests`);
  return { images: await readImages(manifests, blobStore(path, files)) };
}

/** Manifests with a name are images; those without are about one. */
async function readImages(manifests: readonly Descriptor[], store: BlobStore): Promise<readonly Image[]> {
  const about = new Map<string, Descriptor[]>();
  for (const descriptor of manifests.filter((each) => nameOf(each) === undefined)) {
    const manifest = parseJson<Partial<Manifest>>(await store.read(descriptor), store.where);
    const subject = manifest.subject?.digest;
    if (subject === undefined) continue;
    const artifactType = manifest.artifactType ?? descriptor.artifactType;
    const found = artifactType === undefined ? descriptor : { ...descriptor, artifactType };
    about.set(subject, [...(about.get(subject) ?? []), found]);
  }
  const images: Image[] = [];
  for (const descriptor of manifests) {
    const name = nameOf(descriptor);
    if (name === undefined) continue;
    const image = await readImage(name, descriptor, store);
    images.push({ ...image, referrers: about.get(image.descriptor.digest) ?? [] });
  }
  if (images.length === 0) throw new ImageError("image-archive", `${store.where}: holds no image with a name`);
  return images;
}

function nameOf({ annotations }: Descriptor): string | undefined {
  return annotations?.["io.containerd.image.name"];
}

function blobStore(path: string, files: Files): BlobStore {
  const missing = ({ digest }: Descriptor): ImageError =>
    new ImageError("image-incomplete", `${path}: ${digest} is not in it`, { hint: "copy or build the archive again" });
  const name = ({ digest }: Descriptor): string => `blobs/${digest.replace(":", "/")}`;
  return {
    where: path,
    async read(descriptor) {
      const bytes = await files.read(name(descriptor));
      if (bytes === undefined) throw missing(descriptor);
      return checked(bytes, descriptor, path);
    },
    stream(descriptor) {
      const stream = files.stream(name(descriptor));
      if (stream === undefined) throw missing(descriptor);
      return stream;
    },
  };
}

async function openFiles(path: string): Promise<Files> {
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined)
    throw new ImageError("image-archive", `${path}: there is no such file`, {
      hint: "build images first: node images/build.mjs prints the archives' paths",
    });
  return kind.isDirectory() ? folderFiles(path) : archiveFiles(path);
}

async function archiveFiles(path: string): Promise<Files> {
  const places = await readTarIndex(path);
  const stream = (name: string): AsyncIterable<Uint8Array> | undefined => {
    const place = places.get(name);
    if (place === undefined) return undefined;
    return place.size === 0
      ? nothing()
      : createReadStream(path, { start: place.offset, end: place.offset + place.size - 1 });
  };
  return {
    stream,
    async read(name) {
      const open = stream(name);
      if (open === undefined) return undefined;
      const parts: Uint8Array[] = [];
      for await (const part of open) parts.push(part);
      return Buffer.concat(parts);
    },
  };
}

async function* nothing(): AsyncIterable<Uint8Array> {
  // an empty file
}

function folderFiles(path: string): Promise<Files> {
  return Promise.resolve({
    read: (name) => readFile(join(path, name)).catch(() => undefined),
    stream: (name) => createReadStream(join(path, name)),
  });
}
