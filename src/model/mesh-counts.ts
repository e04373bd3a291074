import type { MeshService } from "../ir/service.ts";
import type { SliceEndpoint } from "../resources/core.ts";
import type { Model } from "./model.ts";
import { providerService, telemetryProvider } from "./extension-providers.ts";
import { resolveHost } from "./host.ts";
import { isHttp } from "./protocol.ts";
import { providerUses } from "./telemetry-providers.ts";
import { exportsOverlap, type Sight } from "./visibility.ts";
import type { ServedPort } from "./workloads.ts";

/** How much of the mesh's configuration is in vain or in each other's way. What the names of Istio's gauges count. */
export interface MeshCounts {
  /** Ports of services that have no ready endpoint. */
  readonly withoutInstances: number;
  /** Ports of services found by DNS that name nothing to ask DNS for. */
  readonly dnsWithoutEndpoints: number;
  /** Ports of hosts that more than one service has, for whoever sees them: one of them is used. */
  readonly duplicateClusters: number;
  /** Hosts of VirtualServices for sidecars that an older VirtualService rules. */
  readonly duplicateDomains: number;
  /** Subsets that more than one DestinationRule of a host defines. */
  readonly duplicateSubsets: number;
  /** TCP ports whose address another TCP service has. */
  readonly tcpConflicts: number;
  /** Ready endpoints of Services with a selector that belong to no pod we know. */
  readonly endpointsWithoutPod: number;
  /** Providers that Telemetries name and whose service nobody knows, by the provider's kind. */
  readonly lostProviders: Readonly<Record<string, number>>;
}

/** Counted anew at each call, from answers of the model that proxies need anyway. */
export function meshCounts(model: Model): MeshCounts {
  const services = model.services.all();
  return {
    withoutInstances: portsWithout(model, services, ({ resolution }) => resolution === "eds"),
    dnsWithoutEndpoints: portsWithout(model, services, ({ resolution }) => resolution.startsWith("dns")),
    duplicateClusters: duplicates(model, services),
    duplicateDomains: duplicateDomains(model),
    duplicateSubsets: duplicateSubsets(model),
    tcpConflicts: tcpConflicts(model, services),
    endpointsWithoutPod: endpointsWithoutPod(model),
    lostProviders: lostProviders(model),
  };
}

function portsWithout(
  { endpoints }: Model,
  services: readonly MeshService[],
  isMeant: (service: MeshService) => boolean,
): number {
  const empty = new Set<string>();
  for (const service of services) {
    if (!isMeant(service)) continue;
    // nothing can be found by DNS under a pattern
    for (const { number, protocol } of service.ports)
      if (protocol !== "udp" && endpoints.of(service, number).every(({ address }) => address.startsWith("*")))
        empty.add(`${service.hostname}:${number}`);
  }
  return empty.size;
}

function sightOf({ exportTo, namespace }: MeshService): Sight {
  return { exportTo, owner: namespace };
}

/** How many of a group come after one that somebody sees together with them. */
function later(model: Model, group: readonly MeshService[]): number {
  const fallback = model.meshConfig().defaultServiceExportTo;
  return group.filter((one, index) =>
    group.slice(0, index).some((other) => exportsOverlap(sightOf(one), sightOf(other), fallback)),
  ).length;
}

function duplicates(model: Model, services: readonly MeshService[]): number {
  const groups = grouped(services, (service) => service.ports.map(({ number }) => `${service.hostname}:${number}`));
  return sum(groups, (group) => later(model, group));
}

/** Where connections are told apart by nothing but address and port. */
function tcpConflicts(model: Model, services: readonly MeshService[]): number {
  const groups = grouped(services, (service) =>
    service.ports
      .filter(({ protocol }) => protocol === "tcp")
      .flatMap(({ number }) => placesOf(service).map((address) => `${address}:${number}`)),
  );
  return sum(groups, (group) => later(model, distinctHosts(group)));
}

/** What has no address of its own listens on all; headless Services on those of their pods. */
function placesOf({ addresses, from, resolution }: MeshService): readonly string[] {
  if (addresses.length > 0) return addresses;
  return from.kind === "Service" && resolution === "passthrough" ? [] : ["0.0.0.0"];
}

function distinctHosts(group: readonly MeshService[]): readonly MeshService[] {
  return [...new Map(group.map((service) => [service.hostname, service])).values()];
}

function duplicateDomains({ world, virtualServices, domain }: Model): number {
  const ruled = new Set<string>();
  for (const object of world.by("virtualServicesOfGateway", "mesh")) {
    const { namespace = "" } = object.metadata;
    for (const written of object.spec?.hosts ?? []) {
      const host = resolveHost(written, namespace, domain);
      const winner = virtualServices.forHost(namespace, host);
      if (winner !== undefined && winner.object !== object && winner.host === host) ruled.add(host);
    }
  }
  return ruled.size;
}

function duplicateSubsets({ world, domain }: Model): number {
  const names = new Map<string, number>();
  for (const { spec, metadata } of world.list("DestinationRule")) {
    const { namespace = "" } = metadata;
    const host = resolveHost(spec?.host ?? "", namespace, domain);
    // rules that select callers hold beside each other
    const who = JSON.stringify(spec?.workloadSelector?.matchLabels ?? {});
    for (const { name } of spec?.subsets ?? []) {
      const key = JSON.stringify([namespace, host, who, name]);
      names.set(key, (names.get(key) ?? 0) + 1);
    }
  }
  return [...names.values()].reduce((total, count) => total + count - 1, 0);
}

function endpointsWithoutPod(model: Model): number {
  const { world } = model;
  const ofPods = world.list("EndpointSlice").filter(({ metadata }) => {
    const service = metadata.labels?.["kubernetes.io/service-name"] ?? "";
    return world.get("Service", metadata.namespace ?? "", service)?.spec?.selector !== undefined;
  });
  return sum(
    ofPods,
    ({ metadata, endpoints = [] }) =>
      endpoints.filter(
        (endpoint) => endpoint.conditions?.ready !== false && !hasPod(model, metadata.namespace ?? "", endpoint),
      ).length,
  );
}

/** Whether an endpoint of a namespace belongs to a pod that is known. */
function hasPod({ pods }: Model, namespace: string, endpoint: SliceEndpoint): boolean {
  const pod = podNamed(namespace, endpoint) ?? pods.byIp(endpoint.addresses[0] ?? "");
  return pod !== undefined && pods.facts(pod.namespace, pod.name) !== undefined;
}

/** The pod that an endpoint names. */
function podNamed(namespace: string, { targetRef }: SliceEndpoint): PodName | undefined {
  if (targetRef?.kind !== "Pod" || targetRef.name === undefined) return undefined;
  return { namespace: targetRef.namespace ?? namespace, name: targetRef.name };
}

interface PodName {
  readonly namespace: string;
  readonly name: string;
}

function lostProviders(model: Model): Readonly<Record<string, number>> {
  const lost = new Map<string, Set<string>>();
  const config = model.meshConfig();
  for (const { spec } of model.world.list("Telemetry"))
    for (const { name } of providerUses(spec)) {
      const provider = telemetryProvider(config, name);
      const service = provider && providerService(provider.settings);
      if (provider === undefined || service === undefined) continue;
      const isThere = model.services
        .all()
        .some(
          ({ hostname, namespace }) =>
            hostname === service.host && (service.namespace === undefined || namespace === service.namespace),
        );
      if (!isThere) lost.set(provider.kind, (lost.get(provider.kind) ?? new Set()).add(provider.name));
    }
  return Object.fromEntries([...lost].map(([kind, names]) => [kind, names.size]));
}

/** What may be said of a connected proxy of a pod. */
export interface ProxyCounts {
  /** Sidecars that no Service leads to. */
  readonly withoutService: number;
  /** Sidecars of pods that some Service leads to and finds not ready. */
  readonly notReady: number;
  /** Ports of pods that two Services take by different protocols. */
  readonly inboundConflicts: number;
}

/** `pods`: those whose sidecars are connected. */
export function proxyCounts(model: Model, pods: readonly PodName[]): ProxyCounts {
  const unready = unreadyPods(model);
  const served = pods.map(({ namespace, name }) => model.workloads.servedPorts(namespace, name));
  return {
    withoutService: served.filter(({ length }) => length === 0).length,
    notReady: pods.filter(({ namespace, name }) => unready.has(`${namespace}/${name}`)).length,
    inboundConflicts: sum(served, conflictsAt),
  };
}

/** Pods by `namespace/name` that some Service leads to and finds not ready. */
function unreadyPods({ world }: Model): ReadonlySet<string> {
  const unready = new Set<string>();
  for (const { metadata, endpoints = [] } of world.list("EndpointSlice"))
    for (const endpoint of endpoints) {
      const pod = endpoint.conditions?.ready === false ? podNamed(metadata.namespace ?? "", endpoint) : undefined;
      if (pod !== undefined) unready.add(`${pod.namespace}/${pod.name}`);
    }
  return unready;
}

/** Ports that a Service takes by another protocol than the first one does. */
function conflictsAt(served: readonly ServedPort[]): number {
  const byTarget = grouped(served, ({ target }) => (target === undefined ? [] : [String(target)]));
  return sum(byTarget, (ports) => {
    const [first] = ports;
    return ports.filter(({ host, protocol }) => host !== first?.host && !isAlike(protocol, first?.protocol)).length;
  });
}

function isAlike(a: MeshService["ports"][number]["protocol"], b: typeof a | undefined): boolean {
  return a === b || (b !== undefined && isHttp(a) && isHttp(b));
}

function grouped<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items)
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
  return [...groups.values()].filter(({ length }) => length > 1);
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
