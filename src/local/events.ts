import type { KubeObject } from "../resources/object.ts";
import type { LocalClient } from "./api/types.ts";
import { ids } from "./ids.ts";

/** Tells users what the cluster did with an object, as `kubectl describe` and `kubectl get events` show it. */
export interface EventRecorder {
  normal(object: KubeObject, reason: string, message: string): void;
  warning(object: KubeObject, reason: string, message: string): void;
}

const MAX_KNOWN = 1000;

/** Writes events to the endpoint; a repeated one (same object, reason and message) counts up instead. Never throws. */
export function createEventRecorder(
  client: Pick<LocalClient, "create" | "mergePatch">,
  component: string,
  now: () => Date,
): EventRecorder {
  const known = new Map<string, { name: Promise<string>; namespace: string; count: number }>();
  let serial = 0;
  const record = (type: string, object: KubeObject, [reason, message]: readonly [string, string]): void => {
    const namespace = object.metadata.namespace ?? "default";
    const timestamp = `${now().toISOString().slice(0, 19)}Z`;
    const key = [object.kind, namespace, object.metadata.name, object.metadata.uid, reason, message].join("\0");
    const seen = known.get(key);
    if (seen !== undefined) {
      seen.count++;
      const { count } = seen;
      void seen.name
        .then((name) => client.mergePatch(ids.events, namespace, name, { count, lastTimestamp: timestamp }))
        .catch(() => known.delete(key));
      return;
    }
    if (known.size >= MAX_KNOWN) known.clear();
    const name = `${object.metadata.name}.${now().getTime().toString(16)}${(serial++).toString(16)}`;
    const created = client.create(ids.events, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: referenceTo(object),
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      source: { component },
      reportingComponent: component,
      reportingInstance: "",
    });
    const entry = { name: created.then(() => name), namespace, count: 1 };
    known.set(key, entry);
    entry.name.catch(() => known.delete(key)); // e.g. the namespace is being deleted: nobody will read it
  };
  return {
    normal: (object, reason, message) => {
      record("Normal", object, [reason, message]);
    },
    warning: (object, reason, message) => {
      record("Warning", object, [reason, message]);
    },
  };
}

function referenceTo(object: KubeObject): Record<string, unknown> {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, name, namespace, uid, resourceVersion };
}
