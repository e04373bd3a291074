import type { FieldPath } from "../diagnostics/finding.ts";
import { workloadOwner } from "../model/workload.ts";
import type { Pod } from "../resources/core.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";

/** Where a finding about a pod belongs: what a user edits. */
export interface PodOwner {
  readonly object: KubeObject;
  /** Of the pod inside the object: empty for a bare pod, that of its template otherwise. */
  readonly at: FieldPath;
  /** `Deployment shop/web`, for messages. */
  readonly title: string;
}

/** The workload whose template a pod comes from, else the pod itself: its replicas then make one finding. */
export function podOwner(pod: Pod): PodOwner {
  const owner = workloadOwner(pod.metadata);
  if (owner === undefined) return { object: pod, at: [], title: refText(refOf(pod)) };
  const { namespace = "" } = pod.metadata;
  const { apiVersion, kind, name } = owner;
  const object = { apiVersion, kind, metadata: { name, namespace } };
  const at = kind === "CronJob" ? ["spec", "jobTemplate", "spec", "template"] : ["spec", "template"];
  return { object, at, title: refText({ kind, namespace, name }) };
}

/** Labels as `a=b,c=d`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(",");
}
