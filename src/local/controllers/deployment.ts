import { ids } from "../ids.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { Deployment, PodTemplate, ReplicaSet } from "../shapes.ts";
import { type ControllerContext, controlledBy, controllerOf, defineController, ownerKeys } from "./controller.ts";
import { deploymentStatus, sameStatus } from "./deployment-status.ts";
import { portionOf, shortHash } from "./pods.ts";
import { statusCode } from "./queue.ts";

const HASH_LABEL = "pod-template-hash";
const REVISION = "deployment.kubernetes.io/revision";

/** Rolls a Deployment's pods from one template to the next through ReplicaSets. */
export const deploymentController = defineController({
  name: "deployment",
  summary: "Rolls a Deployment from one template to the next through ReplicaSets",
  watches: [{ id: ids.deployments }, { id: ids.replicaSets, keys: ownerKeys("Deployment") }],
  async reconcile({ namespace, name }, context) {
    const deployment = context.cache.get<Deployment>(ids.deployments, namespace, name);
    if (deployment?.spec === undefined || deployment.metadata.deletionTimestamp !== undefined) return undefined;
    const sets = setsOf(deployment, context);
    const current = sets.find((set) => sameTemplate(set, deployment)) ?? (await createSet(deployment, sets, context));
    if (current === undefined) return undefined;
    const old = sets.filter((set) => set.metadata.uid !== current.metadata.uid);
    if (deployment.spec.paused !== true) await roll(deployment, current, { old, context });
    await writeStatus(deployment, context);
    return undefined;
  },
});

function setsOf(deployment: Deployment, { cache }: ControllerContext): readonly ReplicaSet[] {
  return cache
    .list<ReplicaSet>(ids.replicaSets, deployment.metadata.namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid);
}

/** The template without the label that tells the sets apart. */
function plainTemplate(template: PodTemplate | undefined): PodTemplate | undefined {
  if (template?.metadata?.labels === undefined) return template;
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

function sameTemplate(set: ReplicaSet, deployment: Deployment): boolean {
  return canonical(plainTemplate(set.spec?.template)) === canonical(plainTemplate(deployment.spec?.template));
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function revisionOf(object: KubeObject): number {
  return Number(object.metadata.annotations?.[REVISION] ?? 0);
}

async function createSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  context: ControllerContext,
): Promise<ReplicaSet | undefined> {
  const { spec, metadata } = deployment;
  if (spec === undefined) return undefined;
  const hash = shortHash(canonical(plainTemplate(spec.template)));
  const labels = { ...spec.template.metadata?.labels, [HASH_LABEL]: hash };
  const selector = { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash } };
  const revision = Math.max(0, ...sets.map(revisionOf)) + 1;
  const object = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace,
      labels,
      annotations: { [REVISION]: String(revision) },
      ownerReferences: controlledBy(deployment),
    },
    spec: {
      replicas: 0,
      minReadySeconds: spec.minReadySeconds ?? 0,
      selector,
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  } as unknown as KubeObject;
  try {
    return (await context.client.create(ids.replicaSets, object)) as ReplicaSet;
  } catch (error) {
    if (statusCode(error) !== 409) throw error;
    return undefined; // the set of an earlier, deleted Deployment of this name; gone when garbage was collected
  }
}

interface Rollout {
  readonly old: readonly ReplicaSet[];
  readonly context: ControllerContext;
}

async function roll(deployment: Deployment, current: ReplicaSet, { old, context }: Rollout): Promise<void> {
  const wanted = deployment.spec?.replicas ?? 1;
  await markRevision(deployment, current, { old, context });
  if (deployment.spec?.strategy?.type === "Recreate") {
    for (const set of old) await resize(set, 0, deployment, context);
    if (old.every((set) => (set.status?.replicas ?? 0) === 0)) await resize(current, wanted, deployment, context);
  } else {
    const { size, shrink } = rollingStep(deployment, current, old);
    await resize(current, size, deployment, context);
    for (const [set, replicas] of shrink) await resize(set, replicas, deployment, context);
  }
  await dropHistory(deployment, old, context);
}

/**
 * One step of a rolling update: how large the new set may be, and how small each old one must become, so that there are never
 * more than replicas + maxSurge pods and never fewer than replicas - maxUnavailable available ones.
 */
export function rollingStep(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
): { size: number; shrink: readonly (readonly [ReplicaSet, number])[] } {
  const wanted = deployment.spec?.replicas ?? 1;
  const { surge, maxUnavailable } = limitsOf(deployment, wanted);
  const oldTotal = old.reduce((sum, set) => sum + replicasOf(set), 0);
  const now = replicasOf(current);
  const size = now >= wanted ? wanted : Math.max(now, Math.min(wanted, wanted + surge - oldTotal));
  const available = old.reduce((sum, set) => sum + availableOf(set), availableOf(current));
  let removable = Math.max(0, available - (wanted - maxUnavailable));
  const shrink: (readonly [ReplicaSet, number])[] = [];
  for (const set of old) {
    const replicas = replicasOf(set);
    const broken = Math.max(0, replicas - availableOf(set));
    const cut = Math.min(replicas, broken + removable);
    removable -= Math.max(0, cut - broken);
    if (cut > 0) shrink.push([set, replicas - cut]);
  }
  return { size, shrink };
}

function limitsOf(deployment: Deployment, wanted: number): { surge: number; maxUnavailable: number } {
  const limits = deployment.spec?.strategy?.rollingUpdate;
  const surge = portionOf(limits?.maxSurge, wanted, Math.ceil);
  const spare = portionOf(limits?.maxUnavailable, wanted, Math.floor);
  return { surge, maxUnavailable: surge === 0 && spare === 0 ? 1 : spare };
}

function replicasOf(set: ReplicaSet): number {
  return set.spec?.replicas ?? 0;
}

function availableOf(set: ReplicaSet): number {
  return Math.min(set.status?.availableReplicas ?? 0, set.spec?.replicas ?? 0);
}

async function markRevision(deployment: Deployment, current: ReplicaSet, { old, context }: Rollout): Promise<void> {
  const { client } = context;
  const newest = Math.max(0, ...old.map(revisionOf));
  const revision = revisionOf(current) > newest ? revisionOf(current) : newest + 1;
  const annotations = { [REVISION]: String(revision) };
  const { namespace, name } = deployment.metadata;
  if (revisionOf(current) !== revision) {
    await client.mergePatch(ids.replicaSets, namespace, current.metadata.name, { metadata: { annotations } });
  }
  if (revisionOf(deployment) !== revision) {
    await client.mergePatch(ids.deployments, namespace, name, { metadata: { annotations } });
  }
}

async function resize(
  set: ReplicaSet,
  replicas: number,
  deployment: Deployment,
  { client, events }: ControllerContext,
): Promise<void> {
  const from = set.spec?.replicas ?? 0;
  if (from === replicas) return;
  await client.mergePatch(ids.replicaSets, set.metadata.namespace, set.metadata.name, { spec: { replicas } });
  const verb = replicas > from ? "up" : "down";
  const text = `Scaled ${verb} replica set ${set.metadata.name} from ${from} to ${replicas}`;
  events.normal(deployment, "ScalingReplicaSet", text);
}

async function dropHistory(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  { client }: ControllerContext,
): Promise<void> {
  const idle = old.filter((set) => set.spec?.replicas === 0 && (set.status?.replicas ?? 0) === 0);
  const surplus = idle.length - (deployment.spec?.revisionHistoryLimit ?? 10);
  const oldest = [...idle].sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, surplus));
  for (const set of oldest) await client.delete(ids.replicaSets, set.metadata.namespace, set.metadata.name);
}

async function writeStatus(deployment: Deployment, context: ControllerContext): Promise<void> {
  const sets = setsOf(deployment, context);
  const current = sets.find((set) => sameTemplate(set, deployment));
  const status = deploymentStatus(deployment, { current, sets }, context.now());
  if (sameStatus(status, deployment.status)) return;
  const { namespace, name } = deployment.metadata;
  await context.client.mergePatch(ids.deployments, namespace, name, { status }, "status");
}
