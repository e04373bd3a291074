import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { EnvironmentError, errorText } from "../../base/errors.ts";
import { credentialsIn } from "../../images/docker-config.ts";
import { type Descriptor, digestOf, type Index, type Manifest, parseJson } from "../../images/oci.ts";
import { parseReference, type Reference } from "../../images/reference.ts";
import { openRegistry, type Registry } from "../../images/registry.ts";
import { fileInTar } from "../../images/tar.ts";
import type { ModuleWish } from "./module-config.ts";

/** What is to be fetched. */
export type FetchRequest = Pick<ModuleWish, "url" | "sha256" | "pullSecret" | "timeout"> & {
  readonly signal: AbortSignal;
};

/** A module and the checksum by which it was asked for: of the bytes, of an image its manifest's. 64 hex digits. */
export interface FetchedModule {
  readonly checksum: string;
  readonly bytes: Uint8Array;
}

/** How registries and servers are reached. */
export interface FetchOptions {
  /** `host:port` of registries and servers that need no TLS, or whose certificate is taken unseen; `*` for all. */
  readonly insecure: readonly string[];
}

/** No module is larger. */
const MAX_BYTES = 256 * 1024 * 1024;
/** The first bytes of every module. */
const MAGIC = Buffer.from("\0asm", "latin1");

/**
 * Fetches a module from a server (also as tar or gzip) or a registry (as an artifact or an image with `plugin.wasm`) and compares
 * the checksum when there is one. Throws EnvironmentError or ImageError.
 */
export async function fetchModule(request: FetchRequest, options: FetchOptions): Promise<FetchedModule> {
  const { url, sha256 } = request;
  requireSecret(request);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeout)]);
  const fetched = url.startsWith("oci://")
    ? await fromRegistry({ ...request, signal }, options)
    : await fromServer({ ...request, signal });
  if (sha256 !== "" && !fetched.checksums.includes(sha256))
    throw refuse(
      url,
      `expected a module with checksum ${sha256}, got ${fetched.checksums[0] ?? ""}`,
      "Correct sha256, or the module at this place.",
    );
  const bytes = await fetched.bytes();
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length)))
    throw refuse(
      url,
      "what was fetched is no WebAssembly module",
      "Put the module itself there, or an image with plugin.wasm.",
    );
  return { checksum: sha256 === "" ? (fetched.checksums[0] ?? "") : sha256, bytes };
}

/** Throws EnvironmentError when a Secret is named and not there: a copy that others may have is not for this extension either. */
export function requireSecret({ url, pullSecret }: Pick<ModuleWish, "url" | "pullSecret">): void {
  if (pullSecret !== "") return;
  const hint = "Create a Secret of type kubernetes.io/dockerconfigjson in the extension's namespace.";
  throw refuse(url, "its imagePullSecret is not there", hint);
}

/** What came, by the checksums that mean it; its bytes are taken only when they are the right ones. */
interface Found {
  readonly checksums: readonly string[];
  readonly bytes: () => Promise<Uint8Array> | Uint8Array;
}

function refuse(url: string, words: string, hint: string): EnvironmentError {
  return new EnvironmentError("agent-module", `${url}: ${words}`, { hint });
}

async function fromServer({ url, signal }: FetchRequest): Promise<Found> {
  let body: Uint8Array;
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    body = await limited(response.body ?? [], url);
  } catch (error) {
    throw refuse(url, errorText(error), "Check the address, and that pods may reach it.");
  }
  return { checksums: [createHash("sha256").update(body).digest("hex")], bytes: () => unpacked(body) };
}

/** A module may come in a tar archive, compressed or not. */
function unpacked(body: Uint8Array): Uint8Array {
  const plain = body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body, { maxOutputLength: MAX_BYTES }) : body;
  if (MAGIC.equals(plain.subarray(0, MAGIC.length))) return plain;
  return fileInTar(plain, (name) => name.endsWith(".wasm")) ?? plain;
}

async function fromRegistry(request: FetchRequest, { insecure }: FetchOptions): Promise<Found> {
  const reference = parseReference(request.url.slice("oci://".length));
  const { registry: host, repository } = reference;
  const registry = openRegistry(host, {
    signal: request.signal,
    isPlain: insecure.includes("*") || insecure.includes(host),
    credentials:
      request.pullSecret === undefined ? undefined : credentialsIn(request.pullSecret, host, "imagePullSecret"),
  });
  try {
    const { manifest, digests } = await manifestOf(registry, reference);
    const layer = moduleLayer(manifest);
    if (layer === undefined)
      throw refuse(request.url, "the image has no layers", "Push the module as an artifact or an image.");
    const bytes = await limited(registry.store(repository).stream(layer), request.url);
    if (digestOf(bytes) !== layer.digest)
      throw refuse(request.url, "the registry sent other bytes", "Push the module again.");
    return {
      checksums: digests.map((digest) => digest.slice("sha256:".length)),
      bytes: () => (MODULE_LAYERS.includes(layer.mediaType) ? bytes : unpacked(bytes)),
    };
  } finally {
    registry.close();
  }
}

/** Of an image for several platforms the first counts: modules have none. The digest of the list counts as well. */
async function manifestOf(
  registry: Registry,
  { registry: host, repository, tag, digest }: Reference,
): Promise<{ readonly manifest: Manifest; readonly digests: readonly string[] }> {
  const first = await registry.getManifest(repository, digest ?? tag ?? "latest");
  const value = parseJson<Manifest & Partial<Index>>(first.bytes, `${host}/${repository}`);
  const [one] = value.manifests ?? [];
  if (one === undefined) return { manifest: value, digests: [first.descriptor.digest] };
  const chosen = await registry.getManifest(repository, one.digest);
  const manifest = parseJson<Manifest>(chosen.bytes, `${host}/${repository}`);
  return { manifest, digests: [chosen.descriptor.digest, first.descriptor.digest] };
}

const MODULE_LAYERS: readonly string[] = ["application/vnd.module.wasm.content.layer.v1+wasm", "application/wasm"];

/** The module itself, or the last layer, which holds it as a file. */
function moduleLayer({ layers }: Manifest): Descriptor | undefined {
  return layers.find(({ mediaType }) => MODULE_LAYERS.includes(mediaType)) ?? layers.at(-1);
}

async function limited(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, url: string): Promise<Uint8Array> {
  const taken: Uint8Array[] = [];
  let size = 0;
  for await (const part of parts) {
    size += part.length;
    if (size > MAX_BYTES) throw refuse(url, `it has more than ${MAX_BYTES} bytes`, "Make the module smaller.");
    taken.push(part);
  }
  return Buffer.concat(taken);
}
