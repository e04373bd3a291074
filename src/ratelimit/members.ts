import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { EndpointSlice } from "../resources/core.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

export interface MembersInput {
  readonly cluster: Pick<ClusterReader, "watch">;
  /** The Service whose ready pods are the replicas. */
  readonly service: { readonly namespace: string; readonly name: string };
  readonly port: number;
  /** Each new list of replicas, `host:port`, sorted. */
  readonly onMembers: (replicas: readonly string[]) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Follows the replicas of the service by its EndpointSlices, until the signal aborts. Rejects when the first list fails. */
export async function watchMembers({ cluster, service, port, onMembers, log, signal }: MembersInput): Promise<void> {
  const slices = new Map<string, EndpointSlice>();
  let synced = false;
  let told: string | undefined;
  const tell = (): void => {
    const replicas = [...slices.values()].flatMap((slice) => replicasOf(slice, port));
    const list = [...new Set(replicas)].toSorted();
    if (!synced || list.join() === told) return;
    told = list.join();
    log.info({ replicas: list }, "replicas");
    onMembers(list);
  };
  const options = { namespace: service.namespace, labelSelector: `kubernetes.io/service-name=${service.name}` };
  try {
    await cluster.watch(
      { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
      options,
      (event) => {
        if (event.type === "SYNCED") synced = true;
        else if (event.type === "DELETED") slices.delete(event.object.metadata.name);
        else slices.set(event.object.metadata.name, event.object as KubeObject as EndpointSlice);
        tell();
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted) throw new Error(`cannot watch the replicas: ${errorText(error)}`, { cause: error });
  }
}

function replicasOf({ endpoints = [] }: EndpointSlice, port: number): readonly string[] {
  return endpoints
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.map((address) => replicaName(address, port)));
}

/** `10.0.0.7:8081`, `[fd00::7]:8081`: how a replica is called, and dialled. */
export function replicaName(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
