import type { ChainNeed, OutboundListener, SniChain, TcpFeatures } from "../ir/listener.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { WeightedCluster } from "../ir/route.ts";
import type { MeshService, ServicePort } from "../ir/service.ts";
import { explicitPort } from "../base/explicit-port.ts";
import { explicitServiceAddress, meshAddress } from "../model/explicit-bind.ts";
import type { MeshExtension } from "../model/extensions.ts";
import type { Model } from "../model/model.ts";
import { byText } from "../model/order.ts";
import { isHttp, isTls } from "../model/protocol.ts";
import type { SeenListener } from "../model/sight.ts";
import type { BoundVirtualService } from "../model/virtual-services.ts";
import { refOf } from "../resources/object.ts";
import type { CompileContext } from "./context.ts";
import type { RouteSite } from "./route-site.ts";
import { extensionFilters, scopeExtensions } from "./extensions.ts";
import { hasMeshRoutes, meshTcpClusters, meshTlsChains } from "./gateway-api/mesh-routes.ts";
import { dialledAddresses } from "./name-table.ts";
import { BLACK_HOLE, HTTP_PROXY_TABLE, outboundCluster } from "./names.ts";
import { outboundPolicy } from "./outbound-policy.ts";
import type { ScopeFacts } from "./scope.ts";
import { egressPlace, egressPort, egressTable } from "./sidecar-egress.ts";
import { needsOf } from "./sessions.ts";
import { tcpFeatures } from "./tcp-features.ts";
import { addressChains, tcpClusters } from "./tcp-routes.ts";
import { tlsChains } from "./tls-routes.ts";

/** The port that redirected connections of the application arrive at. */
const CAPTURE_PORT = 15001;
const ANY_ADDRESS = "0.0.0.0";

/** What one service port wants of an address; several may want the same. */
interface Claim {
  readonly address: string;
  readonly port: number;
  readonly routeTable: string | undefined;
  readonly clusters: readonly WeightedCluster[];
  readonly tcp: TcpFeatures | undefined;
  readonly sni: readonly SniChain[];
  readonly needs: readonly ChainNeed[];
  readonly provenance: Provenance;
  /** When the service was made: of two that want the same bytes the older gets them. */
  readonly age: string;
  /** By a Sidecar: dialled by the workload itself, perhaps as HTTP proxy. */
  readonly dialled?: "bytes" | "proxy";
}

/** What services want of addresses, as one scope calls them. */
interface Claims {
  readonly of: (scope: string, facts: ScopeFacts, service: MeshService) => readonly Claim[];
  /** In an egress listener of the Sidecar that has a place of its own. */
  readonly placed: (scope: string, host: string, index: number) => readonly Claim[];
}

function createClaims(context: CompileContext): Claims {
  const { model, derivations } = context;
  const claimsIn = (
    facts: ScopeFacts,
    service: MeshService | undefined,
    bound: BoundVirtualService | undefined,
  ): readonly Claim[] =>
    (service?.ports ?? []).flatMap((port) => {
      const source = { facts, service: service as MeshService, port, bound };
      return facts.bind === null ? capturedClaims(context, source) : explicitClaims(context, source);
    });
  const own = derivations.keyed("listeners of host", (scope: string, host: string) => {
    const facts = context.scope(scope);
    const bound = model.virtualServices.forHost(facts.namespace, host, facts.sidecar);
    return claimsIn(facts, model.sight.visible(facts, host), bound);
  });
  const placed = derivations.keyed("listeners of host in egress", (scope: string, host: string, index: number) => {
    const facts = context.scope(scope);
    const listener = model.sight.listeners(facts)[index];
    const service = listener?.services.find(({ hostname }) => hostname === host);
    if (listener === undefined || service === undefined) return [];
    const bound = model.virtualServices.forHost(facts.namespace, host, facts.sidecar);
    return service.ports.flatMap((port) => {
      const source = { facts, service, port: egressPort(listener.spec, port), bound };
      return placedClaims(context, source, listener);
    });
  });
  /** Of a Service that no VirtualService and no DestinationRule is about: the same for all who see it. */
  const common = derivations.keyed("listeners of service", (namespace: string, name: string, bind: string) => {
    const facts = { type: "sidecar", namespace, labels: {}, bind: JSON.parse(bind) as ScopeFacts["bind"] } as const;
    return claimsIn(facts, model.services.kubernetes(namespace, name), undefined);
  });
  const of = (scope: string, facts: ScopeFacts, { hostname, namespace, from }: MeshService): readonly Claim[] => {
    const isRouted = model.virtualServices.routesTcp(facts.namespace, hostname, facts.sidecar);
    const isShaped = model.destinationRules.effective(facts, hostname, namespace) !== undefined;
    if (isRouted || isShaped || from.kind !== "Service" || hasMeshRoutes(model, { from, namespace }))
      return own(scope, hostname);
    return common(namespace, from.name, JSON.stringify(facts.bind));
  };
  return { of, placed };
}

/** All outbound listeners of a sidecar's scope, sorted by name, the capture (or HTTP proxy) listener first. */
export function createOutboundListeners(context: CompileContext): (scope: string) => readonly OutboundListener[] {
  const { model, derivations, telemetry } = context;
  const claims = createClaims(context);
  const alone = new WeakMap<Claim, OutboundListener>();
  return derivations.keyed("outbound listeners", (scope: string): readonly OutboundListener[] => {
    const facts = context.scope(scope);
    const fallback = facts.bind === null ? outboundPolicy(model, facts).cluster : BLACK_HOLE;
    const byName = gathered(model.sight.listeners(facts), ({ spec }, service, index) =>
      spec?.port !== undefined || egressPlace(spec) !== undefined
        ? claims.placed(scope, service.hostname, index)
        : claims.of(scope, facts, service),
    );
    const listeners = [...byName]
      .toSorted(([a], [b]) => byText(a, b))
      .map(([name, group]) => {
        const [only] = group;
        const known = only !== undefined && group.length === 1 ? alone.get(only) : undefined;
        if (known?.fallback === fallback) return known;
        const listener = listenerOf(name, group, { fallback, bindToPort: facts.bind !== null });
        if (only !== undefined && group.length === 1) alone.set(only, listener);
        return listener;
      });
    const all = [{ ...edgeListener(facts, fallback), ...needing(edgeNeeds(model, facts)) }, ...listeners];
    const extensions = scopeExtensions(model, facts);
    const told = telemetry.ofScope(scope);
    const whole = told === undefined ? all : all.map((listener) => telemetry.with(listener, told));
    return extensions.length === 0 ? whole : whole.map((listener) => extended(listener, extensions, facts));
  });
}

/** With the filters of extensions. */
function extended(
  listener: OutboundListener,
  extensions: readonly MeshExtension[],
  { bind }: ScopeFacts,
): OutboundListener {
  const filters = extensionFilters(extensions, { side: "CLIENT", ports: [listener.port], explicit: bind !== null });
  return filters === undefined ? listener : { ...listener, extensions: filters };
}

const NONE: ReadonlySet<string> = new Set();

/** Claims by the name of their listener; what a listener for one port takes, the one for all others leaves alone. */
function gathered(
  listeners: readonly SeenListener[],
  claimsOf: (listener: SeenListener, service: MeshService, index: number) => readonly Claim[],
): ReadonlyMap<string, Claim[]> {
  const byName = new Map<string, Claim[]>();
  for (const [index, listener] of listeners.entries()) {
    const fixed: ReadonlySet<string> = listener.spec?.port === undefined ? new Set(byName.keys()) : NONE;
    for (const claim of listener.services.flatMap((service) => claimsOf(listener, service, index))) {
      const name = nameOf(claim);
      const group = byName.get(name);
      if (group === undefined) byName.set(name, [claim]);
      else if (!fixed.has(name)) group.push(claim);
    }
  }
  return byName;
}

function nameOf({ address, port }: Claim): string {
  return port === 0 ? address : `${address}_${port}`;
}

/** What the HTTP proxy needs: any service may be asked for there. */
function edgeNeeds(model: Model, facts: ScopeFacts): readonly Pick<Claim, "needs">[] {
  if (facts.bind === null) return [];
  return model.sight.reachable(facts).map((service) => ({ needs: needsOf(service) }));
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

/** A service port, who calls it, and what routes its connections. */
interface ClaimSource {
  readonly facts: ScopeFacts;
  readonly service: MeshService;
  readonly port: ServicePort;
  readonly bound: BoundVirtualService | undefined;
}

/** HTTP shares one listener per port; other protocols listen on the service's addresses, and only without any on all. */
function capturedClaims(context: CompileContext, source: ClaimSource): readonly Claim[] {
  const { service, port } = source;
  if (port.protocol === "udp") return [];
  const claim = claimsOf(context, source);
  if (isHttp(port.protocol)) return [claim(ANY_ADDRESS, String(port.number))];
  const ownTable = port.protocol === "auto" ? `${service.hostname}:${port.number}` : undefined;
  const dialled = dialledAddresses(context, source.facts, service);
  const { ranges = [] } = service;
  const byRange = ranges.slice(0, 1).map((first) => ofRanges(claim(first, undefined), ranges));
  if (dialled.length + byRange.length > 0) return [...dialled.map((address) => claim(address, ownTable)), ...byRange];
  if (service.resolution === "passthrough" && service.from.kind === "Service") {
    const ips = context.model.endpoints.of(service, port.number).map(({ address }) => address);
    return [...new Set(ips)].map((address) => claim(address, ownTable));
  }
  return [claim(ANY_ADDRESS, port.protocol === "auto" ? String(port.number) : undefined)];
}

/** Nobody can listen on a range: its bytes are told by the address that was dialled, on the listener of all addresses. */
function ofRanges(claim: Claim, ranges: readonly string[]): Claim {
  const { clusters, tcp, provenance, sni } = claim;
  const any: SniChain = { serverNames: [], clusters, ...shaped(tcp), provenance };
  const chains = clusters.length === 0 ? sni : [...sni, any];
  return {
    ...claim,
    address: ANY_ADDRESS,
    clusters: [],
    sni: chains.map((chain) => ({ destinations: ranges, ...chain })),
  };
}

/** Nobody redirects: each service has an address of its own for this workload; what has none is reached as HTTP proxy. */
function explicitClaims(context: CompileContext, source: ClaimSource): readonly Claim[] {
  const { service, port } = source;
  const { bind } = source.facts;
  if (bind === null || port.protocol === "udp" || service.from.kind !== "Service") return [];
  const claim = claimsOf(context, source);
  const hasRoutes = isHttp(port.protocol) || port.protocol === "auto";
  return service.addresses.flatMap((ip) => {
    const address = explicitServiceAddress(bind, ip);
    if (address === undefined) return [];
    const made = claim(address, hasRoutes ? `${service.hostname}:${port.number}` : undefined);
    return [{ ...made, port: explicitPort(port.number) }];
  });
}

function siteOf({ namespace, labels, sidecar }: ScopeFacts, port: number, host: string): RouteSite {
  const seen = sidecar === undefined ? {} : { sidecar };
  return { namespace, ...seen, labels, gateway: "mesh", port, host };
}

/** At the place that a Sidecar's listener names; where it names none, as without it. */
function placedClaims(context: CompileContext, source: ClaimSource, { spec, index }: SeenListener): readonly Claim[] {
  const place = egressPlace(spec);
  const { facts, port } = source;
  if (spec === undefined || place?.address === undefined)
    return facts.bind === null ? capturedClaims(context, source) : explicitClaims(context, source);
  if (port.protocol === "udp") return [];
  const at = egressTable(spec, port);
  const claim = claimsOf(context, source)(place.address, at.table);
  const provenance = egressProvenance(context, facts, index) ?? claim.provenance;
  const dialled = place.proxy ? "proxy" : "bytes";
  const isDialled = place.bindToPort || facts.bind !== null;
  return [{ ...claim, port: at.port, provenance, ...(isDialled ? { dialled } : {}) }];
}

function egressProvenance(
  { model }: CompileContext,
  facts: ScopeFacts,
  index: number | undefined,
): Provenance | undefined {
  const sidecar = model.sight.sidecar(facts);
  return sidecar && { from: refOf(sidecar), path: ["spec", "egress", index ?? 0], lost: [] };
}

function claimsOf(
  context: CompileContext,
  source: ClaimSource,
): (address: string, routeTable: string | undefined) => Claim {
  const { service, port } = source;
  const { hostname: host, from } = service;
  const { clusters, provenance, tcp, chains } = waysOf(context, source);
  const kind = from.kind === "Service" ? "Service" : "ServiceEntry";
  const age = context.model.world.get(kind, from.namespace, from.name)?.metadata.creationTimestamp ?? "";
  const needs = needsOf(service, port);
  // for a host that is looked up: where a connection without a name is to go, nobody knows
  const bytesTo = isHttp(port.protocol) || service.resolution === "dynamic-dns" ? [] : clusters;
  return (address, routeTable) => {
    const byName = isTls(port.protocol) && address === ANY_ADDRESS;
    const own =
      chains.length === 0 && byName ? [{ serverNames: [host], clusters, ...shaped(tcp), provenance }] : chains;
    const passed = byName ? [] : bytesTo;
    return { address, port: port.number, routeTable, clusters: passed, tcp, sni: own, needs, provenance, age };
  };
}

/** Where connections to a service port go, by rule or without. */
function waysOf(
  { model }: CompileContext,
  { facts, service, port, bound }: ClaimSource,
): Pick<Claim, "clusters" | "provenance" | "tcp"> & { readonly chains: readonly SniChain[] } {
  const { hostname: host, from } = service;
  const origin: Provenance = {
    from,
    path: ["spec", "ports", service.ports.findIndex(({ number }) => number === port.number)],
    lost: [],
  };
  const site = siteOf(facts, port.number, host);
  const routed = bound === undefined ? meshTcpClusters(model, service, site) : tcpClusters(model, bound, site);
  const direct = { cluster: outboundCluster({ port: port.number, subset: "", host }), weight: 1, provenance: origin };
  const clusters = routed ?? [direct];
  const provenance = routed?.[0]?.provenance ?? origin;
  if (isHttp(port.protocol)) return { clusters, provenance, tcp: undefined, chains: [] };
  const chains =
    bound === undefined
      ? meshTlsChains(model, service, site)
      : [...tlsChains(model, bound, site), ...addressChains(model, bound, site)];
  return { clusters, provenance, tcp: tcpFeatures(model, facts, clusters), chains };
}

function shaped(tcp: TcpFeatures | undefined): { readonly tcp?: TcpFeatures } {
  return tcp === undefined ? {} : { tcp };
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
  const isDialled = claims[0]?.dialled !== undefined;
  const lost = passedOver.map(({ provenance }) => ({
    from: provenance.from,
    path: provenance.path,
    reason: `another service has ${name.replace("_", ":")}: the older wins`,
  }));
  return {
    name,
    ...placeOf(claims),
    bindToPort: isDialled || bindToPort,
    kind: kindOf(claims, routeTable, byBytes),
    routeTable,
    ...needing(routeTable === undefined ? [] : claims),
    clusters: byBytes?.clusters ?? [],
    ...shaped(byBytes?.tcp),
    sniChains: distinctChains(claims),
    // where the workload dials the listener itself, nobody knows where else it wanted to go
    fallback: isDialled ? BLACK_HOLE : fallback,
    provenance: first === undefined ? undefined : { ...first.provenance, lost: [...first.provenance.lost, ...lost] },
  };
}

/** What all these need together. */
function needing(parts: readonly Pick<Claim, "needs">[]): Pick<OutboundListener, "needs"> {
  const needs = [...new Set(parts.flatMap((part) => part.needs))].toSorted(byText);
  return needs.length === 0 ? {} : { needs };
}

function kindOf(
  claims: readonly Claim[],
  routeTable: string | undefined,
  byBytes: Claim | undefined,
): OutboundListener["kind"] {
  if (claims.some(({ dialled }) => dialled === "proxy")) return "http-proxy";
  return routeTable === undefined ? "tcp" : byBytes === undefined ? "http" : "auto";
}

function placeOf([first]: readonly Claim[]): Pick<OutboundListener, "address" | "port"> {
  return { address: first?.address ?? "", port: first?.port ?? 0 };
}

/** Envoy refuses a listener in which a name (or address) stands twice: the older service's rule keeps it. */
function distinctChains(claims: readonly Claim[]): readonly SniChain[] {
  if (claims.length === 1) return claims[0]?.sni ?? [];
  const taken = new Set<string>();
  const isNew = (key: string): boolean => !taken.has(key) && taken.add(key) !== undefined;
  const chains = claims.toSorted((a, b) => byText(a.age, b.age)).flatMap(({ sni }) => sni);
  return chains.flatMap((chain): readonly SniChain[] => {
    const { serverNames, destinations = [] } = chain;
    if (serverNames.length === 0) {
      const left = destinations.filter((range) => isNew(range));
      return left.length === 0 ? [] : [{ ...chain, destinations: left }];
    }
    const left = serverNames.filter((name) => isNew(`${name} ${destinations.join(" ")}`));
    return left.length === 0 ? [] : [left.length === serverNames.length ? chain : { ...chain, serverNames: left }];
  });
}
