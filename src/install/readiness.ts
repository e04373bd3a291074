import type { KubeObject } from "../resources/object.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** Kind -> when an object of it has reached the state that what comes after it needs. */
const READY: Readonly<Record<string, (object: KubeObject) => boolean>> = {
  CustomResourceDefinition: (object) => conditionsOf(object).some(isTrue("Established")),
  Deployment: isRolledOut,
  MutatingWebhookConfiguration: hasCaBundles,
  ValidatingWebhookConfiguration: hasCaBundles,
};

/** Objects that are not ready the moment the API server has them. */
export function waitsFor(object: KubeObject): boolean {
  return Object.hasOwn(READY, object.kind);
}

/** Whether a live object has reached its state; kinds without one are ready. */
export function isReady(object: KubeObject): boolean {
  return READY[object.kind]?.(object) ?? true;
}

/** Conditions of an object's status. */
export function conditionsOf(object: KubeObject): readonly Condition[] {
  return (object.status as { conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
}

function isTrue(type: string): (condition: Condition) => boolean {
  return (condition) => condition.type === type && condition.status === "True";
}

/** All pods are of the newest template and available: what `kubectl rollout status` waits for. */
function isRolledOut(object: KubeObject): boolean {
  const replicas = (object.spec as { replicas?: number } | undefined)?.replicas ?? 1;
  const status = (object.status ?? {}) as Readonly<Record<string, number | undefined>>;
  const count = (name: string): number => status[name] ?? 0;
  if (count("observedGeneration") < (object.metadata.generation ?? 0)) return false;
  const updated = count("updatedReplicas");
  return updated >= replicas && count("availableReplicas") >= replicas && count("replicas") === updated;
}

/** The control plane writes its certificate authority into its webhooks once it serves them. */
function hasCaBundles(object: KubeObject): boolean {
  const webhooks = (object["webhooks"] ?? []) as readonly { clientConfig?: { caBundle?: string } }[];
  return webhooks.every(({ clientConfig }) => (clientConfig?.caBundle ?? "") !== "");
}
