import type { PodSpec, Workload } from "../../resources/core.ts";
import type { KubeObject, ObjectMeta } from "../../resources/object.ts";
import type { AnalyzerWorld } from "../analyzer.ts";

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

/** Calls back for templates of workloads and bare pods; what a controller made from another object is that one's. */
export function eachWrittenPod(
  world: AnalyzerWorld<(typeof TEMPLATE_KINDS)[number]>,
  visit: (pod: WrittenPod) => void,
): void {
  for (const kind of TEMPLATE_KINDS)
    for (const object of world.list(kind)) {
      if (object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true) continue;
      if (kind === "Pod")
        visit({ object, at: [], metadata: object.metadata, spec: object.spec as PodSpec | undefined });
      else if (kind === "CronJob")
        visitTemplate(object, CRON_TEMPLATE, (object as CronJob).spec?.jobTemplate?.spec, visit);
      else visitTemplate(object, TEMPLATE, (object as Workload).spec, visit);
    }
}

const TEMPLATE = ["spec", "template"] as const;
const CRON_TEMPLATE = ["spec", "jobTemplate", "spec", "template"] as const;

type CronJob = KubeObject<{ readonly jobTemplate?: { readonly spec?: Workload["spec"] } }>;

function visitTemplate(
  object: KubeObject,
  at: readonly string[],
  holder: Workload["spec"],
  visit: (pod: WrittenPod) => void,
): void {
  const template = holder?.template;
  if (template !== undefined) visit({ object, at, metadata: template.metadata ?? {}, spec: template.spec });
}
