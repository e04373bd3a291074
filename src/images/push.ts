import { type Descriptor, type Image, type Manifest, parseJson } from "./oci.ts";
import { parseReference } from "./reference.ts";
import type { Registry } from "./registry.ts";

/** What became of one image. */
export interface PushedImage {
  /** As it was called in the archive. */
  readonly source: string;
  /** As it is called in the registry. */
  readonly name: string;
  readonly digest: string;
  /** Blobs that were sent, and those that the registry had. */
  readonly uploaded: number;
  readonly skipped: number;
  /** Bytes sent. */
  readonly bytes: number;
  /** False when the tag was there and meant this image already. */
  readonly changed: boolean;
}

/** Where images go. */
export interface PushTarget {
  readonly registry: Registry;
  /** Folder of repositories inside the registry: `mesh/prod`; empty: at its top. */
  readonly folder: string;
}

/** The name of an image under another hub: the last part of its repository, and its tag. */
export function targetName(
  name: string,
  { registry, folder }: PushTarget,
): { repository: string; tag: string; name: string } {
  const { repository: source, tag = "latest" } = parseReference(name);
  const last = source.slice(source.lastIndexOf("/") + 1);
  const repository = folder === "" ? last : `${folder}/${last}`;
  return { repository, tag, name: `${registry.host}/${repository}:${tag}` };
}

/**
 * Sends images: layers first, then what names them, the tag last, so that nobody sees half an image. Bytes that the registry has
 * are not sent again, so an interrupted push goes on where it was. Throws ImageError.
 */
export async function pushImages(
  images: readonly Image[],
  target: PushTarget,
  onImage: (image: PushedImage) => void,
): Promise<readonly PushedImage[]> {
  const { registry } = target;
  const known = new Map<string, string>();
  const pushed: PushedImage[] = [];
  for (const image of images) {
    const { repository, tag, name } = targetName(image.name, target);
    const counts = { uploaded: 0, skipped: 0, bytes: 0 };
    const send = async (descriptor: Descriptor): Promise<void> => {
      const { digest, size } = descriptor;
      const from = known.get(digest);
      const isThere = await registry.hasBlob(repository, digest);
      const open = (): AsyncIterable<Uint8Array> => image.store.stream(descriptor);
      const how = isThere ? "there" : await registry.putBlob({ repository, descriptor, open, from });
      known.set(digest, from ?? repository);
      counts[how === "uploaded" ? "uploaded" : "skipped"] += 1;
      if (how === "uploaded") counts.bytes += size;
    };
    for (const blob of [...image.manifest.layers, image.manifest.config]) await send(blob);
    const { descriptor, store } = image;
    const bytes = await store.read(descriptor);
    const before = await registry.manifestDigest(repository, tag);
    const changed = before !== descriptor.digest;
    // by digest before what refers to it, by tag when everything is there
    await registry.putManifest(repository, descriptor.digest, { descriptor, bytes });
    for (const referrer of image.referrers) await attach(image, referrer, { registry, repository, send });
    if (changed) await registry.putManifest(repository, tag, { descriptor, bytes });
    const result = { source: image.name, name, digest: descriptor.digest, ...counts, changed };
    onImage(result);
    pushed.push(result);
  }
  return pushed;
}

interface Attach {
  readonly registry: Registry;
  readonly repository: string;
  readonly send: (descriptor: Descriptor) => Promise<void>;
}

async function attach(
  { descriptor, store }: Image,
  referrer: Descriptor,
  { registry, repository, send }: Attach,
): Promise<void> {
  const bytes = await store.read(referrer);
  const manifest = parseJson<Manifest>(bytes, store.where);
  for (const blob of [...manifest.layers, manifest.config]) await send(blob);
  await registry.putReferrer(repository, descriptor.digest, { descriptor: referrer, bytes });
}
