import type { Endpoint } from "../ir/service.ts";
import type { ReplicaZones } from "../model/replica-zones.ts";

/** The proxy's own default (`min_cluster_size`). */
const MIN_ENDPOINTS = 6;
/** Shares are sent as whole numbers. */
const PRECISION = 10_000;

/**
 * The shares of zones of one region for a caller, by zone, so that as much as possible stays in its own without any endpoint
 * getting more than those of other zones: when the own zone has at least the share of the endpoints that it has of the
 * callers, all of it; else as much as they are worth, and the rest goes where endpoints have room. Envoy does the same
 * (https://www.envoyproxy.io/docs/envoy/v1.36.0/intro/arch_overview/upstream/load_balancing/zone_aware) with a list of the
 * caller's replicas, which each proxy would have to be given. Undefined: zones do not count, since there are too few
 * endpoints or none in the own zone.
 */
export function zoneShares(
  endpoints: readonly Pick<Endpoint, "locality">[],
  caller: { readonly zone: string; readonly replicas: ReplicaZones },
  minimum: number = MIN_ENDPOINTS,
): ReadonlyMap<string, number> | undefined {
  const here = count(endpoints.map(({ locality }) => locality.zone));
  const callers = new Map(Object.entries(caller.replicas));
  const own = here.get(caller.zone) ?? 0;
  if (endpoints.length < minimum || own === 0 || (callers.get(caller.zone) ?? 0) === 0) return undefined;
  const share = (counts: ReadonlyMap<string, number>, zone: string): number => (counts.get(zone) ?? 0) / total(counts);
  const kept = Math.min(1, share(here, caller.zone) / share(callers, caller.zone));
  const room = new Map(
    [...here.keys()]
      .filter((zone) => zone !== caller.zone)
      .map((zone) => [zone, Math.max(0, share(here, zone) - share(callers, zone))] as const),
  );
  const all = total(room);
  const shares = [...room].map(([zone, free]) => [zone, all === 0 ? 0 : (1 - kept) * (free / all)] as const);
  return new Map([[caller.zone, kept] as const, ...shares].map(([zone, part]) => [zone, Math.round(part * PRECISION)]));
}

function count(zones: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const zone of zones) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}
