import type { Pod, PodSpec } from "../../resources/core.ts";
import { impliedPod } from "../../resources/files-world.ts";
import type { KubeObject, ObjectMeta } from "../../resources/object.ts";
import type { AnalyzerWorld } from "../analyzer.ts";
import { isImplied } from "./shared-names.ts";

/** Kinds that a user writes pods in. */
export const TEMPLATE_KINDS = [
  "Pod",
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "Job",
  "CronJob",
] as const;

/** Pods as a user wrote them: in a template, or a pod of its own. */
export interface WrittenPod {
  readonly object: KubeObject;
  /** Where metadata and spec of the pod stand in the object. */
  readonly at: readonly string[];
  readonly metadata: Partial<ObjectMeta>;
  readonly spec: PodSpec | undefined;
}

/** Templates of workloads and bare pods; what a controller made from another object is that one's. */
export function* writtenPods(world: AnalyzerWorld<(typeof TEMPLATE_KINDS)[number]>): Generator<WrittenPod> {
  for (const kind of TEMPLATE_KINDS)
    for (const object of world.list(kind)) {
      if (object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true) continue;
      if (kind === "Pod") {
        const { metadata, spec } = object as Pod;
        if (!isImplied(object as Pod)) yield { object, at: [], metadata, spec };
        continue;
      }
      const pod = impliedPod(object);
      const at = kind === "CronJob" ? ["spec", "jobTemplate", "spec", "template"] : ["spec", "template"];
      if (pod !== undefined) yield { object, at, metadata: pod.metadata, spec: pod.spec };
    }
}
