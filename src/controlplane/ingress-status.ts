import { isIP } from "node:net";
import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Model } from "../model/model.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { Ingress, LoadBalancerAddress } from "../resources/core.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface IngressStatusDeps {
  readonly cluster: Pick<Cluster, "mergePatch">;
  readonly model: Pick<Model, "world" | "derivations" | "ingresses">;
  /** Tracked. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
}

/**
 * Consumes the Ingresses that we serve and the Service of their gateway; offers its addresses in `status.loadBalancer`, where
 * clients and DNS controllers look. Of other classes' Ingresses nothing is written.
 */
export function createIngressStatus(deps: IngressStatusDeps): Runner {
  const { model } = deps;
  const queue = createWriterQueue("ingress-status", (key) => write(deps, key), deps.log);
  let unwatch = (): void => {};
  return {
    name: "ingress-status",
    start() {
      unwatch = model.derivations.effect(() => {
        if (!deps.isLeader()) return;
        const wanted = addressesOf(model);
        for (const ingress of model.ingresses.served())
          if (!isSame(ingress, wanted)) queue.add(`${ingress.metadata.namespace ?? ""}/${ingress.metadata.name}`);
      });
      return Promise.resolve();
    },
    async close() {
      unwatch();
      await queue.close();
    },
  };
}

async function write({ cluster, model, isLeader }: IngressStatusDeps, key: string): Promise<void> {
  const [namespace = "", name = ""] = key.split("/");
  const ingress = model.ingresses
    .served()
    .find((one) => one.metadata.namespace === namespace && one.metadata.name === name);
  const wanted = addressesOf(model);
  if (ingress === undefined || !isLeader() || isSame(ingress, wanted)) return;
  const target = { apiVersion: apiVersionOf("Ingress"), kind: "Ingress", namespace, name };
  const patch = { status: { loadBalancer: { ingress: wanted } } };
  await cluster.mergePatch(target, patch, { subresource: "status" }).catch((error: unknown) => {
    // it went away in the meantime
    if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
  });
}

function addressesOf({ ingresses }: IngressStatusDeps["model"]): readonly LoadBalancerAddress[] {
  return ingresses.addresses().map((address) => (isIP(address) === 0 ? { hostname: address } : { ip: address }));
}

/** Ports and other facts that a cloud adds to an address are none of ours to compare. */
function isSame({ status }: Ingress, wanted: readonly LoadBalancerAddress[]): boolean {
  const have = status?.loadBalancer?.ingress ?? [];
  const text = ({ ip = "", hostname = "" }: LoadBalancerAddress): string => ip || hostname;
  return have.length === wanted.length && have.every((one, index) => text(one) === text(wanted[index] ?? {}));
}
