import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EnvironmentError, errorText } from "../../base/errors.ts";
import type { Finding } from "../../diagnostics/finding.ts";
import { MESH_CONFIG_MAP } from "../../model/mesh-config.ts";
import { isClusterScoped } from "../../resources/files-world.ts";
import { completeManifests, readManifests, type SourcedObject, type SourceText } from "../../resources/manifests.ts";
import type { Io } from "../io.ts";
import { readSources } from "../sources.ts";
import type { AnalyzeOptions } from "./options.ts";

/** What the files hold. */
export interface FileSet {
  readonly texts: readonly SourceText[];
  readonly objects: readonly SourcedObject[];
  /** What could not be read, and objects that are there twice. */
  readonly findings: readonly Finding[];
}

/** Reads the files of a run, and the mesh configuration that a flag names. */
export async function readFiles(options: AnalyzeOptions, io: Io): Promise<FileSet> {
  const texts = (await readSources(options.sources, io)).filter(({ file }) => options.project?.excluded(file) !== true);
  return completeFiles(texts, await meshConfigObject(options, io), options);
}

/** The same of texts that were read elsewhere. */
export function completeFiles(
  texts: readonly SourceText[],
  added: readonly SourcedObject[],
  { namespace, ignoreUnknown = false }: Pick<AnalyzeOptions, "namespace" | "ignoreUnknown">,
): FileSet {
  const read = readManifests(texts);
  const complete = completeManifests([...read.objects, ...added], namespace, isClusterScoped);
  return {
    texts,
    objects: complete.objects,
    findings: [...(ignoreUnknown ? [] : read.findings), ...complete.findings],
  };
}

/** `--meshConfigFile` as the ConfigMap that it stands for. */
export async function meshConfigObject(
  { meshConfigFile, rootNamespace }: AnalyzeOptions,
  io: Pick<Io, "cwd">,
): Promise<readonly SourcedObject[]> {
  if (meshConfigFile === undefined) return [];
  const mesh = await readFile(resolve(io.cwd, meshConfigFile), "utf8").catch((error: unknown) => {
    throw new EnvironmentError("unreadable-file", `${meshConfigFile} cannot be read: ${errorText(error)}`);
  });
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: MESH_CONFIG_MAP, namespace: rootNamespace },
    data: { mesh },
  };
  const position = { file: meshConfigFile, line: 1, column: 1 };
  return [{ object, position: () => position } as unknown as SourcedObject];
}
