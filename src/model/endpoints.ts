import type { Endpoint, MeshService } from "../ir/service.ts";
import type { EndpointSlice, Pod, SliceEndpoint } from "../resources/core.ts";
import type { KindTypes } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import type { ModelContext } from "./context.ts";
import { explicitPort } from "../base/explicit-port.ts";
import { isExplicitAddress } from "./explicit-bind.ts";
import type { Member, Members } from "./members.ts";
import { NETWORK_LABEL } from "./network-gateways.ts";
import type { Networks } from "./networks.ts";
import { byText } from "./order.ts";
import type { PeerAuthentications } from "./peer-authentication.ts";
import { parseLocality, type PodFacts, TLS_MODE_LABEL } from "./pods.ts";
import { namedSelector, selects } from "./selectors.ts";
import { takesTraffic } from "./workload-entries.ts";
import { peerOf } from "./workload.ts";

type EntrySpec = NonNullable<KindTypes["WorkloadEntry"]["spec"]>;

/** Questions about who stands behind a service. */
export interface Endpoints {
  /** Ready endpoints of a service port, sorted by address and port; empty when the service has no such port. */
  of(service: MeshService, port: number): readonly Endpoint[];
  /** Service accounts of all endpoints of the service as `namespace/account`, sorted. */
  accounts(service: MeshService): readonly string[];
}

const NO_LOCALITY: Endpoint["locality"] = { region: "", zone: "", subzone: "" };

export function createEndpoints(
  context: ModelContext,
  services: {
    kubernetes(namespace: string, name: string): MeshService | undefined;
    ofEntry(namespace: string, name: string): readonly MeshService[];
  },
  mesh: Surroundings,
): Endpoints {
  const { world, derivations } = context;
  const { members } = mesh;
  const placing = createPlacings(context, mesh);
  const kubernetes = derivations.keyed(
    "endpoints",
    (namespace: string, name: string, port: number): readonly Endpoint[] => {
      const service = services.kubernetes(namespace, name);
      const portName = service?.ports.find(({ number }) => number === port)?.name;
      if (portName === undefined) return [];
      const keepsSessions = service?.session !== undefined;
      const inCluster = (member: Member): readonly Endpoint[] => {
        const slices = placing(member).slices({ namespace, name }, portName, keepsSessions);
        return [...slices, ...placing(member).outside(namespace, name, port)];
      };
      return sortedOnce(members.all().flatMap(inCluster));
    },
  );
  const entry = derivations.keyed(
    "endpoints of entry",
    (namespace: string, name: string, host: string, port: number): readonly Endpoint[] => {
      const service = services.ofEntry(namespace, name).find(({ hostname }) => hostname === host);
      const object = world.get("ServiceEntry", namespace, name);
      if (service === undefined || object === undefined) return [];
      const [own, ...others] = members.all();
      const selected = service.selector === undefined ? [] : others;
      return sortedOnce([own, ...selected].flatMap((member) => placing(member).entry(object, service, port)));
    },
  );
  const of = ({ from, namespace, hostname }: MeshService, port: number): readonly Endpoint[] =>
    from.kind === "Service" ? kubernetes(namespace, from.name, port) : entry(namespace, from.name, hostname, port);
  const accounts = derivations.keyed(
    "accounts",
    (kind: string, namespace: string, name: string, host: string): readonly string[] => {
      const service =
        kind === "Service"
          ? services.kubernetes(namespace, name)
          : services.ofEntry(namespace, name).find(({ hostname }) => hostname === host);
      if (service === undefined) return [];
      const endpoints = service.ports.flatMap(({ number }) => of(service, number));
      const names = endpoints.flatMap(({ serviceAccount, peer }) =>
        serviceAccount === "" ? [] : [`${peer.ns}/${serviceAccount}`],
      );
      return [...new Set(names)].toSorted(byText);
    },
  );
  return { of, accounts: ({ from, namespace, hostname }) => accounts(from.kind, namespace, from.name, hostname) };
}

interface Placing {
  /** Of a Service's slices those endpoints that it takes; with `keepsSessions` also those that are going away and still serve. */
  slices(
    service: { readonly namespace: string; readonly name: string },
    portName: string,
    keepsSessions: boolean,
  ): readonly Endpoint[];
  entry(object: KindTypes["ServiceEntry"], service: MeshService, port: number): readonly Endpoint[];
  /** Workloads outside the cluster that a Service selects by their WorkloadEntries. */
  outside(namespace: string, service: string, port: number): readonly Endpoint[];
}

/** Which endpoints of a slice a service takes besides those that are ready. */
interface Wanted {
  readonly notReadyToo: boolean;
  /** Those that are going away and still serve. */
  readonly keepsSessions: boolean;
}

/** What decides about endpoints beside their objects. */
interface Surroundings {
  readonly members: Members;
  readonly networks: Networks;
  readonly peerAuthentications: PeerAuthentications;
}

/** How addresses of each cluster become endpoints. */
function createPlacings(context: ModelContext, mesh: Surroundings): (member: Member) => Placing {
  const made = new WeakMap<Member, Placing>();
  return (member) => {
    const placing = made.get(member) ?? createPlacing(context, member, mesh);
    made.set(member, placing);
    return placing;
  };
}

function createPlacing(context: ModelContext, member: Member, mesh: Surroundings): Placing {
  const { world, clusterId, pods } = member;
  const { peerAuthentications } = mesh;
  const where = createWhereabouts(context, member, mesh.networks);
  const ofPod = (pod: PodFacts, address: string, port: number): Endpoint => ({
    address,
    port: isExplicitAddress(address) ? explicitPort(port) : port,
    labels: pod.labels,
    peer: pod.peer,
    serviceAccount: pod.serviceAccount,
    tlsMode: pod.hasProxy && peerAuthentications.effective(pod, port).mode !== "DISABLE" ? "istio" : "disabled",
    weight: 1,
    locality: pod.locality,
    ...(pod.node === "" ? {} : { node: pod.node }),
    ...where(pod, address),
  });
  const podOf = ({ targetRef, addresses }: SliceEndpoint, namespace: string): PodFacts | undefined => {
    const owner =
      targetRef?.kind === "Pod" && targetRef.name !== undefined
        ? { namespace: targetRef.namespace ?? namespace, name: targetRef.name }
        : pods.byIp(addresses[0] ?? "");
    return owner === undefined ? undefined : pods.facts(owner.namespace, owner.name);
  };
  const ofSlice = (slice: EndpointSlice, portName: string, wanted: Wanted): readonly Endpoint[] => {
    const port = slice.ports?.find(({ name }) => (name ?? "") === portName)?.port;
    if (port === undefined || slice.addressType === "FQDN") return [];
    const namespace = slice.metadata.namespace ?? "";
    return (slice.endpoints ?? []).flatMap((endpoint) => {
      const pod = podOf(endpoint, namespace) ?? unknownPod(namespace, endpoint);
      const use = useOf(endpoint, wanted, pod);
      if (use === "none") return [];
      const draining = use === "drain" ? ({ draining: true } as const) : {};
      return endpoint.addresses.map((address) => ({ ...ofPod(pod, address, port), ...draining }));
    });
  };
  const selected = (service: MeshService, port: number): readonly Endpoint[] =>
    readyPods(member, service).flatMap(({ facts, ip }) => ofPod(facts, ip, port));
  return {
    slices({ namespace, name }, portName, keepsSessions) {
      const notReadyToo = world.get("Service", namespace, name)?.spec?.publishNotReadyAddresses === true;
      const slices = world.by("endpointSlicesOfService", `${namespace}/${name}`);
      return slices.flatMap((slice) => ofSlice(slice, portName, { notReadyToo, keepsSessions }));
    },
    entry: (object, service, number) => {
      const declared = object.spec?.ports?.find((port) => port.number === number);
      if (declared === undefined) return [];
      const target = declared.targetPort ?? number;
      const listed = entriesOf(world, object, service).flatMap((entry) => {
        const place = {
          port: entry.ports?.[declared.name] ?? target,
          namespace: service.meshExternal ? "" : service.namespace,
        };
        return placedEntry(entry, { ...place, clusterId }, where);
      });
      return service.selector === undefined ? listed : [...selected(service, target), ...listed];
    },
    outside: (namespace, name, number) => outsideEndpoints({ world, clusterId, where }, namespace, name, number),
  };
}

/** Ready pods that a service selects by itself, apart from those that are kept out of traffic. */
function readyPods(
  { world, pods }: Member,
  { namespace, selector = {} }: MeshService,
): readonly { readonly facts: PodFacts; readonly ip: string }[] {
  return world
    .list("Pod", namespace)
    .filter((pod) => selects(selector, pod.metadata.labels ?? {}) && isReady(pod))
    .flatMap(({ metadata, status }) => {
      const facts = pods.facts(namespace, metadata.name);
      return facts === undefined || facts.withheld !== undefined ? [] : [{ facts, ip: status?.podIP ?? "" }];
    });
}

type Whereabouts = (
  of: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  address: string,
) => Pick<Endpoint, "cluster" | "network">;

/** Says of an endpoint of a cluster what would be without it: our own cluster, and no network. */
function createWhereabouts(context: ModelContext, member: Member, networks: Networks): Whereabouts {
  const cluster = member.clusterId === context.clusterId ? {} : { cluster: member.clusterId };
  return ({ namespace, labels }, address) => {
    if (!networks.matter()) return cluster;
    const network = networks.of(member, { namespace, label: labels[NETWORK_LABEL] ?? "", address });
    return network === "" ? cluster : { ...cluster, network };
  };
}

/** As ofWorkloadEntry, with where it stands. One that is no part of the mesh stands on no network. */
function placedEntry(
  entry: EntrySpec,
  at: { readonly port: number; readonly namespace: string; readonly clusterId: string },
  where: Whereabouts,
): readonly Endpoint[] {
  const endpoint = ofWorkloadEntry(entry, at);
  if (endpoint === undefined) return [];
  if (at.namespace === "") return [endpoint];
  return [{ ...endpoint, ...where({ namespace: at.namespace, labels: endpoint.labels }, endpoint.address) }];
}

/** Workloads outside the cluster, by the WorkloadEntries that a Service selects. */
function outsideEndpoints(
  { world, clusterId, where }: Pick<Member, "world" | "clusterId"> & { readonly where: Whereabouts },
  namespace: string,
  name: string,
  number: number,
): readonly Endpoint[] {
  const { selector, ports = [] } = world.get("Service", namespace, name)?.spec ?? {};
  const named = namedSelector(selector);
  const declared = ports.find(({ port }) => port === number);
  if (named === undefined || declared === undefined) return [];
  const { targetPort = number } = declared;
  return selectedEntries(world, namespace, named).flatMap((entry) => {
    // A port's own name says more than the name of its target.
    const target = typeof targetPort === "number" ? targetPort : entry.ports?.[targetPort];
    const port = entry.ports?.[declared.name ?? ""] ?? target;
    return port === undefined ? [] : placedEntry(entry, { port, namespace, clusterId }, where);
  });
}

/** Addresses of a ServiceEntry: written into it, or selected, or by DNS its own host. */
function entriesOf(world: World, { spec }: KindTypes["ServiceEntry"], service: MeshService): readonly EntrySpec[] {
  const { selector, resolution, hostname } = service;
  if (selector !== undefined) {
    return selectedEntries(world, service.namespace, selector);
  }
  const { endpoints = [] } = spec ?? {};
  const isDns = resolution === "dns" || resolution === "dns-round-robin";
  return endpoints.length === 0 && isDns ? [{ address: hostname }] : endpoints;
}

/** WorkloadEntries that take traffic and have the labels. */
function selectedEntries(
  world: World,
  namespace: string,
  selector: Readonly<Record<string, string>>,
): readonly EntrySpec[] {
  return world
    .list("WorkloadEntry", namespace)
    .flatMap((entry) =>
      entry.spec !== undefined && selects(selector, entry.spec.labels ?? {}) && takesTraffic(entry) ? entry.spec : [],
    );
}

/** A WorkloadEntry, or an endpoint written into a ServiceEntry; undefined without an address that a network reaches. */
function ofWorkloadEntry(
  entry: EntrySpec,
  { port, namespace, clusterId }: { readonly port: number; readonly namespace: string; readonly clusterId: string },
): Endpoint | undefined {
  const { address, weight = 1, network = "" } = entry;
  const labels: Readonly<Record<string, string>> = {
    ...(network === "" ? {} : { [NETWORK_LABEL]: network }),
    ...entry.labels,
  };
  if (address === undefined) return undefined;
  const app = labels["app"];
  const cluster = namespace === "" ? "" : clusterId;
  return {
    address,
    // a socket has none
    port: address.startsWith("unix:") ? 0 : port,
    labels,
    peer: peerOf({ ns: namespace, app, version: labels["version"], canonical: app, cluster }),
    serviceAccount: entry.serviceAccount ?? "",
    // Who has an identity of the mesh has a proxy, unless the label says otherwise.
    tlsMode: (labels[TLS_MODE_LABEL] ?? (entry.serviceAccount ? "istio" : "")) === "istio" ? "istio" : "disabled",
    weight: Math.max(1, weight),
    locality: parseLocality(entry.locality) ?? NO_LOCALITY,
  };
}

/** An absent `ready` means ready; one that terminates is never ready, but may still serve. */
function useOf(
  { conditions = {} }: SliceEndpoint,
  { notReadyToo, keepsSessions }: Wanted,
  { withheld }: Pick<PodFacts, "withheld">,
): "full" | "drain" | "none" {
  if (withheld === "eject") return "none";
  if (withheld === "drain") return keepsSessions ? "drain" : "none";
  if (notReadyToo || conditions.ready !== false) return "full";
  return keepsSessions && conditions.serving === true && conditions.terminating === true ? "drain" : "none";
}

function unknownPod(namespace: string, { zone = "", nodeName: node = "" }: SliceEndpoint): PodFacts {
  return {
    name: "",
    namespace,
    labels: {},
    serviceAccount: "",
    peer: peerOf({}),
    locality: { ...NO_LOCALITY, zone },
    node,
    hasProxy: false,
  };
}

function isReady({ status, metadata }: Pod): boolean {
  if (status?.podIP === undefined || metadata.deletionTimestamp !== undefined) return false;
  return status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
}

/**
 * Two slices may list one address while Kubernetes moves it between them. Of clusters that share a network our own is believed;
 * on networks of their own they may have the same addresses.
 */
function sortedOnce(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const key = ({ network = "", address, port }: Endpoint): string => `${network}|${address}:${port}`;
  const once = new Map(endpoints.toReversed().map((endpoint) => [key(endpoint), endpoint]));
  return [...once.values()].toSorted(
    (a, b) => byText(a.address, b.address) || a.port - b.port || byText(a.network ?? "", b.network ?? ""),
  );
}
