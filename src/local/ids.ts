import type { ResourceId } from "./api/types.ts";

function core(resource: string): ResourceId {
  return { group: "", version: "v1", resource };
}
function apps(resource: string): ResourceId {
  return { group: "apps", version: "v1", resource };
}

/** The collections that controllers and the node read and write. */
export const ids = {
  configMaps: core("configmaps"),
  endpoints: core("endpoints"),
  events: core("events"),
  namespaces: core("namespaces"),
  nodes: core("nodes"),
  pods: core("pods"),
  secrets: core("secrets"),
  serviceAccounts: core("serviceaccounts"),
  services: core("services"),
  daemonSets: apps("daemonsets"),
  deployments: apps("deployments"),
  replicaSets: apps("replicasets"),
  statefulSets: apps("statefulsets"),
  jobs: { group: "batch", version: "v1", resource: "jobs" },
  endpointSlices: { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" },
  crds: { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" },
} as const satisfies Record<string, ResourceId>;
