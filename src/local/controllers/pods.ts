import { createHash } from "node:crypto";
import type { KubeObject } from "../../resources/object.ts";
import type { Condition, Pod, PodTemplate } from "../shapes.ts";
import { controlledBy } from "./controller.ts";

/** Whether the pod's Ready condition is true. */
export function isReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready")?.status === "True";
}

/** A condition of the pod by type. */
export function conditionOf(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: Date): boolean {
  if (!isReady(pod)) return false;
  const since = conditionOf(pod, "Ready")?.lastTransitionTime;
  return minReadySeconds === 0 || (since !== undefined && now.getTime() - Date.parse(since) >= minReadySeconds * 1000);
}

/** Neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata.deletionTimestamp === undefined;
}

/** A pod of a workload, to be created; the endpoint gives it a name unless `name` is given. */
export function podFrom(owner: KubeObject, template: PodTemplate, name?: string): KubeObject {
  const { labels, annotations } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...(name === undefined ? { generateName: `${owner.metadata.name}-` } : { name }),
      namespace: owner.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: controlledBy(owner),
    } as unknown as KubeObject["metadata"],
    spec: template.spec,
  };
}

/** A short name for a value: equal values, equal names; in the letters Kubernetes uses for such suffixes. */
export function shortHash(value: unknown): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  const digest = createHash("sha256").update(JSON.stringify(value)).digest();
  return [...digest.subarray(0, 10)].map((byte) => letters[byte % letters.length]).join("");
}

/** An absolute number, or a percentage of `total`. */
export function portionOf(value: number | string | undefined, total: number, round: (n: number) => number): number {
  if (typeof value === "number") return value;
  const percent = Number.parseFloat(value ?? "25%");
  return round((percent * total) / 100);
}
