import { durationMs } from "../base/duration.ts";
import type { HashKey } from "../ir/route-features.ts";
import type { Caller } from "../model/destination-rules.ts";
import type { Model } from "../model/model.ts";
import type { Viewer } from "../model/sight.ts";
import { parseOutboundCluster } from "./names.ts";
import { clusterPolicy, type PortPolicy } from "./traffic-policy.ts";

/** Who calls, and what it sees. */
export type SeeingCaller = Caller & Viewer;

/** What the rules of these clusters hash requests by, each key once; undefined when none does. */
export function hashKeysOf(
  model: Model,
  caller: SeeingCaller,
  clusters: readonly string[],
): readonly HashKey[] | undefined {
  const keys = clusters.flatMap((cluster) => hashKeyOf(policyOf(model, caller, cluster)) ?? []);
  if (keys.length === 0) return undefined;
  return [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
}

/** The traffic policy of a cluster for a caller. */
export function policyOf(model: Model, caller: SeeingCaller, cluster: string): PortPolicy {
  const { host, port, subset } = parseOutboundCluster(cluster) ?? { host: "", port: 0, subset: "" };
  const { namespace, labels } = caller;
  const service = model.sight.visible(caller, host);
  if (service === undefined) return {};
  const rule = model.destinationRules.effective({ namespace, labels }, host, service.namespace);
  return clusterPolicy(rule, port, subset)?.policy ?? {};
}

function hashKeyOf({ loadBalancer }: PortPolicy): HashKey | undefined {
  const hash = loadBalancer?.consistentHash;
  if (hash === undefined) return undefined;
  if (hash.httpHeaderName) return { kind: "header", name: hash.httpHeaderName };
  if (hash.httpCookie !== undefined) {
    const { name, path = "", ttl, attributes = [] } = hash.httpCookie;
    const made = attributes.map((attribute) => [attribute.name, attribute.value ?? ""] as const);
    const ttlMs = ttl === undefined ? undefined : durationMs(ttl);
    return { kind: "cookie", name, path, attributes: made, ...(ttlMs === undefined ? {} : { ttlMs }) };
  }
  if (hash.useSourceIp === true) return { kind: "source-ip" };
  return hash.httpQueryParameterName ? { kind: "query", name: hash.httpQueryParameterName } : undefined;
}
