import { ClusterError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { apiVersionOf } from "../../resources/kinds.ts";
import { createWriterQueue } from "../writer-queue.ts";
import type { StatusChange } from "./status.ts";

/** Writes findings into the status of the mesh's objects, where kubectl and Kiali show them. */
export interface StatusWriter {
  /** Takes the place of what was to be written before. */
  write(changes: readonly StatusChange[]): void;
  close(): Promise<void>;
}

/** A writer that writes one object at a time, and again what failed. */
export function createStatusWriter(cluster: Pick<Cluster, "mergePatch">, log: Logger): StatusWriter {
  let wanted: ReadonlyMap<string, StatusChange> = new Map();
  const work = async (key: string): Promise<void> => {
    const change = wanted.get(key);
    if (change === undefined) return;
    const { status, ...named } = change;
    const target = { apiVersion: apiVersionOf(change.kind), ...named };
    await cluster.mergePatch(target, { status }, { subresource: "status" }).catch((error: unknown) => {
      // it went away in the meantime
      if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
    });
  };
  const queue = createWriterQueue("analysis-status", work, log);
  return {
    write(changes) {
      wanted = new Map(changes.map((change) => [`${change.kind}/${change.namespace}/${change.name}`, change]));
      for (const key of wanted.keys()) queue.add(key);
    },
    close: () => queue.close(),
  };
}
