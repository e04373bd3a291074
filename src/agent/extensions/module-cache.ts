import { createHash } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FetchedModule, type FetchRequest, requireSecret } from "./module-fetch.ts";
import type { ModuleWish } from "./module-config.ts";

/** Modules as files. */
export interface ModuleCache {
  /** The file of the module that an extension wishes, fetched when it is not there. Rejects when it cannot be had. */
  file(extension: string, wish: ModuleWish, signal: AbortSignal): Promise<string>;
  /** These are the extensions now. Removes files that none has used for an hour. Milliseconds since 1970. */
  keep(extensions: readonly string[], now: number): Promise<void>;
}

interface Kept {
  readonly checksum: string;
  readonly path: string;
  /** Who was given it, by name, at which version of its object. */
  readonly users: Map<string, string>;
  unusedSince: number | undefined;
}

/**
 * Keeps modules below a folder, by the hash of their content, so that equal URLs with other content are other files and Envoy sees
 * a change. With a checksum or IfNotPresent what is there is taken; with Always it is fetched again when the object has changed.
 */
export function createModuleCache(
  folder: string,
  fetchModule: (request: FetchRequest) => Promise<FetchedModule>,
): ModuleCache {
  /** By URL, the newest last. */
  const kept = new Map<string, Kept[]>();
  const find = (extension: string, wish: ModuleWish): Kept | undefined => {
    const known = kept.get(wish.url) ?? [];
    const wanted = wish.sha256 === "" ? digestIn(wish.url) : wish.sha256;
    if (wanted !== "") return known.find(({ checksum }) => checksum === wanted);
    const newest = known.at(-1);
    return isTakenAgain(wish) && newest?.users.get(extension) !== wish.version ? undefined : newest;
  };
  const give = (extension: string, wish: ModuleWish, module: Kept): string => {
    for (const one of [...kept.values()].flat()) one.users.delete(extension);
    module.users.set(extension, wish.version);
    return module.path;
  };
  const fetched = async (extension: string, wish: ModuleWish, signal: AbortSignal): Promise<string> => {
    const { checksum, bytes } = await fetchModule({ ...wish, signal });
    const path = join(folder, hash(wish.url).slice(0, 16), `${checksum}.wasm`);
    await mkdir(dirname(path), { recursive: true });
    // Envoy never sees half a file
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
    const known = kept.get(wish.url) ?? [];
    const one = known.find((each) => each.checksum === checksum) ?? {
      checksum,
      path,
      users: new Map(),
      unusedSince: undefined,
    };
    kept.set(wish.url, [...known.filter((each) => each !== one), one]);
    return give(extension, wish, one);
  };
  /** The end of what is under way for a URL: who wishes the same meanwhile finds it there. */
  const turns = new Map<string, Promise<unknown>>();
  return {
    async file(extension, wish, signal) {
      requireSecret(wish);
      const before = turns.get(wish.url) ?? Promise.resolve();
      const own = before
        .catch(() => undefined)
        .then(() => {
          const found = find(extension, wish);
          return found === undefined ? fetched(extension, wish, signal) : give(extension, wish, found);
        });
      turns.set(wish.url, own);
      return own;
    },
    async keep(extensions, now) {
      for (const [url, list] of kept) {
        for (const module of list) note(module, extensions, now);
        const left = list.filter(({ unusedSince = now }) => now - unusedSince < KEEP_MS);
        if (left.length === 0) kept.delete(url);
        else kept.set(url, left);
        for (const one of list) if (!left.includes(one)) await rm(one.path, { force: true });
      }
    },
  };
}

/** Envoy may read a file long after it was told of it, when a listener that asks for the extension comes back. */
const KEEP_MS = 3_600_000;

function note(module: Kept, extensions: readonly string[], now: number): void {
  for (const user of module.users.keys()) if (!extensions.includes(user)) module.users.delete(user);
  if (module.users.size > 0) module.unusedSince = undefined;
  else module.unusedSince ??= now;
}

/** Whether a changed object means that the module is to be fetched again. */
function isTakenAgain({ url, policy }: ModuleWish): boolean {
  if (policy !== undefined) return policy === "Always";
  return url.startsWith("oci://") && (url.endsWith(":latest") || !/:[^/]+$/.test(url.slice("oci://".length)));
}

/** The checksum that an image's name ends with; "" for none. */
function digestIn(url: string): string {
  return /@sha256:([0-9a-f]{64})$/.exec(url)?.[1] ?? "";
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
