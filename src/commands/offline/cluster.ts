import { gatewayApiKinds, meshKinds } from "../../gen/mesh-kinds.ts";
import type { KindName } from "../../resources/kinds.ts";
import type { KubeObject } from "../../resources/object.ts";
import { readClusters } from "../analysis/live.ts";
import { ioOf, type MeshCluster } from "../clusters.ts";
import type { Io } from "../io.ts";

/** What a control plane compiles. */
const KINDS: readonly KindName[] = [
  "Namespace",
  "Node",
  "Service",
  "EndpointSlice",
  "Ingress",
  "IngressClass",
  "Pod",
  "ConfigMap",
  "Secret",
  ...(Object.keys(meshKinds) as KindName[]),
  ...(Object.keys(gatewayApiKinds) as KindName[]),
];

const TIMEOUT_MS = 60_000;

/**
 * The objects of a cluster that a control plane compiles. What may not be read is told: the answer is without it then.
 * Throws ClusterError when the cluster cannot be reached.
 */
export async function readClusterObjects(
  cluster: MeshCluster,
  rootNamespace: string,
  io: Io,
): Promise<readonly KubeObject[]> {
  const deadline = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const request = { kinds: KINDS, namespace: undefined, rootNamespace, deadline, timeout: "1m" };
  const read = await readClusters({ cluster: "wanted" }, request, ioOf(io, cluster));
  for (const { missing } of read ?? []) for (const [kind, why] of missing) io.err(`Without ${kind} objects: ${why}\n`);
  return (read ?? []).flatMap(({ objects }) => objects).filter(isAlive);
}

/** A pod that has ended has no proxy; what is being deleted still has. */
function isAlive({ kind, status }: KubeObject): boolean {
  const { phase } = (status ?? {}) as { readonly phase?: string };
  return kind !== "Pod" || (phase !== "Succeeded" && phase !== "Failed");
}
