import type { MeshService, ServicePort } from "../ir/service.ts";
import type { Service } from "../resources/core.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { refOf } from "../resources/object.ts";
import type { World } from "../resources/world.ts";
import { hostKeys } from "../resources/world-store.ts";
import type { ModelContext } from "./context.ts";
import { EXPORT_TO_ANNOTATION, exportList } from "./export-to.ts";
import { parseServiceHost, resolveHost, serviceHost } from "./host.ts";
import type { ClusterSet } from "./cluster-set.ts";
import type { Members } from "./members.ts";
import { byAge, byText } from "./order.ts";
import { selectProtocol } from "./protocol.ts";
import { type Distribution, distributionOf, sessionOf } from "./service-traits.ts";
import { namedSelector } from "./selectors.ts";
import { visibleTo } from "./visibility.ts";

type ServiceEntry = KindTypes["ServiceEntry"];

/** Questions about services, whether Kubernetes or a ServiceEntry made them. */
export interface Services {
  /** What proxies of `namespace` mean by a full host: a Service first, then an entry of their own namespace, then the oldest. */
  visible(namespace: string, host: string): MeshService | undefined;
  /** Every host that proxies of `namespace` see, one service each, sorted by host. */
  allVisible(namespace: string): readonly MeshService[];
  /** Every service of the World, seen by whomever. */
  all(): readonly MeshService[];
  /** One Service by name, seen by whomever; undefined also for ExternalName, which has no traffic of its own. */
  kubernetes(namespace: string, name: string): MeshService | undefined;
  /** The same under another of its hosts: its own, or the one in all clusters (MCS). */
  ofHost(service: { readonly namespace: string; readonly name: string }, host: string): MeshService | undefined;
  /** The services of one ServiceEntry, one for each host. */
  ofEntry(namespace: string, name: string): readonly MeshService[];
  /** Which endpoints a service prefers; undefined: none. */
  distribution(service: MeshService): Distribution | undefined;
  /** Whether it matters to some service where its caller is. */
  asksPlace(): { readonly locality: boolean; readonly node: boolean };
}

export function createServices(
  { world, derivations, domain, meshConfig }: ModelContext,
  members: Members,
  clusterSet: ClusterSet,
): Services {
  const kubernetes = derivations.keyed("service", (namespace: string, name: string) =>
    merged(members, domain, { namespace, name }),
  );
  const imported = derivations.keyed("imported service", (namespace: string, name: string) => {
    const service = kubernetes(namespace, name);
    return service === undefined ? undefined : clusterSet.imported(service);
  });
  const ofHost = ({ namespace, name }: { namespace: string; name: string }, host: string): MeshService | undefined =>
    clusterSet.named(host) === undefined ? kubernetes(namespace, name) : imported(namespace, name);
  const ofEntry = derivations.keyed("service entry", (namespace: string, name: string) => {
    const object = world.get("ServiceEntry", namespace, name);
    return object === undefined ? [] : ofServiceEntry(object, domain);
  });
  const seen = (service: MeshService, namespace: string): boolean =>
    visibleTo(service.exportTo, service.namespace, namespace, meshConfig().defaultServiceExportTo);
  const fromEntries = derivations.keyed("visible entry", (namespace: string, host: string): MeshService | undefined => {
    const own = ({ metadata }: ServiceEntry): number => Number(metadata.namespace === namespace);
    return hostKeys(host)
      .flatMap((key) => world.by("serviceEntriesOfHost", key))
      .toSorted((a, b) => own(b) - own(a) || byAge(a, b))
      .flatMap(({ metadata }) => ofEntry(metadata.namespace ?? "", metadata.name))
      .find((candidate) => candidate.hostname === host && seen(candidate, namespace));
  });
  const visible = (namespace: string, host: string): MeshService | undefined => {
    const parsed = parseServiceHost(host, domain);
    const shared = parsed === undefined ? clusterSet.named(host) : undefined;
    const service =
      shared === undefined
        ? parsed && kubernetes(parsed.namespace, parsed.name)
        : imported(shared.namespace, shared.name);
    return service !== undefined && seen(service, namespace) ? service : fromEntries(namespace, host);
  };
  const everything = derivations.keyed("services", (): readonly MeshService[] => [
    ...allServices(members).flatMap(({ metadata: { namespace = "", name } }) => [
      ...listed(kubernetes(namespace, name)),
      ...listed(imported(namespace, name)),
    ]),
    ...world.list("ServiceEntry").flatMap(({ metadata }) => ofEntry(metadata.namespace ?? "", metadata.name)),
  ]);
  const allVisible = derivations.keyed("visible services", (namespace: string): readonly MeshService[] => {
    const byHost = new Map<string, MeshService>();
    for (const service of everything()) {
      if (!seen(service, namespace)) continue;
      const known = byHost.get(service.hostname);
      byHost.set(service.hostname, known === undefined ? service : (visible(namespace, service.hostname) ?? known));
    }
    return [...byHost.values()].toSorted((a, b) => byText(a.hostname, b.hostname));
  });
  const { distribution, asksPlace } = createDistributions({ world, derivations }, members, everything);
  return { visible, allVisible, all: everything, kubernetes, ofHost, ofEntry, distribution, asksPlace };
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** A Service as the first cluster that has it says, our own before others, with its addresses in the others. */
function merged(members: Members, domain: string, { namespace, name }: Named): MeshService | undefined {
  const standing = members.all().flatMap(({ clusterId, world }) => {
    const object = world.get("Service", namespace, name);
    return object?.spec === undefined ? [] : { clusterId, object };
  });
  const [first] = standing;
  if (first === undefined || first.object.spec?.type === "ExternalName") return undefined;
  return { ...ofService(first.object, domain), ...sessionOf(first.object), ...addressesElsewhere(standing) };
}

/** What the first of these worlds that has the object says of it. */
function firstDistribution(
  worlds: readonly { readonly world: World }[],
  kind: "Service" | "ServiceEntry",
  { namespace, name }: Named,
): Distribution | undefined {
  for (const { world } of worlds) {
    const object = world.get(kind, namespace, name);
    if (object !== undefined) return distributionOf(world, object);
  }
  return undefined;
}

/** Which endpoints services prefer, by their object in the first cluster that has it. */
function createDistributions(
  { world, derivations }: Pick<ModelContext, "world" | "derivations">,
  members: Members,
  everything: () => readonly MeshService[],
): Pick<Services, "distribution" | "asksPlace"> {
  const distributed = derivations.keyed("distribution", (kind: string, namespace: string, name: string) =>
    kind === "Service"
      ? firstDistribution(members.all(), kind, { namespace, name })
      : firstDistribution([{ world }], "ServiceEntry", { namespace, name }),
  );
  const distribution = ({ from }: MeshService): Distribution | undefined =>
    distributed(from.kind, from.namespace, from.name);
  const asksPlace = derivations.keyed("services by place", () => ({
    locality: everything().some((service) => distribution(service) !== undefined),
    node: everything().some((service) => service.nodeLocal === true || distribution(service) === "node"),
  }));
  return { distribution, asksPlace };
}

function listed(service: MeshService | undefined): readonly MeshService[] {
  return service === undefined ? [] : [service];
}

/** Services of all clusters; of several with one name and namespace the first, our own cluster's before others'. */
function allServices(members: Members): readonly Service[] {
  const [own, ...others] = members.all();
  if (others.length === 0) return own.world.list("Service");
  const byName = new Map<string, Service>();
  for (const { world } of [own, ...others])
    for (const service of world.list("Service")) {
      const key = `${service.metadata.namespace ?? ""}/${service.metadata.name}`;
      if (!byName.has(key)) byName.set(key, service);
    }
  return [...byName.values()];
}

/** Each cluster gives a Service an address of its own: by cluster, where more than one has it. */
function addressesElsewhere(
  standing: readonly { readonly clusterId: string; readonly object: Service }[],
): Pick<MeshService, "addressesIn"> {
  if (standing.length < 2) return {};
  return { addressesIn: Object.fromEntries(standing.map(({ clusterId, object }) => [clusterId, virtualIps(object)])) };
}

function virtualIps({ spec }: Service): readonly string[] {
  return addressesOf(spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]));
}

function ofService(object: Service, domain: string): MeshService {
  const { spec = {}, metadata } = object;
  const namespace = metadata.namespace ?? "";
  const addresses = virtualIps(object);
  return {
    hostname: serviceHost(metadata.name, namespace, domain),
    name: metadata.name,
    namespace,
    ports: (spec.ports ?? []).map(
      (port): ServicePort => ({ number: port.port, name: port.name ?? "", protocol: selectProtocol(port) }),
    ),
    addresses,
    resolution: spec.clusterIP === "None" ? "passthrough" : "eds",
    meshExternal: false,
    exportTo: exportList(metadata.annotations?.[EXPORT_TO_ANNOTATION]),
    selector: namedSelector(spec.selector),
    ...(spec.internalTrafficPolicy === "Local" ? { nodeLocal: true } : {}),
    from: refOf(object),
  };
}

function addressesOf(ips: readonly string[]): readonly string[] {
  return ips.filter((ip) => ip !== "None" && ip !== "");
}

const RESOLUTIONS: Readonly<Record<string, MeshService["resolution"]>> = {
  NONE: "passthrough",
  STATIC: "eds",
  DNS: "dns",
  DNS_ROUND_ROBIN: "dns-round-robin",
  DYNAMIC_DNS: "dynamic-dns",
};

function ofServiceEntry({ spec, metadata, ...object }: ServiceEntry, domain: string): readonly MeshService[] {
  if (spec === undefined) return [];
  const namespace = metadata.namespace ?? "";
  const ports = (spec.ports ?? []).map(
    ({ number, name, protocol }): ServicePort => ({
      number,
      name,
      protocol: selectProtocol({ port: number, name, appProtocol: protocol }),
    }),
  );
  const ranges = (spec.addresses ?? []).filter((address) => address.includes("/"));
  return (spec.hosts ?? []).map((host) => ({
    hostname: resolveHost(host, namespace, domain),
    name: resolveHost(host, namespace, domain),
    namespace,
    ports,
    addresses: (spec.addresses ?? []).filter((address) => !address.includes("/")),
    ...(ranges.length === 0 ? {} : { ranges }),
    resolution: RESOLUTIONS[spec.resolution ?? "NONE"] ?? "passthrough",
    meshExternal: spec.location !== "MESH_INTERNAL",
    exportTo: spec.exportTo ?? [],
    selector: namedSelector(spec.workloadSelector?.labels),
    from: refOf({ ...object, metadata }),
  }));
}
