import { canonicalNames } from "../../model/workload.ts";
import type { Cluster } from "../../resources/cluster.ts";

/** What a pod is called. */
export interface NamedPod {
  /** `name.namespace` */
  readonly name: string;
  /** `workload.namespace` */
  readonly workload: string;
}

/** Whose an address is. */
export interface PodNames {
  /** By `address` or `address:port`. */
  at(address: string): NamedPod | undefined;
}

/** Every pod's address. Whoever may not list pods sees addresses. */
export async function podNames(cluster: Pick<Cluster, "list">): Promise<PodNames> {
  const pods = await cluster.list({ apiVersion: "v1", kind: "Pod" }).catch(() => []);
  const byAddress = new Map<string, NamedPod>();
  for (const { metadata, status } of pods) {
    const { phase, podIP } = (status ?? {}) as { phase?: string; podIP?: string };
    if (podIP === undefined || phase === "Succeeded" || phase === "Failed") continue;
    const namespace = metadata.namespace ?? "";
    const name = `${metadata.name}.${namespace}`;
    byAddress.set(podIP, { name, workload: `${canonicalNames(metadata).workload}.${namespace}` });
  }
  return { at: (address) => byAddress.get(address) ?? byAddress.get(hostOf(address)) };
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
