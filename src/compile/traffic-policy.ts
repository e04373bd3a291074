import { compact } from "../base/compact.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { EffectiveDestinationRule, TrafficPolicy } from "../model/destination-rules.ts";

/** What a traffic policy says for one port. */
export interface PortPolicy {
  readonly loadBalancer?: TrafficPolicy["loadBalancer"];
  readonly connectionPool?: TrafficPolicy["connectionPool"];
  readonly outlierDetection?: TrafficPolicy["outlierDetection"];
  readonly tls?: TrafficPolicy["tls"];
  /** These three cannot be said for a port: there they are default when anything else is said for it. */
  readonly tunnel?: TrafficPolicy["tunnel"];
  readonly proxyProtocol?: TrafficPolicy["proxyProtocol"];
  readonly retryBudget?: TrafficPolicy["retryBudget"];
}

/** What holds for one cluster, and which rule says so. */
export interface ClusterPolicy {
  readonly policy: PortPolicy;
  /** Labels of the subset; undefined: all endpoints. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly provenance: Provenance | undefined;
  /** The rule is for selected workloads. */
  readonly selective?: true;
}

/**
 * The policy of one port and subset: a subset replaces the rule's settings one by one, and settings for the port replace them
 * all together (what they leave out is default, not inherited). Undefined: the rule has no such subset.
 */
export function clusterPolicy(
  rule: EffectiveDestinationRule | undefined,
  port: number,
  subset: string,
): ClusterPolicy | undefined {
  const top = overlay({}, rule?.trafficPolicy, port);
  const selective = rule?.selective === true ? { selective: true as const } : {};
  if (subset === "") return { policy: top, labels: undefined, provenance: rule?.provenance, ...selective };
  const found = rule?.subsets.find((candidate) => candidate.subset.name === subset);
  if (rule === undefined || found === undefined) return undefined;
  return {
    policy: overlay(top, found.subset.trafficPolicy, port),
    labels: found.subset.labels ?? {},
    provenance: { ...found.provenance, lost: rule.provenance.lost },
    ...selective,
  };
}

function overlay(base: PortPolicy, policy: TrafficPolicy | undefined, port: number): PortPolicy {
  if (policy === undefined) return base;
  const own = policy.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (own !== undefined) return settingsOf(own);
  return { ...base, ...settingsOf(policy) };
}

function settingsOf(policy: PortPolicy): PortPolicy {
  const { loadBalancer, connectionPool, outlierDetection, tls, tunnel, proxyProtocol, retryBudget } = policy;
  const all = { loadBalancer, connectionPool, outlierDetection, tls, tunnel, proxyProtocol, retryBudget };
  return compact(all) as PortPolicy;
}
