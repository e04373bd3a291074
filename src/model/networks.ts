import { BlockList, isIP } from "node:net";
import { revisionSuffix } from "../base/revision.ts";
import type { Service } from "../resources/core.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import type { ModelContext } from "./context.ts";
import type { Member, Members } from "./members.ts";
import { MESH_CONFIG_MAP } from "./mesh-config.ts";
import { byText } from "./order.ts";

/** Label that says on which network something stands: on pods and WorkloadEntries, Namespaces, and gateways' Services. Istio's name. */
export const NETWORK_LABEL = "topology.istio.io/network";
/** Label of a gateway's Service: the port at which other networks come in. Istio's name. */
const GATEWAY_PORT_LABEL = "networking.istio.io/gatewayPort";
const GATEWAY_PORT = 15_443;

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
   * namespace), then meshNetworks, which goes by cluster or address; "" for none, which reaches and is reached by all.
   */
  of(
    member: Member,
    workload: { readonly namespace: string; readonly label: string; readonly address: string },
  ): string;
  /** Gateways of a network, sorted; empty where nobody says how it is entered, and it is then reached directly. */
  gateways(network: string): readonly NetworkGateway[];
}

/** What `meshNetworks` of the mesh's configuration says of one network, as far as it can be used. */
interface Written {
  readonly name: string;
  readonly registries: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly { readonly address: string; readonly service: string; readonly port: number }[];
}

export function createNetworks(
  { world, derivations, rootNamespace, domain }: ModelContext,
  members: Members,
  revision = "default",
): Networks {
  const written = derivations.keyed("mesh networks", (): readonly Written[] => {
    const map = world.get("ConfigMap", rootNamespace, `${MESH_CONFIG_MAP}${revisionSuffix(revision)}`);
    return readNetworks(map?.data?.["meshNetworks"] ?? "");
  });
  const labelled = derivations.keyed(
    "network gateways",
    (clusterId: string): readonly (NetworkGateway & { readonly network: string })[] =>
      members
        .of(clusterId)
        .world.list("Service")
        .flatMap((service) => gatewaysOf(service).map((gateway) => ({ ...gateway, clusterId }))),
  );
  const clusters = (): readonly string[] => members.all().map(({ clusterId }) => clusterId);
  const addressesOf = (hostname: string): readonly { readonly address: string; readonly clusterId: string }[] => {
    const [name = "", namespace = "", ...rest] = hostname.split(".");
    if (rest.join(".") !== `svc.${domain}`) return [];
    return members.all().flatMap((member) => {
      const service = member.world.get("Service", namespace, name);
      return service === undefined
        ? []
        : outerAddresses(service).map((address) => ({ address, clusterId: member.clusterId }));
    });
  };
  const gateways = derivations.keyed("gateways of network", (network: string): readonly NetworkGateway[] => {
    const own = clusters().flatMap((id) => labelled(id).filter((gateway) => gateway.network === network));
    const configured = (written().find(({ name }) => name === network)?.gateways ?? []).flatMap(
      ({ address, service, port }): readonly NetworkGateway[] =>
        address === "" ? addressesOf(service).map((place) => ({ ...place, port })) : [{ address, port, clusterId: "" }],
    );
    const all = [...own.map(({ address, port, clusterId }) => ({ address, port, clusterId })), ...configured];
    const once = new Map(all.map((gateway) => [`${gateway.address}|${gateway.port}`, gateway]));
    return [...once.values()].toSorted((a, b) => byText(a.address, b.address) || a.port - b.port);
  });
  const matter = derivations.keyed(
    "networks matter",
    () => clusters().some((id) => labelled(id).length > 0) || written().some((network) => network.gateways.length > 0),
  );
  const label = ({ world: of }: Member, namespace: string): string =>
    of.get("Namespace", "", namespace)?.metadata.labels?.[NETWORK_LABEL] ?? "";
  return {
    matter,
    gateways,
    of: (member, workload) =>
      workload.label ||
      label(member, workload.namespace) ||
      label(member, rootNamespace) ||
      networkByConfig(written(), member.clusterId, workload.address),
  };
}

/** The network that ranges of addresses put the workload on, else the one of its cluster. */
function networkByConfig(written: readonly Written[], clusterId: string, address: string): string {
  const family = isIP(address);
  const byRange = written.find(({ ranges }) => family !== 0 && ranges.some((range) => isWithin(address, range)));
  return (byRange ?? written.find(({ registries }) => registries.includes(clusterId)))?.name ?? "";
}

function isWithin(address: string, range: string): boolean {
  const [net = "", length = ""] = range.split("/");
  const type = isIP(net) === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(net, Number(length), type);
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function gatewaysOf(service: Service): readonly { network: string; address: string; port: number }[] {
  const { [NETWORK_LABEL]: network = "", [GATEWAY_PORT_LABEL]: given = "" } = service.metadata.labels ?? {};
  if (network === "") return [];
  const port = /^\d{1,5}$/.test(given) ? Number(given) : GATEWAY_PORT;
  return outerAddresses(service).map((address) => ({ network, address, port }));
}

/** Addresses at which a Service is reached from outside of its cluster; names are passed over, EDS has no place for them. */
function outerAddresses({ spec, status }: Service): readonly string[] {
  const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  return [...new Set([...balanced, ...(spec?.externalIPs ?? [])])].filter((address) => isIP(address) !== 0);
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
              address: typeof address === "string" && isIP(address) !== 0 ? address : "",
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
