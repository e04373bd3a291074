import { compact } from "../../base/compact.ts";
import type { OutlierDetection } from "../../ir/cluster.ts";
import { maybeSeconds } from "../duration.ts";
import type { EnvoyCluster } from "../types.ts";
import type { ClusterFeature } from "./types.ts";

/** Endpoints that fail are left out for a while. 0 errors turns a kind of counting off; success rates are never judged. */
export const outlierDetection: ClusterFeature = {
  fields: (cluster) =>
    cluster.outlierDetection === undefined ? {} : { outlier_detection: outliers(cluster.outlierDetection) },
};

function outliers(detection: OutlierDetection): NonNullable<EnvoyCluster["outlier_detection"]> {
  const five = detection.consecutive5xx;
  const gateway = detection.consecutiveGatewayErrors;
  const local = detection.consecutiveLocalFailures;
  return compact({
    consecutive_5xx: five === 0 ? undefined : five,
    enforcing_consecutive_5xx: enforced(five),
    consecutive_gateway_failure: gateway === 0 ? undefined : gateway,
    enforcing_consecutive_gateway_failure: enforced(gateway),
    split_external_local_origin_errors: detection.splitLocalErrors === true ? true : undefined,
    consecutive_local_origin_failure: local === 0 ? undefined : local,
    enforcing_consecutive_local_origin_failure: enforced(local),
    enforcing_local_origin_success_rate: detection.splitLocalErrors === true ? 0 : undefined,
    interval: maybeSeconds(detection.intervalMs),
    base_ejection_time: maybeSeconds(detection.baseEjectionTimeMs),
    max_ejection_percent: detection.maxEjectionPercent,
    enforcing_success_rate: 0,
  });
}

function enforced(errors: number | undefined): number | undefined {
  if (errors === undefined) return undefined;
  return errors === 0 ? 0 : 100;
}
