import type { Pod } from "../../resources/core.ts";
import type { KubeObject } from "../../resources/object.ts";

/** Two objects of one kind that select one pod. */
export interface SharedPod<T extends KubeObject> {
  readonly object: T;
  readonly pod: Pod;
  /** All that select the pod and are in each other's way, this one among them, by name. */
  readonly rivals: readonly T[];
}

/** For each object the first pod that it shares with others that are in its way; `rival` says which are. */
export function sharedPods<T extends KubeObject>(
  objects: readonly T[],
  podsOf: (object: T) => readonly Pod[],
  rival: (a: T, b: T) => boolean = () => true,
): readonly SharedPod<T>[] {
  const selecting = new Map<Pod, T[]>();
  for (const object of objects)
    for (const pod of podsOf(object)) {
      const listed = selecting.get(pod);
      if (listed === undefined) selecting.set(pod, [object]);
      else listed.push(object);
    }
  const found = new Map<T, SharedPod<T>>();
  for (const [pod, all] of selecting)
    for (const object of all.length > 1 ? all : []) {
      if (found.has(object)) continue;
      const rivals = all.filter((other) => other === object || rival(object, other));
      if (rivals.length > 1) found.set(object, { object, pod, rivals });
    }
  return [...found.values()];
}

/** Objects by namespace. */
export function byNamespace<T extends KubeObject>(objects: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const object of objects) {
    const namespace = object.metadata.namespace ?? "";
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [object]);
    else group.push(object);
  }
  return groups;
}
