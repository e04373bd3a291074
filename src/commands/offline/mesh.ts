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
import { isDump } from "../proxy-config/view.ts";
import { readSources } from "../sources.ts";
import { clusterIdIn } from "../clusters.ts";
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
  /** Of a mesh of several clusters: the name of this one. */
  readonly clusterId?: string;
  /** The mesh's other clusters as they themselves see it. */
  readonly others?: readonly OfflineMesh[];
}

/** Reads files as a whole mesh and compiles it as meshd would. Throws EnvironmentError for what cannot be read. */
export async function readOfflineMesh(options: OfflineOptions, io: Io): Promise<OfflineMesh> {
  if (options.files.length === 0) throw new UsageError("no files are given", "Name them with -f FILE, or - for stdin.");
  return compiled(options, [{ name: "", files: await readFiles(options, io), objects: [] }]);
}

/**
 * The mesh that the flags name, compiled as meshd would: of the files of -f alone; without -f of the cluster; with both -f and
 * --use-cluster of the cluster with the files on top. With --remote-filename, or several contexts, each cluster as it sees the
 * others. Throws UsageError, EnvironmentError, ClusterError.
 */
export async function readMesh(input: CommandInput, io: Io): Promise<OfflineMesh> {
  const { namespace = "default", istioNamespace } = globalOptions(input);
  const options = { files: listOption(input, "filename"), namespace, istioNamespace };
  const remotes = await readRemoteFiles(input, options, io);
  const files = options.files.length === 0 ? [] : await readFiles(options, io);
  if (files.length > 0 && !switchOption(input, "useCluster"))
    return compiled(options, [{ name: nameIn(files), files, objects: [] }, ...remotes]);
  const [{ meshClusters }, { readClusterObjects }] = await Promise.all([
    import("../clusters.ts"),
    import("./cluster.ts"),
  ]);
  const clusters = await meshClusters(input, io);
  const live: Part[] = [];
  // one after the other: each is read in parallel already; files lie on top of the first
  for (const [index, cluster] of clusters.entries())
    live.push({
      name: cluster.name,
      files: index === 0 ? files : [],
      objects: await readClusterObjects(cluster, istioNamespace, io),
    });
  return compiled(options, [...live, ...remotes]);
}

/** The objects of one cluster. */
interface Part {
  /** Of the cluster; counts where there are several. */
  readonly name: string;
  readonly files: readonly SourcedObject[];
  readonly objects: readonly KubeObject[];
}

/** Files of other clusters, by the names that --remote-filename gives them. */
async function readRemoteFiles(input: CommandInput, options: OfflineOptions, io: Io): Promise<readonly Part[]> {
  const named = new Map<string, string[]>();
  for (const text of listOption(input, "remoteFilename")) {
    const at = text.indexOf("=");
    if (at < 1 || at === text.length - 1)
      throw new UsageError(`--remote-filename: expected NAME=FILE, got "${text}"`, "For example west=mesh-west/.");
    const name = text.slice(0, at);
    named.set(name, [...(named.get(name) ?? []), text.slice(at + 1)]);
  }
  const parts: Part[] = [];
  for (const [name, files] of named)
    parts.push({ name, files: await readFiles({ ...options, files }, io), objects: [] });
  return parts;
}

/** What the files call their cluster. */
function nameIn(files: readonly SourcedObject[]): string {
  const maps = files.filter(({ object }) => object.kind === "ConfigMap").map(({ object }) => clusterIdIn(object));
  return maps.find((name) => name !== undefined) ?? DEFAULT_NAME;
}

/** As installations without a name call theirs; Istio's. */
const DEFAULT_NAME = "Kubernetes";

async function readFiles({ files, namespace }: OfflineOptions, io: Io): Promise<readonly SourcedObject[]> {
  const texts = await readSources(files, io);
  const dump = texts.find(({ text }) => isDump(text));
  if (dump !== undefined)
    throw new EnvironmentError("dump", `${dump.file} is the dump of one proxy: it does not tell the mesh's objects`, {
      hint: "Dumps are read by proxy-config, proxy-status, trace-route and authz check.",
    });
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

/** The first cluster's mesh, with the others. */
function compiled({ istioNamespace: rootNamespace, namespace }: OfflineOptions, parts: readonly Part[]): OfflineMesh {
  const names = parts.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    throw new UsageError(`two clusters are called ${twice}`, "Name each with a name of its own.");
  const worlds = parts.map(({ name, files, objects }, index) => {
    const given = files.map(({ object }) => object);
    // what has no address gets one: another in each cluster
    const cluster = index === 0 ? "" : name;
    const completed = withStandIns(given, { rootNamespace, namespace, cluster }, objects);
    return { clusterId: name, files, notes: completed.notes, world: createFixedWorld(completed.objects) };
  });
  const [own, ...others] = worlds.map(({ clusterId, world, files, notes }): OfflineMesh => {
    const remotes = worlds.filter((other) => other.world !== world);
    const among = remotes.length === 0 ? {} : { clusterId, remotes: () => remotes };
    return {
      mesh: createMesh(world, { rootNamespace, ...among }),
      positionOf: createPlaces(files),
      notes,
      ...(remotes.length === 0 ? {} : { clusterId }),
    };
  });
  if (own === undefined) throw new UsageError("no cluster and no files are given");
  return others.length === 0 ? own : { ...own, others };
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
