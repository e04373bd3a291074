import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from "../shapes.ts";
import { stamp, transitionTimes } from "../conditions.ts";
import { portionOf } from "./pods.ts";

export interface DeploymentSets {
  readonly current: ReplicaSet | undefined;
  readonly sets: readonly ReplicaSet[];
}

/** What `kubectl get deployment` and `kubectl rollout status` read. */
export function deploymentStatus(
  deployment: Deployment,
  { current, sets }: DeploymentSets,
  now: Date,
): DeploymentStatus {
  const sum = (count: (set: ReplicaSet) => number | undefined): number =>
    sets.reduce((total, set) => total + (count(set) ?? 0), 0);
  const wanted = deployment.spec?.replicas ?? 1;
  const availableReplicas = sum((set) => set.status?.availableReplicas);
  const replicas = sum((set) => set.status?.replicas);
  const updatedReplicas = current?.status?.replicas ?? 0;
  const spare = portionOf(deployment.spec?.strategy?.rollingUpdate?.maxUnavailable, wanted, Math.floor);
  const complete = updatedReplicas === wanted && replicas === wanted && availableReplicas >= wanted;
  const available = availableReplicas >= wanted - spare;
  const setName = current?.metadata.name ?? "";
  const conditions = [
    available
      ? {
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          type: "Available",
          status: "False",
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        },
    {
      type: "Progressing",
      status: "True",
      reason: complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
      message: `ReplicaSet "${setName}" ${complete ? "has successfully progressed" : "is progressing"}.`,
    },
  ];
  return {
    observedGeneration: deployment.metadata.generation ?? 1,
    replicas,
    updatedReplicas,
    readyReplicas: sum((set) => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, wanted - availableReplicas),
    conditions: updateTimes(conditions, deployment.status?.conditions ?? [], now),
  };
}

/** As transitionTimes, and the time of the last change of status or reason. */
function updateTimes(conditions: readonly Condition[], before: readonly Condition[], now: Date): readonly Condition[] {
  return transitionTimes(conditions, before, now).map((condition) => {
    const old = before.find((entry) => entry.type === condition.type);
    const unchanged = old?.status === condition.status && old.reason === condition.reason;
    return { ...condition, lastUpdateTime: (unchanged ? old.lastUpdateTime : undefined) ?? stamp(now) };
  });
}

/** Whether writing `next` would change nothing. */
export function sameStatus(next: DeploymentStatus, before: DeploymentStatus | undefined): boolean {
  const text = ({ observedGeneration, conditions, ...counts }: DeploymentStatus): string =>
    JSON.stringify([
      observedGeneration,
      ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"].map(
        (name) => (counts as Record<string, number | undefined>)[name] ?? 0,
      ),
      conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]),
    ]);
  return before !== undefined && text(next) === text(before);
}
