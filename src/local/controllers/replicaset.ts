import { errorText } from "../../base/errors.ts";
import { ids } from "../ids.ts";
import { selects } from "../selector.ts";
import type { Pod, ReplicaSet, ReplicaSetStatus } from "../shapes.ts";
import { type ControllerContext, controllerOf, defineController, ownerKeys } from "./controller.ts";
import { isActive, isAvailable, isReady, podFrom } from "./pods.ts";
import type { Again } from "./queue.ts";

/** Keeps the wanted number of pods of each ReplicaSet running. */
export const replicaSetController = defineController({
  name: "replicaset",
  summary: "Keeps the wanted number of pods of a ReplicaSet running",
  watches: [{ id: ids.replicaSets }, { id: ids.pods, keys: ownerKeys("ReplicaSet") }],
  async reconcile({ namespace, name }, context) {
    const set = context.cache.get<ReplicaSet>(ids.replicaSets, namespace, name);
    if (set?.spec === undefined) return undefined;
    if (set.metadata.deletionTimestamp === undefined) await scale(set, context);
    return writeStatus(set, context);
  },
});

function podsOf(set: ReplicaSet, { cache }: ControllerContext): readonly Pod[] {
  return cache
    .list<Pod>(ids.pods, set.metadata.namespace)
    .filter((pod) => controllerOf(pod)?.uid === set.metadata.uid && isActive(pod));
}

async function scale(set: ReplicaSet, context: ControllerContext): Promise<void> {
  const { client, events } = context;
  const wanted = set.spec?.replicas ?? 1;
  const pods = podsOf(set, context);
  const surplus = [...pods].sort(leastWanted).slice(0, Math.max(0, pods.length - wanted));
  for (const pod of surplus) {
    await client.delete(ids.pods, pod.metadata.namespace, pod.metadata.name);
    events.normal(set, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
  }
  for (let missing = wanted - pods.length; missing > 0 && set.spec !== undefined; missing--) {
    try {
      const pod = await client.create(ids.pods, podFrom(set, set.spec.template));
      events.normal(set, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      events.warning(set, "FailedCreate", `Error creating: ${errorText(error)}`);
      throw error;
    }
  }
}

/** Pods that serve nobody yet go first, then the youngest. */
function leastWanted(a: Pod, b: Pod): number {
  if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1;
  return (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? "");
}

async function writeStatus(set: ReplicaSet, context: ControllerContext): Promise<Again | undefined> {
  const pods = podsOf(set, context).filter((pod) => selects(set.spec?.selector ?? {}, pod.metadata.labels));
  const wait = set.spec?.minReadySeconds ?? 0;
  const status: ReplicaSetStatus = {
    replicas: pods.length,
    fullyLabeledReplicas: pods.length,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: pods.filter((pod) => isAvailable(pod, wait, context.now())).length,
    observedGeneration: set.metadata.generation ?? 1,
  };
  if (JSON.stringify(status) !== JSON.stringify(pick(set.status))) {
    await context.client.mergePatch(ids.replicaSets, set.metadata.namespace, set.metadata.name, { status }, "status");
  }
  return status.readyReplicas === status.availableReplicas ? undefined : { afterMs: 1000 };
}

function pick(status: ReplicaSetStatus | undefined): Partial<ReplicaSetStatus> {
  const { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration } = status ?? {};
  return { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration } as ReplicaSetStatus;
}
