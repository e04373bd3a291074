import { compact } from "../../base/compact.ts";
import type { KubeObject } from "../../resources/object.ts";
import { stamp } from "../conditions.ts";
import { ids } from "../ids.ts";
import type { Pod, PodTemplate } from "../shapes.ts";
import { type ControllerContext, controllerOf, defineController, ownerKeys } from "./controller.ts";
import { isActive, isReady, podFrom, shortHash } from "./pods.ts";

interface StatefulSetSpec {
  readonly replicas?: number;
  readonly template: PodTemplate;
  readonly podManagementPolicy?: string;
  readonly volumeClaimTemplates?: readonly unknown[];
}
interface JobSpec {
  readonly completions?: number;
  readonly parallelism?: number;
  readonly backoffLimit?: number;
  readonly suspend?: boolean;
  readonly template: PodTemplate;
}

const REVISION_LABEL = "controller-revision-hash";

/** Pods `name-0`, `name-1`, … in order; a changed template replaces them from the last to the first. */
export const statefulSetController = defineController({
  name: "statefulset",
  summary: "Keeps the numbered pods of a StatefulSet running, one after the other",
  watches: [{ id: ids.statefulSets }, { id: ids.pods, keys: ownerKeys("StatefulSet") }],
  async reconcile({ namespace, name }, context) {
    const set = context.cache.get<KubeObject<StatefulSetSpec>>(ids.statefulSets, namespace, name);
    if (set?.spec === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    const { spec } = set;
    if ((spec.volumeClaimTemplates ?? []).length > 0) {
      context.events.warning(
        set,
        "NoStorage",
        "the local cluster has no persistent volumes: volumeClaimTemplates are ignored",
      );
    }
    const replicas = spec.replicas ?? 1;
    const revision = `${name}-${shortHash(spec.template)}`;
    const pods = ownedBy(set, context);
    await orderedStep(set, { replicas, revision, pods, parallel: spec.podManagementPolicy === "Parallel" }, context);
    const ready = pods.filter(isReady).length;
    const updated = pods.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision).length;
    await writeStatus(ids.statefulSets, set, context, {
      observedGeneration: set.metadata.generation ?? 1,
      replicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      currentReplicas: updated,
      updatedReplicas: updated,
      currentRevision: revision,
      updateRevision: revision,
    });
    return undefined;
  },
});

interface OrderedState {
  readonly replicas: number;
  readonly revision: string;
  readonly pods: readonly Pod[];
  readonly parallel: boolean;
}

/** At most one change at a time unless the set is parallel; never beyond a pod that is not ready. */
async function orderedStep(
  set: KubeObject<StatefulSetSpec>,
  { replicas, revision, pods, parallel }: OrderedState,
  { client }: ControllerContext,
): Promise<void> {
  const template = set.spec?.template;
  if (template === undefined) return;
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  for (let index = 0; index < replicas; index++) {
    const name = `${set.metadata.name}-${index}`;
    const pod = byName.get(name);
    if (pod === undefined) {
      const labels = {
        ...template.metadata?.labels,
        [REVISION_LABEL]: revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": String(index),
      };
      const spec = { ...template.spec, hostname: name };
      await client.create(ids.pods, podFrom(set, { metadata: { ...template.metadata, labels }, spec }, name));
    }
    if (!parallel && (pod === undefined || !isReady(pod))) return;
  }
  const last = [...pods].sort((a, b) => ordinal(b) - ordinal(a));
  const victim =
    last.find((pod) => ordinal(pod) >= replicas) ??
    last.find((pod) => pod.metadata.labels?.[REVISION_LABEL] !== revision);
  if (victim !== undefined && victim.metadata.deletionTimestamp === undefined) {
    await client.delete(ids.pods, victim.metadata.namespace, victim.metadata.name);
  }
}

function ordinal(pod: Pod): number {
  return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf("-") + 1));
}

/** One pod on the one node. */
export const daemonSetController = defineController({
  name: "daemonset",
  summary: "Runs one pod of each DaemonSet on the node",
  watches: [{ id: ids.daemonSets }, { id: ids.pods, keys: ownerKeys("DaemonSet") }],
  async reconcile({ namespace, name }, context) {
    const set = context.cache.get<KubeObject<{ template: PodTemplate }>>(ids.daemonSets, namespace, name);
    if (set?.spec === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    const { template } = set.spec;
    const revision = shortHash(template);
    const pods = ownedBy(set, context);
    const active = pods.filter(isActive);
    const current = active.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === revision);
    for (const pod of active.filter((entry) => !current.includes(entry))) {
      await context.client.delete(ids.pods, pod.metadata.namespace, pod.metadata.name);
    }
    if (pods.length === 0) {
      const labels = { ...template.metadata?.labels, [REVISION_LABEL]: revision };
      await context.client.create(ids.pods, podFrom(set, { ...template, metadata: { ...template.metadata, labels } }));
    }
    const ready = current.filter(isReady).length;
    await writeStatus(ids.daemonSets, set, context, {
      observedGeneration: set.metadata.generation ?? 1,
      currentNumberScheduled: active.length,
      desiredNumberScheduled: 1,
      numberMisscheduled: 0,
      numberReady: ready,
      numberAvailable: ready,
      updatedNumberScheduled: current.length,
    });
    return undefined;
  },
});

/** Runs pods until enough of them succeeded. */
export const jobController = defineController({
  name: "job",
  summary: "Runs pods of a Job until enough of them succeeded",
  watches: [{ id: ids.jobs }, { id: ids.pods, keys: ownerKeys("Job") }],
  async reconcile({ namespace, name }, context) {
    const job = context.cache.get<KubeObject<JobSpec>>(ids.jobs, namespace, name);
    if (job?.spec === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
    const progress = jobProgress(job.spec, ownedBy(job, context));
    for (let missing = progress.missing; missing > 0; missing--) {
      const { template } = job.spec;
      const labels = { ...template.metadata?.labels, "job-name": name, "batch.kubernetes.io/job-name": name };
      await context.client.create(ids.pods, podFrom(job, { ...template, metadata: { ...template.metadata, labels } }));
    }
    await writeStatus(ids.jobs, job, context, jobStatus(job, progress, stamp(context.now())));
    return undefined;
  },
});

interface JobProgress {
  readonly active: number;
  readonly ready: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Pods to be created now. */
  readonly missing: number;
  readonly end: "Complete" | "Failed" | undefined;
}

function jobProgress(spec: JobSpec, pods: readonly Pod[]): JobProgress {
  const count = (phase: string): number => pods.filter((pod) => pod.status?.phase === phase).length;
  const succeeded = count("Succeeded");
  const failed = count("Failed");
  const active = pods.filter(isActive);
  const wanted = spec.completions ?? 1;
  const end = succeeded >= wanted ? "Complete" : failed > (spec.backoffLimit ?? 6) ? "Failed" : undefined;
  const open = Math.min(spec.parallelism ?? 1, wanted - succeeded) - active.length;
  const missing = end !== undefined || spec.suspend === true ? 0 : Math.max(0, open);
  return { active: active.length, ready: active.filter(isReady).length, succeeded, failed, missing, end };
}

function jobStatus(job: KubeObject, progress: JobProgress, time: string): Record<string, unknown> {
  const { active, missing, ready, succeeded, failed, end } = progress;
  const old = (job.status ?? {}) as Readonly<Record<string, unknown>>;
  const conditions = end === undefined ? undefined : [{ type: end, status: "True", lastTransitionTime: time }];
  return compact({
    active: end === undefined ? active + missing : 0,
    succeeded,
    failed,
    ready,
    startTime: old["startTime"] ?? time,
    completionTime: end === "Complete" ? (old["completionTime"] ?? time) : undefined,
    conditions: old["conditions"] ?? conditions,
  });
}

function ownedBy(owner: KubeObject, { cache }: ControllerContext): readonly Pod[] {
  return cache
    .list<Pod>(ids.pods, owner.metadata.namespace)
    .filter((pod) => controllerOf(pod)?.uid === owner.metadata.uid);
}

async function writeStatus(
  id: (typeof ids)[keyof typeof ids],
  object: KubeObject,
  { client }: ControllerContext,
  status: Record<string, unknown>,
): Promise<void> {
  const before = (object.status ?? {}) as Record<string, unknown>;
  const same = Object.entries(status).every(([key, value]) => JSON.stringify(before[key]) === JSON.stringify(value));
  if (!same) await client.mergePatch(id, object.metadata.namespace, object.metadata.name, { status }, "status");
}
