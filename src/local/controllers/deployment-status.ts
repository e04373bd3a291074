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
  const sum = (count: "replicas" | "readyReplicas" | "availableReplicas"): number =>
    sets.reduce((total, set) => total + (set.status?.[count] ?? 0), 0);
  const wanted = deployment.spec?.replicas ?? 1;
  const availableReplicas = sum("availableReplicas");
  const replicas = sum("replicas");
  const { replicas: updatedReplicas = 0 } = current?.status ?? {};
  const complete = Math.min(updatedReplicas, availableReplicas) >= wanted && replicas === wanted;
  const conditions = [
    availableCondition(deployment, wanted, availableReplicas),
    progressingCondition(current?.metadata.name ?? "", complete),
  ];
  return {
    observedGeneration: deployment.metadata.generation ?? 1,
    replicas,
    updatedReplicas,
    readyReplicas: sum("readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, wanted - availableReplicas),
    conditions: updateTimes(conditions, deployment.status?.conditions ?? [], now),
  };
}

function availableCondition(deployment: Deployment, wanted: number, available: number): Condition {
  const spare = portionOf(deployment.spec?.strategy?.rollingUpdate?.maxUnavailable, wanted, Math.floor);
  const type = "Available";
  return available >= wanted - spare
    ? { type, status: "True", reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." }
    : {
        type,
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

function progressingCondition(set: string, complete: boolean): Condition {
  return {
    type: "Progressing",
    status: "True",
    reason: complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
    message: `ReplicaSet "${set}" ${complete ? "has successfully progressed" : "is progressing"}.`,
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
