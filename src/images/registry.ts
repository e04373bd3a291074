import {
  checked,
  type BlobStore,
  type Descriptor,
  digestOf,
  type Image,
  ImageError,
  type Index,
  isDescriptor,
  MEDIA,
  parseJson,
  readImage,
} from "./oci.ts";
import { parseReference, type Reference, referenceText } from "./reference.ts";
import { createRegistryHttp, type RegistryHttp } from "./registry-http.ts";
import { bytesOf, type RegistryAnswer, type RegistryOptions } from "./registry-transport.ts";

const MANIFESTS = [MEDIA.manifest, MEDIA.index, MEDIA.dockerManifest, MEDIA.dockerIndex].join(", ");

/** A registry that speaks OCI distribution 1.1, and what older ones lack. */
export interface Registry {
  readonly host: string;
  /** Whether it has the bytes. */
  hasBlob(repository: string, digest: string): Promise<boolean>;
  /** Uploads bytes; with `from` a repository that has them is asked first. `mounted`: nothing had to be sent. */
  putBlob(upload: Upload): Promise<"uploaded" | "mounted">;
  /** Digest of the manifest under a tag or digest; undefined when there is none. */
  manifestDigest(repository: string, reference: string): Promise<string | undefined>;
  getManifest(repository: string, reference: string): Promise<ManifestBytes>;
  putManifest(repository: string, reference: string, manifest: ManifestBytes): Promise<void>;
  /** Attaches a manifest to the one it is about, also at a registry that keeps no such list (by the tag that stands in for it). */
  putReferrer(repository: string, subject: string, manifest: ManifestBytes): Promise<void>;
  /** What is attached to a manifest. */
  referrers(repository: string, digest: string): Promise<readonly Descriptor[]>;
  /** Bytes of one repository. */
  store(repository: string): BlobStore;
  close(): void;
}

/** A manifest as it is stored: its digest is that of these bytes. */
export interface ManifestBytes {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Bytes for a repository. */
export interface Upload {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly from?: string | undefined;
}

/** A client for one registry; opens no connection yet. */
export function openRegistry(host: string, options: RegistryOptions): Registry {
  const http = createRegistryHttp(host, options);
  return {
    host,
    ...blobCalls(http),
    ...manifestCalls(http),
    store: (repository) => storeOf(http, repository),
    close: () => http.close(),
  };
}

const pull = (repository: string): string => `repository:${repository}:pull`;
const push = (repository: string): string => `repository:${repository}:pull,push`;

function blobCalls(http: RegistryHttp): Pick<Registry, "hasBlob" | "putBlob"> {
  return {
    async hasBlob(repository, digest) {
      const path = `/v2/${repository}/blobs/${digest}`;
      const answer = await http.send({ method: "HEAD", path, scope: push(repository) }, [404]);
      answer.stream.resume();
      return answer.status !== 404;
    },
    async putBlob({ repository, descriptor, open, from }) {
      const { digest, size } = descriptor;
      const mount = from === undefined ? "" : `?mount=${digest}&from=${from}`;
      const scope = from === undefined ? push(repository) : `${push(repository)} ${pull(from)}`;
      const started = await http.send({ method: "POST", path: `/v2/${repository}/blobs/uploads/${mount}`, scope });
      started.stream.resume();
      if (started.status === 201) return "mounted";
      const target = uploadTarget(started, digest);
      const headers = { "content-type": "application/octet-stream" };
      const done = await http.send({ method: "PUT", path: target, scope, headers, body: { length: size, open } });
      done.stream.resume();
      return "uploaded";
    },
  };
}

function uploadTarget({ headers, url }: RegistryAnswer, digest: string): string {
  if (headers.location === undefined)
    throw new ImageError("registry-refused", `${url.host}: started an upload and did not say where`);
  const target = new URL(headers.location, url);
  target.searchParams.set("digest", digest);
  return target.href;
}

function manifestCalls(
  http: RegistryHttp,
): Pick<Registry, "manifestDigest" | "getManifest" | "putManifest" | "putReferrer" | "referrers"> {
  return {
    manifestDigest: (repository, reference) => headManifest(http, repository, reference),
    async getManifest(repository, reference) {
      const found = await getManifest(http, repository, reference);
      if (found !== undefined) return found;
      throw new ImageError("image-absent", `${http.host}/${repository}: there is no ${reference}`, {
        hint: "push it first: meshctl images push REGISTRY BUNDLE",
      });
    },
    async putManifest(repository, reference, manifest) {
      await putManifest(http, { repository, reference }, manifest);
    },
    async putReferrer(repository, subject, manifest) {
      const { digest } = manifest.descriptor;
      const answer = await putManifest(http, { repository, reference: digest }, manifest);
      if (answer.headers["oci-subject"] === subject) return;
      const others = (await taggedReferrers(http, repository, subject)).filter((each) => each.digest !== digest);
      const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [...others, manifest.descriptor] };
      const bytes = Buffer.from(JSON.stringify(index));
      const descriptor = { mediaType: MEDIA.index, digest: digestOf(bytes), size: bytes.length };
      await putManifest(http, { repository, reference: fallbackTag(subject) }, { descriptor, bytes });
    },
    referrers: async (repository, digest) =>
      (await listedReferrers(http, repository, digest)) ?? taggedReferrers(http, repository, digest),
  };
}

const manifestPath = (repository: string, reference: string): string => `/v2/${repository}/manifests/${reference}`;
const accept = { accept: MANIFESTS };

async function headManifest(http: RegistryHttp, repository: string, reference: string): Promise<string | undefined> {
  const path = manifestPath(repository, reference);
  const answer = await http.send({ method: "HEAD", path, scope: push(repository), headers: accept }, [404]);
  answer.stream.resume();
  const digest = answer.headers["docker-content-digest"];
  if (answer.status === 404) return undefined;
  return typeof digest === "string" ? digest : (await getManifest(http, repository, reference))?.descriptor.digest;
}

async function getManifest(
  http: RegistryHttp,
  repository: string,
  reference: string,
): Promise<ManifestBytes | undefined> {
  const path = manifestPath(repository, reference);
  const answer = await http.send({ method: "GET", path, scope: pull(repository), headers: accept }, [404]);
  const bytes = await bytesOf(answer.stream);
  if (answer.status === 404) return undefined;
  const mediaType = answer.headers["content-type"] ?? MEDIA.manifest;
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  if (reference.startsWith("sha256:"))
    checked(bytes, { ...descriptor, digest: reference }, `${http.host}/${repository}`);
  return { descriptor, bytes };
}

async function putManifest(
  http: RegistryHttp,
  { repository, reference }: { readonly repository: string; readonly reference: string },
  { descriptor, bytes }: ManifestBytes,
): Promise<RegistryAnswer> {
  async function* open(): AsyncIterable<Uint8Array> {
    yield bytes;
  }
  const headers = { "content-type": descriptor.mediaType };
  const body = { length: bytes.length, open };
  const path = manifestPath(repository, reference);
  const answer = await http.send({ method: "PUT", path, scope: push(repository), headers, body });
  answer.stream.resume();
  return answer;
}

/** Undefined when the registry keeps no such list. */
async function listedReferrers(
  http: RegistryHttp,
  repository: string,
  digest: string,
): Promise<readonly Descriptor[] | undefined> {
  const path = `/v2/${repository}/referrers/${digest}`;
  const answer = await http.send({ method: "GET", path, scope: pull(repository) }, [404, 405]);
  const bytes = await bytesOf(answer.stream);
  const isList = answer.status < 300 && answer.headers["content-type"]?.startsWith(MEDIA.index) === true;
  return isList ? manifestsOf(bytes, http.host) : undefined;
}

async function taggedReferrers(http: RegistryHttp, repository: string, digest: string): Promise<readonly Descriptor[]> {
  const found = await getManifest(http, repository, fallbackTag(digest));
  return found === undefined ? [] : manifestsOf(found.bytes, http.host);
}

/** OCI distribution 1.1: the tag that lists what is attached, at registries without such a list. */
function fallbackTag(digest: string): string {
  return digest.replace(":", "-");
}

function manifestsOf(bytes: Uint8Array, where: string): readonly Descriptor[] {
  const { manifests = [] } = parseJson<Partial<Index>>(bytes, where);
  return manifests.filter(isDescriptor);
}

function storeOf(http: RegistryHttp, repository: string): BlobStore {
  const where = `${http.host}/${repository}`;
  async function* stream({ digest, mediaType }: Descriptor): AsyncIterable<Uint8Array> {
    const isManifest = MANIFESTS.includes(mediaType);
    const path = `/v2/${repository}/${isManifest ? "manifests" : "blobs"}/${digest}`;
    const headers = isManifest ? { accept: MANIFESTS } : {};
    const answer = await http.send({ method: "GET", path, scope: pull(repository), headers }, [404]);
    if (answer.status === 404) {
      answer.stream.resume();
      throw new ImageError("image-incomplete", `${where}: ${digest} is not there`, { hint: "push the image again" });
    }
    yield* answer.stream;
  }
  return {
    where,
    stream,
    read: async (descriptor) => checked(await bytesOf(stream(descriptor)), descriptor, where),
  };
}

/** The image under a name in a registry, with what is attached to it. Throws ImageError when there is none. */
export async function readRegistryImage(registry: Registry, name: string): Promise<Image> {
  const reference: Reference = parseReference(name);
  const { repository, tag = "latest", digest } = reference;
  const { descriptor } = await registry.getManifest(repository, digest ?? tag);
  const image = await readImage(referenceText(reference), descriptor, registry.store(repository));
  return { ...image, referrers: await registry.referrers(repository, image.descriptor.digest) };
}
