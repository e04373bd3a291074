import { compact } from "../base/compact.ts";
import type { Endpoint, EndpointGroup, Locality } from "../ir/service.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import { NETWORK_LABEL } from "../model/network-gateways.ts";
import type { ReplicaZones } from "../model/replica-zones.ts";
import type { Distribution } from "../model/service-traits.ts";
import type { PortPolicy } from "./traffic-policy.ts";
import { zoneShares } from "./zones.ts";

/** Who calls, as far as it decides which endpoints come first. */
export interface Client {
  readonly locality: Locality;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  /** Its cluster and network, where there are several. */
  readonly cluster?: string;
  readonly network?: string;
  /** Where its replicas run, when that decides. */
  readonly replicas?: ReplicaZones;
}

export const NOWHERE: Locality = { region: "", zone: "", subzone: "" };

type Setting = NonNullable<NonNullable<PortPolicy["loadBalancer"]>["localityLbSetting"]>;
/** Zones count by how many endpoints and callers they have. */
export type ZoneSetting = NonNullable<NonNullable<PortPolicy["loadBalancer"]>["zoneAwareLbSetting"]>;

/** What a policy says about localities; undefined: they do not count. */
export interface LocalityChoice {
  readonly setting: Setting;
  /** Localities are chosen by weight, so that priorities and shares hold exactly. */
  readonly weighted: boolean;
  /** Zones of the caller's region have shares; regions come one after the other, with or without outlier detection. */
  readonly zones?: ZoneSetting;
}

const ZONE_FIRST = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];
const HOSTNAME = "kubernetes.io/hostname";

/** What a service's own wish for near endpoints means as a setting. */
const BY_DISTRIBUTION: Readonly<Record<Distribution, Setting>> = {
  zone: { failoverPriority: ZONE_FIRST },
  node: { failoverPriority: [...ZONE_FIRST, "topology.istio.io/subzone", HOSTNAME] },
};

/**
 * The rule's setting (by zones before by localities), else what the service itself wishes, else the mesh's (on by default). Failover by a rule or the mesh
 * happens only with outlier detection: else nothing would ever be unhealthy, and a lower priority never used. A service's wish
 * holds without: its far endpoints are used when the near ones are gone.
 */
export function localityChoice(
  policy: PortPolicy,
  mesh: MeshConfig,
  distribution: Distribution | undefined,
): LocalityChoice | undefined {
  const ownZones = policy.loadBalancer?.zoneAwareLbSetting;
  if (ownZones !== undefined) return zoneChoice(ownZones);
  const ruled = policy.loadBalancer?.localityLbSetting;
  if (ruled === undefined && distribution !== undefined)
    return { setting: BY_DISTRIBUTION[distribution], weighted: true };
  const zones = mesh.raw["zoneAwareLbSetting"] as ZoneSetting | undefined;
  if (ruled === undefined && zones !== undefined) return zoneChoice(zones);
  return placeChoice(ruled ?? (mesh.raw["localityLbSetting"] as Setting | undefined) ?? {}, policy);
}

function placeChoice(setting: Setting, policy: PortPolicy): LocalityChoice | undefined {
  if (setting.enabled === false) return undefined;
  if (setting.distribute !== undefined) return { setting, weighted: true };
  if (policy.outlierDetection === undefined) return undefined;
  return { setting, weighted: setting.failover !== undefined || setting.failoverPriority !== undefined };
}

function zoneChoice(zones: ZoneSetting): LocalityChoice | undefined {
  if (zones.enabled === false) return undefined;
  const { failover, failoverPriority } = zones;
  return { setting: compact({ failover, failoverPriority }), weighted: true, zones };
}

type Placed = Pick<EndpointGroup, "endpoints" | "localityWeights">;

/** The endpoints with priorities or shares, as seen by a client; as they are when localities do not count. */
export function placed(
  endpoints: readonly Endpoint[],
  choice: LocalityChoice | undefined,
  client: Client | null,
): Placed {
  if (choice === undefined || client === null) return { endpoints };
  if (choice.zones !== undefined) return byZones(endpoints, choice.zones, client);
  const { distribute, failover = [], failoverPriority = [] } = choice.setting;
  if (distribute !== undefined) return distributed(endpoints, distribute, client.locality);
  const byLabels = failoverPriority.length > 0;
  const byPlace = !byLabels || failover.length > 0;
  const ranks = endpoints.map((endpoint) => {
    const first = byLabels ? labelRank(endpoint, failoverPriority, client) : 0;
    return first * 5 + (byPlace ? placeRank(endpoint.locality, failover, client.locality) : 0);
  });
  return { endpoints: ranked(endpoints, ranks) };
}

/** With priorities by rank; Envoy wants them without gaps. */
function ranked(endpoints: readonly Endpoint[], ranks: readonly number[]): readonly Endpoint[] {
  const order = [...new Set(ranks)].toSorted((a, b) => a - b);
  return endpoints.map((endpoint, index) => {
    const priority = order.indexOf(ranks[index] ?? 0);
    return priority === 0 ? endpoint : { ...endpoint, priority };
  });
}

/** Regions in order, and shares of the zones of the first, if that is the caller's own. */
function byZones(endpoints: readonly Endpoint[], setting: ZoneSetting, client: Client): Placed {
  const { failover = [], failoverPriority = [], minClusterSize } = setting;
  const { region, zone } = client.locality;
  const ranks = endpoints.map(
    (endpoint) => labelRank(endpoint, failoverPriority, client) * 3 + regionRank(endpoint.locality, failover, region),
  );
  const made = ranked(endpoints, ranks);
  const near = made.filter(({ priority = 0, locality }) => priority === 0 && locality.region === region);
  const shares = zoneShares(near, { zone, replicas: client.replicas ?? {} }, minClusterSize ?? undefined);
  if (shares === undefined) return { endpoints: made };
  const localityWeights: Record<string, number> = {};
  for (const [name, share] of shares) {
    const inZone = near.filter(({ locality }) => locality.zone === name);
    for (const { locality } of inZone) {
      const place = localityName(locality);
      const here = inZone.filter((other) => localityName(other.locality) === place).length;
      localityWeights[place] = Math.round((share * here) / inZone.length);
    }
  }
  // a zone without a share stands behind those that have one, for when they are not well
  const isIdle = ({ locality }: Endpoint): boolean => localityWeights[localityName(locality)] === 0;
  const behind = made.map(
    (endpoint) => 2 * (endpoint.priority ?? 0) + (near.includes(endpoint) && isIdle(endpoint) ? 1 : 0),
  );
  const given = Object.fromEntries(Object.entries(localityWeights).filter(([, weight]) => weight > 0));
  return { endpoints: ranked(made, behind), localityWeights: given };
}

/** 0 the caller's own, 1 the one that takes over for it, 2 others. */
function regionRank(place: Locality, failover: NonNullable<Setting["failover"]>, own: string): number {
  if (place.region === own) return 0;
  return failover.find(({ from }) => from === own)?.to === place.region ? 1 : 2;
}

/** 0 same subzone, 1 same zone, 2 same region, 3 another region, 4 another when the rule names the one to fail over to. */
function placeRank(place: Locality, failover: NonNullable<Setting["failover"]>, own: Locality): number {
  if (place.region === own.region) {
    if (place.zone !== own.zone) return 2;
    return place.subzone === own.subzone ? 0 : 1;
  }
  const rule = failover.find(({ from }) => from === own.region);
  return rule === undefined || rule.to === place.region ? 3 : 4;
}

/** How many labels, counted from the most important, the endpoint does not share in a row with the client; 0: all shared. */
function labelRank(endpoint: Endpoint, wanted: readonly string[], client: Client): number {
  const differs = wanted.findIndex((text) => {
    const [key = "", value = labelOf(client, key)] = text.split("=");
    return value !== labelOf(endpoint, key);
  });
  return differs < 0 ? 0 : wanted.length - differs;
}

/** Whether an endpoint has all these labels; those of place it has without being given them. */
export function hasLabels(endpoint: Endpoint, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labelOf(endpoint, key) === value);
}

type Somebody = Pick<Endpoint, "locality" | "labels" | "node" | "cluster" | "network"> &
  Partial<Pick<Endpoint, "peer">>;

/** Labels that need not be given: those of place are the node's, whatever the pod says. */
const LABELS_OF_PLACE: Readonly<Record<string, (somebody: Somebody) => string | undefined>> = {
  "topology.kubernetes.io/region": ({ locality }) => locality.region,
  "topology.kubernetes.io/zone": ({ locality }) => locality.zone,
  "topology.istio.io/subzone": ({ locality }) => locality.subzone,
  "topology.istio.io/cluster": ({ cluster, peer }) => cluster ?? peer?.cluster,
  [NETWORK_LABEL]: ({ network }) => network,
  [HOSTNAME]: ({ node = "" }) => node,
};

function labelOf(somebody: Somebody, key: string): string {
  return LABELS_OF_PLACE[key]?.(somebody) ?? somebody.labels[key] ?? "";
}

/** Shares by the first entry that holds for the client; localities that it does not name get nothing. */
function distributed(
  endpoints: readonly Endpoint[],
  distribute: NonNullable<Setting["distribute"]>,
  own: Locality,
): Placed {
  const rule = distribute.find(({ from = "" }) => localityMatches(own, from));
  if (rule === undefined) return { endpoints };
  const sums = new Map<string, number>();
  for (const { locality, weight } of endpoints) {
    const name = localityName(locality);
    sums.set(name, (sums.get(name) ?? 0) + Math.max(1, weight));
  }
  const weights: Record<string, number> = {};
  for (const [pattern, percent] of Object.entries(rule.to ?? {})) {
    const fresh = [...sums].filter(([name]) => weights[name] === undefined && textMatches(name, pattern));
    const total = fresh.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of fresh) weights[name] = Math.ceil((weight * percent) / total);
  }
  const kept = endpoints.filter(({ locality }) => (weights[localityName(locality)] ?? 0) > 0);
  return { endpoints: kept, localityWeights: weights };
}

function localityName({ region, zone, subzone }: Locality): string {
  return `${region}/${zone}/${subzone}`;
}

function localityMatches(locality: Locality, pattern: string): boolean {
  return textMatches(localityName(locality), pattern);
}

/** `region/zone/subzone` against a pattern whose parts may be `*` or left out at the end. */
function textMatches(name: string, pattern: string): boolean {
  const parts = name.split("/");
  return pattern.split("/").every((wanted, index) => wanted === "*" || wanted === "" || wanted === parts[index]);
}
