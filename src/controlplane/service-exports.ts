import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { serviceHost } from "../model/host.ts";
import type { Model } from "../model/model.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { Service } from "../resources/core.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { Runner } from "./runner.ts";
import type { Shared } from "./shared.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface ServiceExportsDeps {
  readonly cluster: Pick<Cluster, "create">;
  readonly model: Pick<Model, "world" | "derivations" | "isClusterLocal">;
  /** DNS suffix of the cluster. */
  readonly domain: string;
  /** Tracked. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
}

/** The same for a control plane; nothing unless it is asked for. */
export function serviceExports(
  { options, state }: Pick<Shared, "options" | "state">,
  isLeader: () => boolean,
): readonly Runner[] {
  const { cluster, domain, exportsServices = false, log } = options;
  return exportsServices ? [createServiceExports({ cluster, model: state.mesh.model, domain, isLeader, log })] : [];
}

/**
 * Consumes Services; offers a ServiceExport for each that is not its cluster's own (`serviceSettings`), as Istio does by
 * ENABLE_MCS_AUTO_EXPORT: once in a Service's life, so that one which somebody takes back stays away, and owned by the Service.
 */
export function createServiceExports(deps: ServiceExportsDeps): Runner {
  const { world, derivations } = deps.model;
  const seen = new Set<string>();
  const queue = createWriterQueue("service-exports", (key) => write(deps, key), deps.log);
  let unfollow = (): void => {};
  return {
    name: "service-exports",
    start() {
      unfollow = derivations.effect(() => {
        if (!deps.isLeader()) return;
        for (const service of world.list("Service").filter((one) => isShared(deps, one))) {
          const { uid = "", namespace = "", name } = service.metadata;
          if (seen.has(uid)) continue;
          seen.add(uid);
          if (world.get("ServiceExport", namespace, name) === undefined) queue.add(`${namespace}/${name}`);
        }
      });
      return Promise.resolve();
    },
    async close() {
      unfollow();
      await queue.close();
    },
  };
}

function isShared({ model, domain }: ServiceExportsDeps, { metadata }: Service): boolean {
  return !model.isClusterLocal(serviceHost(metadata.name, metadata.namespace ?? "", domain));
}

async function write({ cluster, model, isLeader, log }: ServiceExportsDeps, key: string): Promise<void> {
  const [namespace = "", name = ""] = key.split("/");
  const uid = model.world.get("Service", namespace, name)?.metadata.uid;
  if (uid === undefined || !isLeader()) return;
  const ownerReferences = [{ apiVersion: "v1", kind: "Service", name, uid }];
  const kind = { apiVersion: apiVersionOf("ServiceExport"), kind: "ServiceExport" };
  try {
    await cluster.create({ ...kind, metadata: { namespace, name, ownerReferences } });
  } catch (error) {
    const code = error instanceof ClusterError ? error.code : "";
    if (code === "already-exists") return;
    if (code !== "not-found") throw error;
    log.warn({ service: key }, "no ServiceExport is made: the cluster does not have the kind, or the namespace goes");
  }
}
