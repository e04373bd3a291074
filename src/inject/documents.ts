import type { KubeObject } from "../resources/object.ts";
import type { WorkloadOwner } from "../model/workload.ts";
import type { InjectContext, PodLike } from "./config.ts";
import type { InjectionDecision } from "../model/injection.ts";
import { inject } from "./inject.ts";

/** A document after injection, and what was decided about each workload in it. */
export interface InjectedDocument {
  readonly object: unknown;
  readonly isChanged: boolean;
  readonly workloads: readonly { readonly name: string; readonly decision: InjectionDecision }[];
}

/** Kind -> where its pod template is. Every other kind passes unchanged. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  DeploymentConfig: ["spec", "template"],
};

/**
 * Injects a YAML document as `meshctl inject` does: workloads get the proxy in their pod template, Lists are gone through, all
 * else is left as it is. Pods of ReplicaSets and Jobs are named after the document: what owns it is unknown offline.
 */
export function injectDocument(
  object: unknown,
  context: Omit<InjectContext, "namespace">,
  defaultNamespace: string,
): InjectedDocument {
  const items = member(object, "items");
  if (String(member(object, "kind")).endsWith("List") && Array.isArray(items)) {
    const results = items.map((item) => injectDocument(item, context, defaultNamespace));
    return {
      object: { ...(object as object), items: results.map((result) => result.object) },
      isChanged: results.some((result) => result.isChanged),
      workloads: results.flatMap((result) => result.workloads),
    };
  }
  if (!isObject(object)) return { object, isChanged: false, workloads: [] };
  const path = Object.hasOwn(TEMPLATES, object.kind) ? TEMPLATES[object.kind] : undefined;
  const template = path?.reduce<unknown>((value, key) => member(value, key), object);
  if (path === undefined || !isPodLike(template)) return { object, isChanged: false, workloads: [] };
  const namespace = object.metadata.namespace ?? defaultNamespace;
  const owner: WorkloadOwner | undefined =
    path.length === 0 ? undefined : { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name };
  const { decision, pod, patch } = inject(template, {
    ...context,
    namespace,
    ...(owner === undefined ? {} : { owner }),
  });
  const name = `${object.kind} ${namespace}/${object.metadata.name}`;
  return { object: replaced(object, path, pod), isChanged: patch.length > 0, workloads: [{ name, decision }] };
}

function replaced(value: unknown, path: readonly string[], pod: PodLike): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return pod;
  return { ...(value as object), [key]: replaced(member(value, key), rest, pod) };
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function isObject(value: unknown): value is KubeObject {
  return typeof member(value, "kind") === "string" && typeof member(value, "metadata") === "object";
}

function isPodLike(value: unknown): value is PodLike {
  return Array.isArray(member(member(value, "spec"), "containers"));
}
