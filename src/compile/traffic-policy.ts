import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import type { ConnectionPool, LoadBalancer, OutlierDetection } from "../ir/cluster.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { EffectiveDestinationRule, TrafficPolicy } from "../model/destination-rules.ts";

/** The part of a traffic policy that a port may replace. */
export interface PortPolicy {
  readonly loadBalancer?: TrafficPolicy["loadBalancer"];
  readonly connectionPool?: TrafficPolicy["connectionPool"];
  readonly outlierDetection?: TrafficPolicy["outlierDetection"];
  readonly tls?: TrafficPolicy["tls"];
}

/** What holds for one cluster, and which rule says so. */
export interface ClusterPolicy {
  readonly policy: PortPolicy;
  /** Labels of the subset; undefined: all endpoints. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly provenance: Provenance | undefined;
}

/**
 * The policy of one port and subset: a subset replaces the rule's settings one by one, and settings for the port replace all
 * four together (what they leave out is default, not inherited). Undefined: the rule has no such subset.
 */
export function clusterPolicy(
  rule: EffectiveDestinationRule | undefined,
  port: number,
  subset: string,
): ClusterPolicy | undefined {
  const top = overlay({}, rule?.trafficPolicy, port);
  if (subset === "") return { policy: top, labels: undefined, provenance: rule?.provenance };
  const found = rule?.subsets.find((candidate) => candidate.subset.name === subset);
  if (rule === undefined || found === undefined) return undefined;
  return {
    policy: overlay(top, found.subset.trafficPolicy, port),
    labels: found.subset.labels ?? {},
    provenance: { ...found.provenance, lost: rule.provenance.lost },
  };
}

function overlay(base: PortPolicy, policy: TrafficPolicy | undefined, port: number): PortPolicy {
  if (policy === undefined) return base;
  const own = policy.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (own !== undefined) return four(own);
  return { ...base, ...four(policy) };
}

function four({ loadBalancer, connectionPool, outlierDetection, tls }: PortPolicy): PortPolicy {
  return compact({ loadBalancer, connectionPool, outlierDetection, tls }) as PortPolicy;
}

/** Pool limits; `connectTimeoutMs` is the mesh's where the rule says nothing. */
export function connectionPoolOf({ connectionPool }: PortPolicy, connectTimeoutMs: number): ConnectionPool {
  const { tcp = {}, http = {} } = connectionPool ?? {};
  return compact({
    maxConnections: tcp.maxConnections,
    connectTimeoutMs: milliseconds(tcp.connectTimeout) ?? connectTimeoutMs,
    idleTimeoutMs: milliseconds(http.idleTimeout) ?? milliseconds(tcp.idleTimeout),
    maxPendingRequests: http.http1MaxPendingRequests,
    maxRequests: http.http2MaxRequests,
    maxRetries: http.maxRetries,
    maxRequestsPerConnection: http.maxRequestsPerConnection,
  });
}

/** Outlier detection; undefined when the rule asks for none. */
export function outlierDetectionOf({ outlierDetection }: PortPolicy): OutlierDetection | undefined {
  if (outlierDetection === undefined) return undefined;
  return compact({
    consecutive5xx: outlierDetection.consecutive5xxErrors ?? undefined,
    consecutiveGatewayErrors: outlierDetection.consecutiveGatewayErrors ?? undefined,
    intervalMs: milliseconds(outlierDetection.interval),
    baseEjectionTimeMs: milliseconds(outlierDetection.baseEjectionTime),
    maxEjectionPercent: outlierDetection.maxEjectionPercent,
    minHealthPercent: outlierDetection.minHealthPercent,
  });
}

/** The load balancer; what we do not have yet (consistentHash) falls back to the default, and effects.ts says so. */
export function loadBalancerOf({ loadBalancer }: PortPolicy): LoadBalancer {
  const simple = loadBalancer?.simple;
  return simple === "ROUND_ROBIN" || simple === "RANDOM" || simple === "PASSTHROUGH" ? simple : "LEAST_REQUEST";
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationMs(text);
}
