import { EnvironmentError, UsageError } from "../../base/errors.ts";
import { createMesh, type Mesh } from "../../compile/mesh.ts";
import { messageOf } from "../../diagnostics/codes.ts";
import type { FieldPath, SourcePosition } from "../../diagnostics/finding.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { ObjectRef } from "../../ir/refs.ts";
import { isClusterScoped } from "../../resources/files-world.ts";
import { completeManifests, readManifests, type SourcedObject } from "../../resources/manifests.ts";
import { type KubeObject, refOf, refText } from "../../resources/object.ts";
import { createFixedWorld } from "../../resources/world-fixed.ts";
import { globalOptions, listOption, switchOption } from "../input.ts";
import type { CommandInput, Io } from "../io.ts";
import { readSources } from "../sources.ts";
import { withStandIns } from "./stand-ins.ts";

/** Which files, and what they do not say. */
export interface OfflineOptions {
  readonly files: readonly string[];
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** Namespace of the control plane and of mesh-wide objects. */
  readonly istioNamespace: string;
}

/** A mesh that is compiled here, from files or from what a cluster holds. */
export interface OfflineMesh {
  readonly mesh: Mesh;
  /** Where a field of an object stands; undefined for what is in no file. */
  readonly positionOf: (object: ObjectRef, path: FieldPath) => SourcePosition | undefined;
  /** Pods that were made up because a cluster would have them, as name.namespace, with the reason for people. */
  readonly notes: ReadonlyMap<string, string>;
}

/** Reads files as a whole mesh and compiles it as meshd would. Throws EnvironmentError for what cannot be read. */
export async function readOfflineMesh(options: OfflineOptions, io: Io): Promise<OfflineMesh> {
  if (options.files.length === 0) throw new UsageError("no files are given", "Name them with -f FILE, or - for stdin.");
  return compiled(options, await readFiles(options, io), []);
}

/**
 * The mesh that the flags name, compiled as meshd would: of the files of -f alone; without -f of the cluster; with both -f and
 * --use-cluster of the cluster with the files on top. Throws UsageError, EnvironmentError, ClusterError.
 */
export async function readMesh(input: CommandInput, io: Io): Promise<OfflineMesh> {
  const { namespace = "default", istioNamespace } = globalOptions(input);
  const options = { files: listOption(input, "filename"), namespace, istioNamespace };
  if (options.files.length > 0 && !switchOption(input, "useCluster")) return readOfflineMesh(options, io);
  const files = options.files.length === 0 ? [] : await readFiles(options, io);
  const { readClusterObjects } = await import("./cluster.ts");
  return compiled(options, files, await readClusterObjects(istioNamespace, io));
}

async function readFiles({ files, namespace }: OfflineOptions, io: Io): Promise<readonly SourcedObject[]> {
  const texts = await readSources(files, io);
  const read = readManifests(texts);
  const [broken] = read.findings.filter(({ code }) => code === "MSH0001");
  if (broken !== undefined) {
    const { file = "", line = 0 } = broken.position ?? {};
    throw new EnvironmentError("unreadable-file", `${file}:${line}: ${messageOf(broken)}`, {
      hint: "Look at it with meshctl validate.",
    });
  }
  const { objects } = completeManifests(read.objects, namespace, isClusterScoped);
  if (objects.length === 0)
    throw new EnvironmentError("no-objects", `no objects in ${files.join(", ")}`, {
      hint: "Name files with Kubernetes and mesh objects.",
    });
  return objects;
}

function compiled(
  { istioNamespace: rootNamespace, namespace }: OfflineOptions,
  files: readonly SourcedObject[],
  cluster: readonly KubeObject[],
): OfflineMesh {
  const completed = withStandIns(
    files.map(({ object }) => object),
    { rootNamespace, namespace },
    cluster,
  );
  return {
    mesh: createMesh(createFixedWorld(completed.objects), { rootNamespace }),
    positionOf: createPlaces(files),
    notes: completed.notes,
  };
}

/** Says of these proxies which ones the files do not have. */
export function tellStandIns({ notes }: OfflineMesh, proxies: readonly Proxy[], io: Pick<Io, "err">): void {
  for (const { name, namespace } of proxies) {
    const note = notes.get(`${name}.${namespace}`);
    if (note !== undefined) io.err(`${note}\n`);
  }
}

function createPlaces(objects: readonly SourcedObject[]): OfflineMesh["positionOf"] {
  const byName = new Map(objects.map((sourced) => [refText(refOf(sourced.object)), sourced]));
  return (object, path) => byName.get(refText(object))?.position(path);
}
