import type { MeshService } from "../ir/service.ts";
import type { ModelContext } from "./context.ts";
import { byText } from "./order.ts";
import type { RateLimitPolicies } from "./rate-limits.ts";
import type { Services } from "./services.ts";
import { importsHost, type Sidecar, type SidecarEgress } from "./sidecars.ts";
import { visibleTo } from "./visibility.ts";
import type { Telemetries } from "./telemetry.ts";
import type { VirtualServices } from "./virtual-services.ts";

/** Who looks: proxies of a namespace, perhaps under a Sidecar (`namespace/name`). */
export interface Viewer {
  readonly namespace: string;
  readonly sidecar?: string;
}

/** What one egress listener of a Sidecar shows; without Sidecar there is one, of everything. */
export interface SeenListener {
  /** Its place in `spec.egress`; undefined for the one that stands where none is written. */
  readonly index: number | undefined;
  readonly spec: SidecarEgress | undefined;
  /** Sorted by host; where the listener is for one port, services that have it, without their others. */
  readonly services: readonly MeshService[];
}

/** What proxies see of the services of the mesh: what is exported to them, less what their Sidecar leaves out. */
export interface Sight {
  /** The service that a viewer means by a full host. */
  visible(viewer: Viewer, host: string): MeshService | undefined;
  /** Every service a viewer can reach, sorted by host: what its listeners show, and where rules it sees send traffic. */
  reachable(viewer: Viewer): readonly MeshService[];
  /** In the order of `spec.egress`. */
  listeners(viewer: Viewer): readonly SeenListener[];
  /** What the listener that takes traffic for this port shows: the first for the port, or for all. */
  atPort(viewer: Viewer, port: number): readonly MeshService[];
  /** The Sidecar of a viewer. */
  sidecar(viewer: Viewer): Sidecar | undefined;
}

/** Parts of the model that sight stands on. */
interface SightParts {
  readonly services: Services;
  readonly virtualServices: VirtualServices;
  readonly rateLimits: RateLimitPolicies;
  readonly telemetries: Telemetries;
}

export function createSight(context: ModelContext, parts: SightParts): Sight {
  const { world, derivations, meshConfig } = context;
  const { services } = parts;
  const sidecarNamed = (key: string): Sidecar | undefined => {
    const slash = key.indexOf("/");
    return world.get("Sidecar", key.slice(0, slash), key.slice(slash + 1));
  };
  /** Policies make the proxy ask the rate limit service, whatever the Sidecar leaves out. */
  const counters = (namespace: string): readonly string[] => {
    const host = parts.rateLimits.asksService(namespace) ? parts.rateLimits.service() : undefined;
    return host === undefined ? [] : [host];
  };
  const listeners = derivations.keyed("sight", (namespace: string, sidecar: string): readonly SeenListener[] => {
    const egress = sidecarNamed(sidecar)?.spec?.egress ?? [];
    if (egress.length === 0) return [{ index: undefined, spec: undefined, services: services.allVisible(namespace) }];
    const exported = services
      .all()
      .filter((service) =>
        visibleTo(service.exportTo, service.namespace, namespace, meshConfig().defaultServiceExportTo),
      );
    return egress.map((spec, index) => ({ index, spec, services: selected(exported, spec, namespace) }));
  });
  const reached = derivations.keyed("reach", (namespace: string, sidecar: string): ReadonlyMap<string, MeshService> => {
    const seen = new Map<string, MeshService>();
    for (const listener of listeners(namespace, sidecar))
      for (const service of listener.services) seen.set(service.hostname, widened(seen.get(service.hostname), service));
    if ((sidecarNamed(sidecar)?.spec?.egress ?? []).length === 0) return seen;
    for (const host of [...parts.virtualServices.destinationHosts(namespace, sidecar), ...counters(namespace)]) {
      const service = seen.has(host) ? undefined : services.visible(namespace, host);
      if (service !== undefined) seen.set(host, service);
    }
    // what is told goes there, whatever the Sidecar leaves out
    for (const host of parts.telemetries.collectors(namespace)) {
      const service = services.visible(namespace, host);
      if (service !== undefined) seen.set(host, widened(seen.get(host), service));
    }
    return seen;
  });
  const sorted = derivations.keyed("reachable services", (namespace: string, sidecar: string) =>
    [...reached(namespace, sidecar).values()].toSorted((a, b) => byText(a.hostname, b.hostname)),
  );
  return {
    visible: ({ namespace, sidecar }, host) =>
      sidecar === undefined ? services.visible(namespace, host) : reached(namespace, sidecar).get(host),
    reachable: ({ namespace, sidecar }) =>
      sidecar === undefined ? services.allVisible(namespace) : sorted(namespace, sidecar),
    listeners: ({ namespace, sidecar }) =>
      sidecar === undefined
        ? [{ index: undefined, spec: undefined, services: services.allVisible(namespace) }]
        : listeners(namespace, sidecar),
    atPort({ namespace, sidecar }, port) {
      if (sidecar === undefined) return services.allVisible(namespace);
      const own = listeners(namespace, sidecar);
      const found = own.find(({ spec }) => spec?.port === undefined || spec.port.number === port);
      return found?.services ?? [];
    },
    sidecar: ({ sidecar }) => (sidecar === undefined ? undefined : sidecarNamed(sidecar)),
  };
}

/** Whether a listener shows only services that have its port: an HTTP proxy and a socket in the file system take all. */
function isForPort({ port }: SidecarEgress): boolean {
  return port?.number !== undefined && port.number !== 0 && port.protocol?.toUpperCase() !== "HTTP_PROXY";
}

/** One service for each host: a Service first, then the viewer's own namespace, then the first (oldest). */
function selected(exported: readonly MeshService[], listener: SidecarEgress, viewer: string): readonly MeshService[] {
  const byHost = new Map<string, MeshService>();
  for (const service of exported) {
    if (!importsHost(listener.hosts ?? [], viewer, { name: service.hostname, namespace: service.namespace })) continue;
    const known = byHost.get(service.hostname);
    if (known !== undefined && rank(known, viewer) >= rank(service, viewer)) continue;
    const ports = isForPort(listener)
      ? service.ports.filter(({ number }) => number === listener.port?.number)
      : service.ports;
    if (ports.length === service.ports.length) byHost.set(service.hostname, service);
    else if (ports.length > 0) byHost.set(service.hostname, { ...service, ports });
  }
  return [...byHost.values()].toSorted((a, b) => byText(a.hostname, b.hostname));
}

function rank({ namespace, from }: MeshService, viewer: string): number {
  return from.kind === "Service" ? 2 : Number(namespace === viewer);
}

/** One service that several listeners show, with the ports of both. */
function widened(known: MeshService | undefined, next: MeshService): MeshService {
  if (known === undefined) return next;
  if (known.namespace !== next.namespace || known.from.name !== next.from.name) return known;
  const more = next.ports.filter(({ number }) => !known.ports.some((port) => port.number === number));
  return more.length === 0 ? known : { ...known, ports: [...known.ports, ...more] };
}
