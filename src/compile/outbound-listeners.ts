import type { OutboundListener, SniChain } from "../ir/listener.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { WeightedCluster } from "../ir/route.ts";
import type { MeshService, ServicePort } from "../ir/service.ts";
import { explicitPort, explicitServiceAddress, meshAddress } from "../model/explicit-bind.ts";
import { byText } from "../model/order.ts";
import { isHttp, isTls } from "../model/protocol.ts";
import type { CompileContext } from "./context.ts";
import type { RouteSite } from "./http-routes.ts";
import { BLACK_HOLE, HTTP_PROXY_TABLE, outboundCluster, PASSTHROUGH } from "./names.ts";
import type { ScopeFacts } from "./scope.ts";
import { tcpClusters } from "./tcp-routes.ts";

/** The port that redirected connections of the application arrive at. */
const CAPTURE_PORT = 15001;
const ANY_ADDRESS = "0.0.0.0";

/** What one service port wants of an address; several may want the same. */
interface Claim {
  readonly address: string;
  readonly port: number;
  readonly routeTable: string | undefined;
  readonly clusters: readonly WeightedCluster[];
  readonly sni: SniChain | undefined;
  readonly provenance: Provenance;
  /** When the service was made: of two that want the same bytes the older gets them. */
  readonly age: string;
}

/** All outbound listeners of a sidecar's scope, sorted by name, the capture (or HTTP proxy) listener first. */
export function createOutboundListeners(context: CompileContext): (scope: string) => readonly OutboundListener[] {
  const { model, derivations } = context;
  const claims = derivations.keyed("listeners of service", (scope: string, host: string): readonly Claim[] => {
    const facts = context.scope(scope);
    const service = model.services.visible(facts.namespace, host);
    if (service === undefined) return [];
    return service.ports.flatMap((port) =>
      facts.bind === null
        ? capturedClaims(context, facts, service, port)
        : explicitClaims(context, facts, service, port),
    );
  });
  return derivations.keyed("outbound listeners", (scope: string): readonly OutboundListener[] => {
    const facts = context.scope(scope);
    const fallback =
      facts.bind === null && model.meshConfig().outboundTrafficPolicy === "ALLOW_ANY" ? PASSTHROUGH : BLACK_HOLE;
    const byName = new Map<string, Claim[]>();
    for (const { hostname } of model.services.allVisible(facts.namespace)) {
      for (const claim of claims(scope, hostname)) {
        const name = `${claim.address}_${claim.port}`;
        byName.set(name, [...(byName.get(name) ?? []), claim]);
      }
    }
    const listeners = [...byName]
      .toSorted(([a], [b]) => byText(a, b))
      .map(([name, group]) => listenerOf(name, group, { fallback, bindToPort: facts.bind !== null }));
    return [edgeListener(facts, fallback), ...listeners];
  });
}

/** The listener that takes what no other does. */
function edgeListener({ bind }: ScopeFacts, fallback: string): OutboundListener {
  const address = bind === null ? ANY_ADDRESS : meshAddress(bind);
  const port = bind === null ? CAPTURE_PORT : bind.httpProxyPort;
  return {
    name: bind === null ? "virtualOutbound" : `${address}_${port}`,
    address,
    port,
    bindToPort: true,
    kind: bind === null ? "capture" : "http-proxy",
    routeTable: bind === null ? undefined : HTTP_PROXY_TABLE,
    clusters: [],
    sniChains: [],
    fallback,
    provenance: undefined,
  };
}

/** HTTP shares one listener per port; other protocols listen on the service's addresses, and only without any on all. */
function capturedClaims(
  context: CompileContext,
  facts: ScopeFacts,
  service: MeshService,
  port: ServicePort,
): readonly Claim[] {
  if (port.protocol === "udp") return [];
  const claim = claimsOf(context, facts, service, port);
  if (isHttp(port.protocol)) return [claim(ANY_ADDRESS, String(port.number))];
  const ownTable = port.protocol === "auto" ? `${service.hostname}:${port.number}` : undefined;
  if (service.addresses.length > 0) return service.addresses.map((address) => claim(address, ownTable));
  if (service.resolution === "passthrough" && service.from.kind === "Service") {
    const ips = context.model.endpoints.of(service, port.number).map(({ address }) => address);
    return [...new Set(ips)].map((address) => claim(address, ownTable));
  }
  return [claim(ANY_ADDRESS, port.protocol === "auto" ? String(port.number) : undefined)];
}

/** Nobody redirects: each service has an address of its own for this workload; what has none is reached as HTTP proxy. */
function explicitClaims(
  context: CompileContext,
  facts: ScopeFacts,
  service: MeshService,
  port: ServicePort,
): readonly Claim[] {
  const { bind } = facts;
  if (bind === null || port.protocol === "udp" || service.from.kind !== "Service") return [];
  const claim = claimsOf(context, facts, service, port);
  const hasRoutes = isHttp(port.protocol) || port.protocol === "auto";
  return service.addresses.flatMap((ip) => {
    const address = explicitServiceAddress(bind, ip);
    if (address === undefined) return [];
    return [
      {
        ...claim(address, hasRoutes ? `${service.hostname}:${port.number}` : undefined),
        port: explicitPort(port.number),
      },
    ];
  });
}

function claimsOf({ model }: CompileContext, facts: ScopeFacts, service: MeshService, port: ServicePort) {
  const { hostname: host, from } = service;
  const site: RouteSite = {
    namespace: facts.namespace,
    labels: facts.labels,
    gateway: "mesh",
    port: port.number,
    host,
  };
  const origin: Provenance = { from, path: ["spec", "ports", service.ports.indexOf(port)], lost: [] };
  const bound = model.virtualServices.forHost(facts.namespace, host);
  const direct: WeightedCluster = {
    cluster: outboundCluster({ port: port.number, subset: "", host }),
    weight: 1,
    provenance: origin,
  };
  const routed = bound === undefined ? undefined : tcpClusters(model, bound, site);
  const clusters = routed ?? [direct];
  const provenance = routed?.[0]?.provenance ?? origin;
  const created = model.world.get(from.kind === "Service" ? "Service" : "ServiceEntry", from.namespace, from.name);
  const age = created?.metadata.creationTimestamp ?? "";
  return (address: string, routeTable: string | undefined): Claim => {
    const byName = isTls(port.protocol) && address === ANY_ADDRESS;
    const sni = byName ? { serverNames: [host], clusters, provenance } : undefined;
    const takesBytes = !isHttp(port.protocol) && !byName;
    return { address, port: port.number, routeTable, clusters: takesBytes ? clusters : [], sni, provenance, age };
  };
}

/** One listener of all that want its address: names in TLS first, then HTTP, and one of them gets all other bytes. */
function listenerOf(
  name: string,
  claims: readonly Claim[],
  { fallback, bindToPort }: Pick<OutboundListener, "fallback" | "bindToPort">,
): OutboundListener {
  const [byBytes, ...passedOver] = claims
    .filter(({ clusters }) => clusters.length > 0)
    .toSorted((a, b) => byText(a.age, b.age));
  const routeTable = claims.find((claim) => claim.routeTable !== undefined)?.routeTable;
  const first = byBytes ?? claims[0];
  const lost = passedOver.map(({ provenance }) => ({
    from: provenance.from,
    path: provenance.path,
    reason: `another service has ${name.replace("_", ":")}: the older wins`,
  }));
  return {
    name,
    address: claims[0]?.address ?? "",
    port: claims[0]?.port ?? 0,
    bindToPort,
    kind: routeTable === undefined ? "tcp" : byBytes === undefined ? "http" : "auto",
    routeTable,
    clusters: byBytes?.clusters ?? [],
    sniChains: claims.flatMap(({ sni }) => sni ?? []),
    fallback,
    provenance: first === undefined ? undefined : { ...first.provenance, lost: [...first.provenance.lost, ...lost] },
  };
}
