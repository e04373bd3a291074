import { BlockList, isIP } from "node:net";
import { revisionSuffix } from "../base/revision.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import type { ModelContext } from "./context.ts";
import type { Member, Members } from "./members.ts";
import { MESH_CONFIG_MAP } from "./mesh-config.ts";
import { type Entrance, entrancesOf, type NamedEntrance, NETWORK_LABEL } from "./network-gateways.ts";
import { byText } from "./order.ts";

/** Where a network is entered from others. */
export interface NetworkGateway {
  readonly address: string;
  readonly port: number;
  /** The cluster that the gateway stands in; "" when the mesh's configuration names it by address. */
  readonly clusterId: string;
}

/** Questions about networks: who reaches whom directly, and through which gateway otherwise. */
export interface Networks {
  /** Whether any network has a gateway: else networks decide nothing. Tracked. */
  matter(): boolean;
  /**
   * The network of a workload of a cluster: what its own label says, its Namespace's, the cluster's (the label of the root
   * namespace), then meshNetworks, which goes by cluster, then by address; "" for none, which reaches and is reached by all.
   */
  of(
    member: Member,
    workload: { readonly namespace: string; readonly label: string; readonly address: string },
  ): string;
  /** Names of gateways that are to be resolved, sorted. Tracked. */
  gatewayNames(): readonly string[];
  /** Gateways of a network, sorted; empty where nobody says how it is entered, and it is then reached directly. */
  gateways(network: string): readonly NetworkGateway[];
}

/** A gateway whose address may be a name. */
type Unresolved = Entrance & Pick<NetworkGateway, "clusterId">;

/** What `meshNetworks` of the mesh's configuration says of one network, as far as it can be used. */
interface Written {
  readonly name: string;
  readonly registries: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly { readonly address: string; readonly service: string; readonly port: number }[];
}

/** Where the mesh's networks are described, beside the clusters' own objects. */
export interface NetworkSources {
  /** Default: the default revision. */
  readonly revision?: string | undefined;
  /** Addresses of a name, as far as they are known; tracked. Default: a name has none. */
  readonly addressesOf?: ((name: string) => readonly string[]) | undefined;
}

export function createNetworks(
  { world, derivations, rootNamespace, domain, clusterId: own }: ModelContext,
  members: Members,
  { revision = "default", addressesOf = () => [] }: NetworkSources = {},
): Networks {
  const written = derivations.keyed("mesh networks", (): readonly Written[] => {
    const map = world.get("ConfigMap", rootNamespace, `${MESH_CONFIG_MAP}${revisionSuffix(revision)}`);
    return readNetworks(map?.data?.["meshNetworks"] ?? "");
  });
  const entrances = derivations.keyed("network gateways", (clusterId: string): readonly Entrance[] =>
    entrancesOf(members.of(clusterId).world, {
      isOwn: clusterId === own,
      named: namedEntrances(written(), clusterId, domain),
    }),
  );
  const clusters = (): readonly string[] => members.all().map(({ clusterId }) => clusterId);
  const all = derivations.keyed("all network gateways", (): readonly Unresolved[] => [
    ...clusters().flatMap((clusterId) => entrances(clusterId).map((entrance) => ({ ...entrance, clusterId }))),
    ...written().flatMap(({ name: network, gateways: listed }) =>
      listed.flatMap(({ address, port }) => (address === "" ? [] : { network, address, port, clusterId: "" })),
    ),
  ]);
  const gateways = derivations.keyed("gateways of network", (network: string): readonly NetworkGateway[] => {
    const ways = all()
      .filter((gateway) => gateway.network === network)
      .flatMap(({ address, port, clusterId }) =>
        (isIP(address) === 0 ? addressesOf(address) : [address]).map((ip) => ({ address: ip, port, clusterId })),
      );
    const once = new Map(ways.map((gateway) => [`${gateway.address}|${gateway.port}`, gateway]));
    return [...once.values()].toSorted((a, b) => byText(a.address, b.address) || a.port - b.port);
  });
  const gatewayNames = derivations.keyed("names of network gateways", (): readonly string[] => {
    const names = all().flatMap(({ address }) => (isIP(address) === 0 ? [address] : []));
    return [...new Set(names)].toSorted(byText);
  });
  const matter = derivations.keyed("networks matter", () => all().length > 0);
  const label = ({ world: of }: Member, namespace: string): string =>
    of.get("Namespace", "", namespace)?.metadata.labels?.[NETWORK_LABEL] ?? "";
  return {
    matter,
    gateways,
    gatewayNames,
    of: (member, workload) =>
      workload.label ||
      label(member, workload.namespace) ||
      label(member, rootNamespace) ||
      networkByConfig(written(), member.clusterId, workload.address),
  };
}

/** The network that is said of the whole cluster, else the one whose ranges of addresses the workload is in. */
function networkByConfig(written: readonly Written[], clusterId: string, address: string): string {
  const family = isIP(address);
  const ofCluster = written.find(({ registries }) => registries.includes(clusterId));
  const byRange = (): Written | undefined =>
    written.find(({ ranges }) => family !== 0 && ranges.some((range) => isWithin(address, range)));
  return (ofCluster ?? byRange())?.name ?? "";
}

/** Services of a cluster that the networks which take endpoints from it name as their gateways. */
function namedEntrances(written: readonly Written[], clusterId: string, domain: string): readonly NamedEntrance[] {
  return written
    .filter(({ registries }) => registries.includes(clusterId))
    .flatMap(({ name: network, gateways }) =>
      gateways.flatMap(({ service, port }) => {
        const [name = "", namespace = "", ...rest] = service.split(".");
        return rest.join(".") === `svc.${domain}` ? [{ network, namespace, name, port }] : [];
      }),
    );
}

function isWithin(address: string, range: string): boolean {
  const [net = "", length = ""] = range.split("/");
  const type = isIP(net) === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(net, Number(length), type);
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** `meshNetworks` as the mesh's configuration has it; what has another shape is passed over, validation says so. */
function readNetworks(text: string): readonly Written[] {
  const { networks } = record(parsed(text));
  return Object.entries(record(networks)).map(([name, value]) => {
    const { endpoints, gateways } = record(value);
    return {
      name,
      registries: list(endpoints).flatMap(({ fromRegistry }) => (typeof fromRegistry === "string" ? fromRegistry : [])),
      ranges: list(endpoints).flatMap(({ fromCidr }) => (isRange(fromCidr) ? fromCidr : [])),
      gateways: list(gateways).flatMap(({ address, registryServiceName, port }) =>
        typeof port === "number"
          ? {
              address: typeof address === "string" ? address : "",
              service: typeof registryServiceName === "string" ? registryServiceName : "",
              port,
            }
          : [],
      ),
    };
  });
}

function isRange(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const [net = "", length = "", rest] = value.split("/");
  const bits = isIP(net) === 6 ? 128 : 32;
  return rest === undefined && isIP(net) !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : parseYaml(text);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(record) : [];
}
