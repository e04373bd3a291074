import type { Cluster } from "../ir/cluster.ts";
import type { Inbound, InboundPort } from "../ir/listener.ts";
import type { Endpoint, Protocol } from "../ir/service.ts";
import { explicitPort } from "../base/explicit-port.ts";
import { meshAddress } from "../model/explicit-bind.ts";
import type { Model } from "../model/model.ts";
import { byAge } from "../model/order.ts";
import { targetPortOf } from "../model/pods.ts";
import { selectProtocol } from "../model/protocol.ts";
import { takenTrustDomains } from "../model/trust-bundles.ts";
import { namedSelector, selects } from "../model/selectors.ts";
import { peerOf } from "../model/workload.ts";
import { INBOUND_SOURCE, plainCluster } from "./clusters.ts";
import type { CompileContext } from "./context.ts";
import { extensionFilters } from "./extensions.ts";
import { INBOUND_PASSTHROUGH, inboundCluster } from "./names.ts";
import type { WorkloadFacts } from "./scope.ts";
import { type AppPlace, inboundPool, ingressPorts, placeOf } from "./sidecar-ingress.ts";
import { gatedCluster, gatedPort } from "./security/gate.ts";
import { inboundStatName } from "./stat-names.ts";
import { securityOf } from "./security/security.ts";

/** What workloads receive. */
export interface InboundSide {
  inbound(workload: string): Inbound;
  /** Inbound clusters, sorted by port. */
  clusters(workload: string): readonly Cluster[];
}

/** A port by which some service reaches the workload. */
interface Target {
  readonly targetPort: number;
  readonly protocol: Protocol;
  readonly service: InboundPort["service"];
  readonly bind?: string;
  readonly endpoint?: InboundPort["endpoint"];
  readonly tls?: InboundPort["tls"];
}

export function createInbound(context: CompileContext): InboundSide {
  const { model, derivations } = context;
  const inbound = derivations.keyed("inbound", (workload: string): Inbound => {
    const told = context.telemetry.ofWorkload(workload);
    const inbound = inboundOf(model, context.workload(workload));
    return told === undefined ? inbound : { ...inbound, telemetry: told };
  });
  const clusters = derivations.keyed("inbound clusters", (workload: string): readonly Cluster[] => {
    const facts = context.workload(workload);
    const ports = inbound(workload).ports.filter(({ cluster }) => cluster !== INBOUND_PASSTHROUGH);
    return ports.map((port) => ({
      ...gatedCluster(port, clusterOf(port, facts.bind?.appAddress)),
      ...inboundPool(model, facts, port),
      ...inboundStatName(model, port),
    }));
  });
  return { inbound, clusters };
}

function inboundOf(model: Model, facts: WorkloadFacts): Inbound {
  const policies = model.peerAuthentications;
  const byServices = targetsOf(model, facts);
  const targets: readonly Target[] = ingressPorts(model, facts, byServices) ?? byServices;
  const named = new Set(targets.map(({ targetPort }) => targetPort));
  const own = policies.effective(facts);
  const ports = targets.map(({ targetPort, protocol, service, bind, endpoint, tls }): InboundPort => {
    const mtls = policies.effective(facts, targetPort);
    const port = facts.bind === null ? targetPort : explicitPort(targetPort);
    return {
      targetPort: port,
      protocol,
      cluster: inboundCluster(port),
      mtls: mtls.mode,
      mtlsFrom: mtls.from,
      service,
      ...(bind === undefined ? {} : { bind }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(tls === undefined ? {} : { tls }),
    };
  });
  const security = securityOf(model, facts);
  const extensions = model.extensions.of(facts);
  const extended = (at: readonly number[]): Pick<InboundPort, "extensions"> => {
    const filters = extensionFilters(extensions, { side: "SERVER", ports: at, explicit: facts.bind !== null });
    return filters === undefined ? {} : { extensions: filters };
  };
  // A policy may name a port that no service does: its traffic passes, but by that rule.
  const others = policies
    .ports(facts)
    .filter((port) => facts.bind === null && !named.has(port))
    .map((port): InboundPort => {
      const mtls = policies.effective(facts, port);
      return {
        targetPort: port,
        protocol: "auto",
        cluster: INBOUND_PASSTHROUGH,
        mtls: mtls.mode,
        mtlsFrom: mtls.from,
        service: undefined,
      };
    });
  return {
    ports: [...ports.map((port) => gatedPort(port, clusterOf(port, facts.bind?.appAddress), security)), ...others]
      .map((port) => ({ ...port, ...extended([port.targetPort]) }))
      .toSorted((a, b) => a.targetPort - b.targetPort),
    defaultMtls: own.mode,
    defaultMtlsFrom: own.from,
    trustDomains: takenTrustDomains(model.meshConfig()),
    bindAddress: facts.bind === null ? undefined : meshAddress(facts.bind),
    ...(facts.transparent === undefined ? {} : { transparent: facts.transparent }),
    ...(security === undefined ? {} : { security }),
    ...extended([]),
  };
}

/** Ports by services that select the workload, the oldest service's word for each; in explicit mode also declared ones. */
function targetsOf(model: Model, facts: WorkloadFacts): readonly Target[] {
  const byPort = new Map<number, Target>();
  const add = (target: Target): void => {
    if (target.protocol !== "udp" && !byPort.has(target.targetPort)) byPort.set(target.targetPort, target);
  };
  for (const target of [...serviceTargets(model, facts), ...entryTargets(model, facts)]) add(target);
  if (facts.bind !== null) {
    for (const { name, number } of facts.ports) {
      add({ targetPort: number, protocol: selectProtocol({ port: number, name }), service: undefined });
    }
  }
  return [...byPort.values()];
}

function serviceTargets({ world, services }: Model, facts: WorkloadFacts): readonly Target[] {
  const { namespace, labels, ports, servicePorts = {} } = facts;
  return world
    .list("Service", namespace)
    .filter(({ spec }) => isSelected(spec?.selector, labels))
    .toSorted(byAge)
    .flatMap((object) => {
      const service = services.kubernetes(namespace, object.metadata.name);
      return (object.spec?.ports ?? []).flatMap((port): readonly Target[] => {
        const known = service?.ports.find(({ number }) => number === port.port);
        const targetPort = servicePorts[port.name ?? ""] ?? targetPortOf(ports, port.targetPort ?? port.port);
        if (service === undefined || known === undefined || targetPort === undefined) return [];
        const names = { host: service.hostname, name: service.name, namespace, port: port.port };
        return [{ targetPort, protocol: known.protocol, service: names }];
      });
    });
}

function entryTargets({ world, services }: Model, facts: WorkloadFacts): readonly Target[] {
  const { namespace, labels, servicePorts = {} } = facts;
  return world
    .list("ServiceEntry", namespace)
    .filter(({ spec }) => isSelected(spec?.workloadSelector?.labels, labels))
    .toSorted(byAge)
    .flatMap((object) => {
      const [service] = services.ofEntry(namespace, object.metadata.name);
      if (service === undefined) return [];
      return (object.spec?.ports ?? []).map(({ number, name, targetPort }): Target => {
        const protocol = service.ports.find((port) => port.number === number)?.protocol ?? "auto";
        const names = { host: service.hostname, name: service.name, namespace, port: number };
        return { targetPort: servicePorts[name] ?? targetPort ?? number, protocol, service: names };
      });
    });
}

function isSelected(selector: Readonly<Record<string, string>> | undefined, labels: WorkloadFacts["labels"]): boolean {
  const named = namedSelector(selector);
  return named !== undefined && selects(named, labels);
}

/** To the application: where the client wanted (captured), or at the address it was told to bind. */
function clusterOf(
  { targetPort, protocol, cluster, service, endpoint }: InboundPort,
  appAddress: string | undefined,
): Cluster {
  const dialled: AppPlace = appAddress === undefined ? {} : { address: appAddress, port: targetPort };
  const place: AppPlace = endpoint === undefined ? dialled : placeOf(endpoint, appAddress);
  return {
    ...plainCluster(cluster, "inbound"),
    ...(place.address !== undefined
      ? { discovery: "static", endpoints: [application(place.address, place.port)] }
      : { discovery: "original-dst", sourceAddress: INBOUND_SOURCE, ...place }),
    protocol,
    service: service && { host: service.host, name: service.name, namespace: service.namespace },
  };
}

function application(address: string, port: number): Endpoint {
  return {
    address,
    port,
    labels: {},
    peer: peerOf({}),
    serviceAccount: "",
    tlsMode: "disabled",
    weight: 1,
    locality: { region: "", zone: "", subzone: "" },
  };
}
