import type { Cluster } from "../../resources/cluster.ts";
import { list, record, text } from "../proxy-config/view.ts";

/** Types of configuration that a patch of a sort can change. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  CLUSTER: ["CDS"],
  LISTENER: ["LDS"],
  FILTER_CHAIN: ["LDS"],
  NETWORK_FILTER: ["LDS"],
  HTTP_FILTER: ["LDS"],
  LISTENER_FILTER: ["LDS"],
  // those of inbound ports stand in their listeners
  ROUTE_CONFIGURATION: ["RDS", "LDS"],
  VIRTUAL_HOST: ["RDS", "LDS"],
  HTTP_ROUTE: ["RDS", "LDS"],
};

/**
 * Patches of EnvoyFilters that may have changed resources of a proxy, by type: nothing in a resource says which patches it went
 * through. Those of the pod's namespace and of the root namespace that select it. Throws ClusterError.
 */
export async function patchesFor(
  cluster: Cluster,
  proxy: { readonly name: string; readonly namespace: string },
  istioNamespace: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const kind = { apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter" };
  const namespaces = [...new Set([proxy.namespace, istioNamespace])];
  const [pod, ...filters] = await Promise.all([
    cluster.get({ apiVersion: "v1", kind: "Pod", ...proxy }),
    ...namespaces.map((namespace) => cluster.list(kind, { namespace })),
  ]);
  const labels = pod?.metadata.labels ?? {};
  const found = new Map<string, string[]>();
  for (const { metadata, spec } of filters.flat()) {
    const wanted = Object.entries(record(spec, "workloadSelector", "labels"));
    if (!wanted.every(([key, value]) => labels[key] === value)) continue;
    for (const [index, patch] of list(spec, "configPatches").entries())
      for (const type of TYPES[text(patch, "applyTo")] ?? []) {
        const name = `EnvoyFilter ${metadata.namespace ?? ""}/${metadata.name} spec.configPatches[${index}]`;
        found.set(type, [...(found.get(type) ?? []), name]);
      }
  }
  return found;
}
