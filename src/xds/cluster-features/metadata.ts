import { compact } from "../../base/compact.ts";
import type { Cluster } from "../../ir/cluster.ts";
import { configPath } from "../config-path.ts";
import type { EnvoyCluster } from "../types.ts";
import { whyMetadata } from "../why.ts";
import type { ClusterFeature } from "./types.ts";

/** Who the cluster is, for metrics and for Istio's tools. */
export const metadata: ClusterFeature = {
  fields: (cluster) => ({ metadata: { filter_metadata: filterMetadata(cluster) } }),
};

/** `istio.svc` has flat keys, which format strings can address; `istio` is what Istio's tools read. */
function filterMetadata(cluster: Cluster): NonNullable<NonNullable<EnvoyCluster["metadata"]>["filter_metadata"]> {
  const { service, subset, meshExternal, provenance } = cluster;
  const services = service === undefined ? undefined : [{ ...service }];
  return {
    istio: compact({
      config: configPath(provenance),
      services,
      subset: subset === "" ? undefined : subset,
      external: meshExternal ? true : undefined,
    }),
    "istio.svc":
      service === undefined
        ? { host: "unknown", name: cluster.name, namespace: "unknown" }
        : { host: service.host, name: service.name, namespace: service.namespace },
    ...whyMetadata({ provenance }),
  };
}
