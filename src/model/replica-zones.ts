import type { ModelContext } from "./context.ts";
import type { Pods } from "./pods.ts";

/** How many replicas of a workload run in each zone of a region, by zone; sorted. */
export type ReplicaZones = Readonly<Record<string, number>>;

/**
 * The zones of a pod's replicas: pods of its namespace with its workload and template, in its region, itself among them. Empty
 * for a pod that is not known, or whose zone is not.
 */
export function createReplicaZones(
  { world, derivations }: Pick<ModelContext, "world" | "derivations">,
  pods: Pods,
): (namespace: string, pod: string) => ReplicaZones {
  const ofWorkload = derivations.keyed(
    "zones of replicas",
    (namespace: string, workload: string, template: string, region: string): ReplicaZones => {
      const zones = world.list("Pod", namespace).flatMap(({ metadata, status }) => {
        const facts = status?.podIP === undefined ? undefined : pods.facts(namespace, metadata.name);
        if (facts === undefined || metadata.deletionTimestamp !== undefined) return [];
        if (facts.peer.workload !== workload || templateOf(facts.labels) !== template) return [];
        return facts.locality.region === region ? [facts.locality.zone] : [];
      });
      return Object.fromEntries(
        [...new Set(zones)].toSorted().map((zone) => [zone, zones.filter((one) => one === zone).length]),
      );
    },
  );
  return (namespace, pod) => {
    const facts = pods.facts(namespace, pod);
    if (facts === undefined || facts.locality.zone === "") return {};
    return ofWorkload(namespace, facts.peer.workload, templateOf(facts.labels), facts.locality.region);
  };
}

/** Replicas of one template share their load evenly, those of two do not. */
function templateOf(labels: Readonly<Record<string, string>>): string {
  return labels["pod-template-hash"] ?? "";
}
