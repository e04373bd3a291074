import { isIP } from "node:net";
import type { Service } from "../resources/core.ts";
import type { World } from "../resources/world.ts";
import type { ApiGateway } from "./gateway-api-types.ts";
import { selects } from "./selectors.ts";

/** Label that says on which network something stands: on pods and WorkloadEntries, Namespaces, and gateways' Services. Istio's name. */
export const NETWORK_LABEL = "topology.istio.io/network";
/** Label of a gateway's Service: the port at which other networks come in. Istio's name. */
const GATEWAY_PORT_LABEL = "networking.istio.io/gatewayPort";
const GATEWAY_PORT = 15_443;
/** Annotation of a Service of type NodePort: labels of the nodes at which it is a gateway, as JSON. Istio's name. */
const NODE_SELECTOR = "traffic.istio.io/nodeSelector";
/** Option of a listener's TLS that makes it an entrance for other networks. Istio's name. */
const LISTENER_MODE = "gateway.istio.io/listener-mode";
/** Class of Gateways that stand for what another control plane serves; read from our own cluster alone. */
const REMOTE_CLASS = "istio-remote";

/** A way into a network, as the objects of a cluster say it. */
export interface Entrance {
  readonly network: string;
  /** An IP address or a name. */
  readonly address: string;
  readonly port: number;
}

/** Of meshNetworks: that a Service, by name and namespace, is the way into a network. */
export interface NamedEntrance {
  readonly network: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/**
 * The ways into networks that a cluster has: Services with the label of a network, Services that meshNetworks names, and
 * Gateways of Gateway API with that label. The label counts more than meshNetworks (as in Istio).
 */
export function entrancesOf(
  world: World,
  { isOwn, named }: { readonly isOwn: boolean; readonly named: readonly NamedEntrance[] },
): readonly Entrance[] {
  const labelled = world.list("Service").flatMap((service) => {
    const network = service.metadata.labels?.[NETWORK_LABEL] ?? "";
    return network === "" ? [] : placed(world, service, [{ network, port: labelledPort(service) }]);
  });
  const byName = named.flatMap(({ namespace, name, ...way }) => {
    const service = world.get("Service", namespace, name);
    const hasLabel = (service?.metadata.labels?.[NETWORK_LABEL] ?? "") !== "";
    return service === undefined || hasLabel ? [] : placed(world, service, [way]);
  });
  const resources = world
    .list("KubernetesGateway")
    .filter(({ spec }) => isOwn || spec?.gatewayClassName !== REMOTE_CLASS)
    .flatMap(entrancesOfGateway);
  return [...labelled, ...byName, ...resources];
}

/** The port at which a labelled Service takes other networks in; undefined when it does not listen there. */
function labelledPort({ metadata, spec }: Service): number | undefined {
  const given = metadata.labels?.[GATEWAY_PORT_LABEL] ?? "";
  const port = /^\d{1,5}$/.test(given) ? Number(given) : GATEWAY_PORT;
  return spec?.ports?.some((each) => each.port === port) === true ? port : undefined;
}

/** A Service's ways in: each at all its outer addresses; of type NodePort at the nodes' own ports. */
function placed(
  world: World,
  service: Service,
  ways: readonly { readonly network: string; readonly port: number | undefined }[],
): readonly Entrance[] {
  const { spec } = service;
  const selector = nodeSelector(service);
  const nodePort = (port: number): number =>
    (selector === undefined ? undefined : spec?.ports?.find((each) => each.port === port)?.nodePort) ?? port;
  const addresses = outerAddresses(world, service, selector);
  return ways.flatMap(({ network, port }) =>
    port === undefined ? [] : addresses.map((address) => ({ network, address, port: nodePort(port) })),
  );
}

type Texts = Readonly<Record<string, string>>;

/** Labels of the nodes at which a Service of type NodePort is reached; undefined for others. What is no JSON means all nodes. */
function nodeSelector({ spec, metadata }: Service): Texts | undefined {
  const text = metadata.annotations?.[NODE_SELECTOR];
  if (spec?.type !== "NodePort" || text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Texts) : {};
  } catch {
    return {};
  }
}

/** Where a Service is reached from outside of its cluster: its own external addresses before those of nodes. */
function outerAddresses(world: World, { spec, status }: Service, selector: Texts | undefined): readonly string[] {
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "", hostname = "" }) => ip || hostname || []);
  const external = [...new Set([...balanced, ...(spec?.externalIPs ?? [])])];
  if (external.length > 0 || selector === undefined) return external;
  return world.list("Node").flatMap((node) => {
    const { addresses = [] } = (node.status ?? {}) as {
      readonly addresses?: readonly { readonly type?: string; readonly address?: string }[];
    };
    const address = addresses.find(({ type }) => type === "ExternalIP")?.address;
    return address === undefined || !selects(selector, node.metadata.labels ?? {}) ? [] : [address];
  });
}

function entrancesOfGateway({ metadata, spec }: ApiGateway): readonly Entrance[] {
  const network = metadata.labels?.[NETWORK_LABEL] ?? "";
  if (network === "") return [];
  const addresses = (spec?.addresses ?? []).flatMap(({ type, value = "" }) =>
    (type === "IPAddress" && isIP(value) !== 0) || (type === "Hostname" && value !== "") ? [value] : [],
  );
  return (spec?.listeners ?? [])
    .filter((listener) => isEntrance(metadata.labels, listener))
    .flatMap(({ port }) => addresses.map((address) => ({ network, address, port })));
}

/** What of a Gateway API listener says whether other networks come in by it. */
interface ListenerFacts {
  readonly port: number;
  readonly tls?: { readonly options?: Readonly<Record<string, unknown>> };
}

/**
 * Whether other networks come in by a listener: its TLS says so, or the Gateway has the label of a network and it is the port
 * for that. Such a listener passes mutual TLS of the mesh on to the service that the server name says.
 */
export function isEntrance(labels: Texts | undefined, { port, tls }: ListenerFacts): boolean {
  if (tls === undefined) return false;
  if (tls.options?.[LISTENER_MODE] === "auto-passthrough") return true;
  if (labels?.[NETWORK_LABEL] === undefined) return false;
  return String(port) === (labels[GATEWAY_PORT_LABEL] ?? String(GATEWAY_PORT));
}
