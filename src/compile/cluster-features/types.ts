import type { Cluster } from "../../ir/cluster.ts";
import type { MeshService, ServicePort } from "../../ir/service.ts";
import type { Model } from "../../model/model.ts";
import type { PortPolicy } from "../traffic-policy.ts";

/** A service port where it becomes a cluster. */
export interface ClusterSource {
  readonly service: MeshService;
  readonly port: ServicePort;
  readonly subset: string;
  readonly discovery: Cluster["discovery"];
  /** What DestinationRules come to for this port and subset. */
  readonly policy: PortPolicy;
  /** They are of a rule for selected workloads. */
  readonly selective?: boolean;
}

/** Makes some fields of ir.Cluster: one file, one line in order.ts. No two make the same field. */
export interface ClusterFeature {
  of(model: Model, source: ClusterSource): Partial<Cluster>;
}
