import { setMaxListeners } from "node:events";
import { delay } from "../../../../src/base/delay.ts";
import type { Cluster } from "../../../../src/resources/cluster.ts";
import type { Service } from "../../../../src/resources/core.ts";
import type { KubeObject } from "../../../../src/resources/object.ts";

/**
 * What a cloud would do for the node, which has none: gives each Service of type LoadBalancer an address in its status. The addresses
 * are of the range of Services, so that the machine reaches them by the route that is there, and kube-proxy takes them to the
 * pods as it does for a cloud's. `loadBalancerIP` is obeyed when it is in the range.
 */
export function startLoadBalancers(cluster: Cluster, range: string): { close(): Promise<void> } {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const taken = new Map<string, string>();
  const free = (): string => {
    for (let last = 1; last < 255; last += 1)
      if (![...taken.values()].includes(`${range}.${last}`)) return `${range}.${last}`;
    throw new Error(`no address is left below ${range}`);
  };
  const serve = async ({ metadata, spec, status }: Service): Promise<void> => {
    const { namespace = "", name } = metadata;
    const key = `${namespace}/${name}`;
    if (spec?.type !== "LoadBalancer") return;
    const asked = (spec as { readonly loadBalancerIP?: string }).loadBalancerIP;
    if (asked !== undefined && !asked.startsWith(`${range}.`)) return;
    const ip = asked ?? taken.get(key) ?? free();
    taken.set(key, ip);
    if (addressOf(status) === ip) return;
    const target = { apiVersion: "v1", kind: "Service", namespace, name };
    await cluster.mergePatch(target, { status: { loadBalancer: { ingress: [{ ip }] } } }, { subresource: "status" });
  };
  const follow = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      await cluster
        .watch(
          { apiVersion: "v1", kind: "Service" },
          {},
          (event) => {
            if (event.type === "SYNCED") return;
            const { namespace = "", name } = event.object.metadata;
            if (event.type === "DELETED") taken.delete(`${namespace}/${name}`);
            // a Service that goes meanwhile needs no address
            else void serve(event.object as KubeObject as Service).catch(() => undefined);
          },
          abort.signal,
        )
        .catch(() => delay(200, abort.signal));
    }
  };
  const running = follow();
  return {
    async close() {
      abort.abort();
      await running;
    },
  };
}

function addressOf(status: unknown): string | undefined {
  const { loadBalancer } = (status ?? {}) as {
    readonly loadBalancer?: { readonly ingress?: readonly { ip?: string }[] };
  };
  return loadBalancer?.ingress?.[0]?.ip;
}
