import { ClusterError } from "../base/errors.ts";
import type { Cluster, ClusterReader } from "../resources/cluster.ts";
import type { EventMetrics } from "./mesh-metrics.ts";

/** A cluster whose replacements of objects are told, with the reason of those that failed. */
export function countedWrites(
  cluster: Pick<Cluster, "get" | "create" | "replace">,
  onWritten: EventMetrics["webhookWritten"],
): Pick<Cluster, "get" | "create" | "replace"> {
  return {
    get: (ref) => cluster.get(ref),
    create: (object, options) => cluster.create(object, options),
    async replace(object) {
      try {
        const written = await cluster.replace(object);
        onWritten(object.kind, object.metadata.name, undefined);
        return written;
      } catch (error) {
        onWritten(object.kind, object.metadata.name, error instanceof ClusterError ? error.code : "unknown");
        throw error;
      }
    },
  };
}

type Watch = ClusterReader["watch"];

/** A watch whose failures are told. */
export function countedWatch(cluster: Pick<ClusterReader, "watch">, onFailed: () => void): Watch {
  return async (...asked) => {
    try {
      await cluster.watch(...asked);
    } catch (error) {
      onFailed();
      throw error;
    }
  };
}

const EVENTS = { ADDED: "add", MODIFIED: "update", DELETED: "delete" } as const;

/** A watch whose events are told; a list after a break tells each object as added. */
export function toldWatch(
  cluster: Pick<ClusterReader, "watch">,
  onEvent: (event: "add" | "update" | "delete") => void,
): Watch {
  return (kind, options, told, signal) =>
    cluster.watch(
      kind,
      options,
      (event) => {
        if (event.type !== "SYNCED") onEvent(EVENTS[event.type]);
        told(event);
      },
      signal,
    );
}
