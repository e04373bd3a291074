import { ClusterError, errorText, MeshError } from "../../base/errors.ts";
import type { Cluster, ListOptions } from "../../resources/cluster.ts";
import { apiVersionOf, KINDS, type KindName } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import { contextNames } from "../clusters.ts";
import type { Io } from "../io.ts";
import type { AnalyzeOptions } from "./options.ts";

/** What was read of one cluster. */
export interface LiveCluster {
  /** The context's name. */
  readonly name: string;
  readonly objects: readonly KubeObject[];
  /** Kinds that could not be read, and why, as part of a sentence. */
  readonly missing: ReadonlyMap<KindName, string>;
  /** Kinds that the server does not have: there are no objects of them. */
  readonly unserved: ReadonlySet<KindName>;
}

export interface LiveRequest {
  readonly kinds: readonly KindName[];
  /** Namespace that has to exist. */
  readonly namespace: string | undefined;
  readonly rootNamespace: string;
  /** Ends the reading: what is not there by then is missing. */
  readonly deadline: AbortSignal;
  /** For messages: `5m0s`. */
  readonly timeout: string;
}

/**
 * Reads the clusters that the options name; undefined when none is wanted, or none can be reached and files are there to be
 * analyzed alone (which is told). Throws ClusterError when a cluster that was asked for cannot be reached.
 */
export async function readClusters(
  options: Pick<AnalyzeOptions, "cluster" | "contexts" | "remoteContexts">,
  request: LiveRequest,
  io: Io,
): Promise<readonly LiveCluster[] | undefined> {
  if (options.cluster === "no") return undefined;
  const contexts = contextNames(options.contexts ?? [], options.remoteContexts ?? [], io);
  try {
    // one after the other: each is read in parallel already
    const clusters: LiveCluster[] = [];
    for (const context of contexts) clusters.push(await readCluster(await io.cluster(context), request, io));
    return clusters;
  } catch (error) {
    if (options.cluster === "wanted" || !(error instanceof MeshError)) throw error;
    io.err(`Files alone were analyzed, no cluster was reached: ${errorText(error)}\n`);
    return undefined;
  }
}

/** Lists at a time: enough to hide latency, few enough for the API server's fairness. */
const PARALLEL = 6;

async function readCluster(cluster: Cluster, request: LiveRequest, io: Io): Promise<LiveCluster> {
  await cluster.version();
  await checkNamespace(cluster, request.namespace);
  const { createProgress } = await import("../../report/progress.ts");
  const progress = await createProgress(io);
  const { name } = cluster.context;
  progress.start(`Reading ${request.kinds.length} kinds of cluster ${name}`);
  const missing = new Map<KindName, string>();
  const unserved = new Set<KindName>();
  const objects: KubeObject[] = [];
  let done = 0;
  const one = async (kind: KindName): Promise<void> => {
    const outcome = await listKind(cluster, kind, request);
    if (outcome === "unserved") unserved.add(kind);
    else if (typeof outcome === "string") missing.set(kind, outcome);
    else for (const object of outcome) objects.push(object);
    done += 1;
    if (io.isTTY) progress.update(`Reading cluster ${name}: ${objects.length} objects, ${done} kinds`);
  };
  await inParallel(request.kinds, one);
  progress.succeed(`Read ${objects.length} objects of cluster ${name}`);
  return { name, objects, missing, unserved };
}

async function checkNamespace(cluster: Cluster, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const target = { apiVersion: "v1", kind: "Namespace", name };
  const namespace = await cluster.get(target).catch((error: unknown) => {
    // who may not ask for it may still list what is in it
    if (error instanceof ClusterError && error.code === "forbidden") return target;
    throw error;
  });
  if (namespace === undefined)
    throw new ClusterError("not-found", `namespace "${name}" not found in cluster ${cluster.context.name}`, {
      hint: "name another with -n, or take all with -A",
    });
}

async function inParallel(kinds: readonly KindName[], one: (kind: KindName) => Promise<void>): Promise<void> {
  const left = [...kinds];
  const worker = async (): Promise<void> => {
    for (let kind = left.shift(); kind !== undefined; kind = left.shift()) await one(kind);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** The objects of a kind; or why there are none to be had. */
async function listKind(
  cluster: Cluster,
  name: KindName,
  { rootNamespace, deadline, timeout }: LiveRequest,
): Promise<readonly KubeObject[] | string> {
  const kind = { apiVersion: apiVersionOf(name), kind: KINDS[name].kind };
  const late = `not read within ${timeout}`;
  if (deadline.aborted) return late;
  try {
    if (KINDS[name].group !== "" && !(await cluster.serves(kind))) return "unserved";
    const listed = await cluster.list(kind, { ...scopeOf(name, rootNamespace), signal: deadline });
    return listed.filter(({ metadata }) => !SYSTEM_NAMESPACES.has(metadata.namespace ?? ""));
  } catch (error) {
    if (deadline.aborted) return late;
    if (error instanceof ClusterError && error.code === "forbidden") return `may not list ${KINDS[name].plural}`;
    if (error instanceof ClusterError && error.code === "not-found") return "unserved";
    throw error;
  }
}

/** Namespaces of Kubernetes itself: nobody's mesh. */
const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set(["kube-system", "kube-public", "kube-node-lease"]);

/** Of ConfigMaps only those of the control plane are read; of Secrets neither tokens nor Helm's releases. */
function scopeOf(name: KindName, rootNamespace: string): ListOptions {
  if (name === "ConfigMap") return { namespace: rootNamespace };
  if (name === "Secret") return { fieldSelector: "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token" };
  return {};
}
