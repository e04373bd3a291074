import { ClusterError, errorText, UsageError } from "../base/errors.ts";
import { REMOTE_SECRET_LABEL } from "../model/members.ts";
import type { Cluster, ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { commaList, globalOptions } from "./input.ts";
import type { CommandInput, Io } from "./io.ts";

/** A cluster of the mesh, by the name that the mesh has for it. */
export interface MeshCluster {
  readonly name: string;
  readonly cluster: Cluster;
}

/** What clusters answered. */
interface ClusterAnswer<T> extends MeshCluster {
  readonly answer: T;
}

/**
 * The clusters that the flags name: of --contexts, else the current one, then of --remote-contexts; of a bundle all that it has.
 * Throws UsageError for a context that is named twice, ClusterError when one cannot be opened.
 */
export async function meshClusters(input: CommandInput, io: Io): Promise<readonly [MeshCluster, ...MeshCluster[]]> {
  const { istioNamespace } = globalOptions(input);
  const names = contextNames(commaList(input, "contexts"), commaList(input, "remoteContexts"), io);
  if (names.length === 1) {
    const cluster = await io.cluster(names[0]);
    return [{ name: cluster.context.name, cluster }];
  }
  const clusters: MeshCluster[] = [];
  for (const context of names) {
    const cluster = await io.cluster(context);
    const name = (await clusterIdOf(cluster, istioNamespace)) ?? cluster.context.name;
    // two of one name are a mistake that precheck tells; here they are told apart
    const isTaken = clusters.some((other) => other.name === name);
    clusters.push({ name: isTaken ? `${name} (${cluster.context.name})` : name, cluster });
  }
  return clusters as [MeshCluster, ...MeshCluster[]];
}

/** What `io.cluster` is to open, `undefined` for the current one; of a bundle all that it has. Throws UsageError. */
export function contextNames(
  contexts: readonly string[],
  remoteContexts: readonly string[],
  { moreClusters = [] }: Pick<Io, "moreClusters">,
): readonly (string | undefined)[] {
  const first = contexts.length > 0 ? contexts : [undefined];
  const others = contexts.length + remoteContexts.length > 0 ? remoteContexts : moreClusters;
  const all = [...first, ...others];
  const twice = all.find((context, index) => all.indexOf(context) < index);
  if (twice !== undefined) throw new UsageError(`context ${twice} is named twice`, "Name each cluster once.");
  return all;
}

/**
 * Asks every cluster, all at once. Of several one that does not answer is told and left out; when none does, the first's
 * ClusterError is thrown. `failed`: names of those that did not.
 */
export async function fromEach<T>(
  clusters: readonly MeshCluster[],
  ask: (each: MeshCluster) => Promise<T>,
  io: Pick<Io, "err">,
): Promise<{ readonly answers: readonly ClusterAnswer<T>[]; readonly failed: readonly string[] }> {
  const results = await Promise.allSettled(clusters.map(ask));
  const answers: ClusterAnswer<T>[] = [];
  const failed: string[] = [];
  for (const [index, result] of results.entries()) {
    const each = clusters[index];
    if (each === undefined) continue;
    if (result.status === "fulfilled") answers.push({ ...each, answer: result.value });
    else if (clusters.length === 1 || !(result.reason instanceof ClusterError)) throw result.reason;
    else {
      failed.push(each.name);
      io.err(`Not asked: cluster ${each.name}: ${errorText(result.reason)}\n`);
    }
  }
  const [first] = results;
  if (answers.length === 0 && first?.status === "rejected") throw first.reason;
  return { answers, failed };
}

/** Who reads a cluster by its Io: one of several in place of the one that the flags name. */
export function ioOf(io: Io, { cluster }: MeshCluster): Io {
  const { moreClusters: _, ...rest } = io;
  return { ...rest, cluster: () => Promise.resolve(cluster) };
}

/** Names of the clusters that a cluster has remote secrets of, sorted; none where Secrets may not be listed. */
export async function remoteMembers(
  cluster: Pick<ClusterReader, "list">,
  namespace: string,
): Promise<readonly string[]> {
  const secrets = await cluster
    .list({ apiVersion: "v1", kind: "Secret" }, { namespace, labelSelector: `${REMOTE_SECRET_LABEL}=true` })
    .catch(unreadable);
  const names = secrets.flatMap((secret) => Object.keys((secret["data"] ?? {}) as Readonly<Record<string, string>>));
  return [...new Set(names)].toSorted();
}

interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/**
 * The mesh's name for a cluster: what its control plane was told (CLUSTER_ID), or, where none runs, what its injector gives
 * proxies. Undefined where nothing says it.
 */
export async function clusterIdOf(
  cluster: Pick<ClusterReader, "get" | "list">,
  namespace: string,
): Promise<string | undefined> {
  const deployments = await cluster
    .list({ apiVersion: "apps/v1", kind: "Deployment" }, { namespace, labelSelector: "app=istiod" })
    .catch(unreadable);
  const containers = deployments.flatMap(
    ({ spec }) =>
      (spec as { template?: { spec?: { containers?: readonly Container[] } } } | undefined)?.template?.spec
        ?.containers ?? [],
  );
  const told = containers.flatMap(({ env = [] }) => env).find(({ name }) => name === "CLUSTER_ID")?.value;
  if (told !== undefined && told !== "") return told;
  const target = { apiVersion: "v1", kind: "ConfigMap", namespace, name: INJECTOR_MAP };
  return clusterIdIn(await cluster.get(target).catch(() => undefined));
}

function unreadable(): readonly KubeObject[] {
  return [];
}

/** ConfigMap of the injector; revisions have a suffix. */
const INJECTOR_MAP = "istio-sidecar-injector";

/** The mesh's name for a cluster, as the injector's ConfigMap has it. */
export function clusterIdIn(map: KubeObject | undefined): string | undefined {
  const { values = "" } = (map?.["data"] ?? {}) as { readonly values?: string };
  try {
    const { global = {} } = JSON.parse(values) as { global?: { multiCluster?: { clusterName?: string } } };
    return global.multiCluster?.clusterName || undefined;
  } catch {
    return undefined;
  }
}
