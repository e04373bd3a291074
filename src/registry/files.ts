import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { delay } from "../base/delay.ts";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { messageOf } from "../diagnostics/codes.ts";
import { isClusterScoped } from "../resources/files-world.ts";
import { readManifests } from "../resources/manifests.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Registry } from "./registry.ts";

export interface FilesOptions {
  readonly folder: string;
  /** Why an object cannot be taken; undefined: it can. */
  readonly refuse: (object: KubeObject) => string | undefined;
  readonly log: Logger;
}

/** Editors write a file in several steps: the folder must have been quiet for so long. */
const QUIET_MS = 50;
/** Where watching fails (network file systems), changes are seen after this time. */
const RESCAN_MS = 5_000;

/**
 * Objects of the YAML and JSON files of a folder and the folders in it, those of mounted ConfigMaps too. Objects without a
 * namespace are in `default`. A file that cannot be read keeps what it had when it could; an object that is refused is left
 * out; both are told once.
 */
export function filesRegistry({ folder, refuse, log }: FilesOptions): Registry {
  const good = new Map<string, readonly KubeObject[]>();
  const told = new Map<string, string>();
  const tell = (file: string, problem: string): void => {
    if (told.get(file) === problem) return;
    told.set(file, problem);
    log.warn({ file, problem }, "cannot take all of a file");
  };
  const readOne = async (file: string): Promise<readonly KubeObject[]> => {
    try {
      const { objects, findings } = readManifests([{ file, text: await readFile(file, "utf8") }]);
      const [first] = findings;
      if (first !== undefined) throw new EnvironmentError("files", messageOf(first));
      const placed = objects.map(({ object }) => inNamespace(object));
      const refused = placed.map((object) => [object, refuse(object)] as const);
      const problems = refused.flatMap(([{ kind, metadata }, why]) =>
        why === undefined ? [] : [`${kind} ${metadata.name}: ${why}`],
      );
      if (problems.length > 0) tell(file, problems.join("; "));
      else told.delete(file);
      const taken = refused.flatMap(([object, why]) => (why === undefined ? [object] : []));
      good.set(file, taken);
      return taken;
    } catch (error) {
      tell(file, errorText(error));
      return good.get(file) ?? [];
    }
  };
  const scan = async (): Promise<{ readonly folders: readonly string[]; readonly objects: readonly KubeObject[] }> => {
    const { folders, files } = await filesOf(folder);
    for (const file of good.keys()) if (!files.includes(file)) good.delete(file);
    return { folders, objects: (await Promise.all(files.map(readOne))).flat() };
  };
  return {
    name: `files ${folder}`,
    async run(put, signal) {
      let before = "";
      while (!signal.aborted) {
        // Watched before it is read, so that no change falls between.
        const { folders } = await filesOf(folder).catch(() => ({ folders: [folder] }));
        const changed = nextChange(folders, signal);
        try {
          const { objects } = await scan();
          const text = JSON.stringify(objects);
          if (text !== before) put(objects);
          before = text;
          told.delete(folder);
        } catch (error) {
          tell(folder, errorText(error));
        }
        await changed;
      }
    },
  };
}

function inNamespace(object: KubeObject): KubeObject {
  if (object.metadata.namespace !== undefined || isClusterScoped(object)) return object;
  return { ...object, metadata: { ...object.metadata, namespace: "default" } };
}

/** Sorted. Names with a dot in front are left out: of a mounted ConfigMap they are its versions, and the files are links into one. */
async function filesOf(
  folder: string,
): Promise<{ readonly folders: readonly string[]; readonly files: readonly string[] }> {
  const folders = [folder];
  const files: string[] = [];
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).toSorted();
  for (const name of names) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isDirectory() === true) {
      const below = await filesOf(path);
      folders.push(...below.folders);
      files.push(...below.files);
    } else if (facts?.isFile() === true && /\.(ya?ml|json)$/.test(name)) files.push(path);
  }
  return { folders, files };
}

/** Resolves when something in the folders has changed and they have been quiet since, or it is time to look again. */
async function nextChange(folders: readonly string[], signal: AbortSignal): Promise<void> {
  const seen = new AbortController();
  const wake = AbortSignal.any([signal, seen.signal]);
  const watchers = folders.flatMap((path) => watchOne(path, () => seen.abort()) ?? []);
  await delay(RESCAN_MS, wake);
  for (const watcher of watchers) watcher.close();
  if (seen.signal.aborted) await delay(QUIET_MS, signal);
}

function watchOne(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
