import type { ObjectRef } from "../ir/refs.ts";
import type { HttpRoute, RouteTable, VirtualHost } from "../ir/route.ts";
import type { MeshService } from "../ir/service.ts";
import { explicitPort } from "../base/explicit-port.ts";
import { explicitServiceAddress } from "../model/explicit-bind.ts";
import { parseServiceHost } from "../model/host.ts";
import { isHttp } from "../model/protocol.ts";
import type { Alias } from "../model/aliases.ts";
import type { Model } from "../model/model.ts";
import type { SeenListener, Viewer } from "../model/sight.ts";
import type { CompileContext } from "./context.ts";
import { hasMeshRoutes, meshHttpRoutes } from "./gateway-api/mesh-routes.ts";
import { hashKeysOf } from "./hash-keys.ts";
import { MATCH_ALL } from "./http-match.ts";
import { defaultRoute, httpRoutes } from "./http-routes.ts";
import { HTTP_PROXY_TABLE, outboundCluster, PASSTHROUGH } from "./names.ts";
import { type OutboundPolicy, outboundPolicy } from "./outbound-policy.ts";
import type { RouteSite } from "./route-site.ts";
import type { ScopeFacts } from "./scope.ts";
import { tableOf, takesAllPorts } from "./sidecar-egress.ts";

/** Port under which a host that only VirtualServices name is served, as in Istio. */
const HOST_ONLY_PORT = 80;

/** Route tables of sidecars. */
export interface SidecarTables {
  /** `80`: all HTTP hosts of a port; `host:port`: one host; `http_proxy`: all hosts, ports in the domains. */
  table(scope: string, name: string): RouteTable | undefined;
}

export function createSidecarTables(context: CompileContext): SidecarTables {
  const { model, derivations } = context;
  const { hosts, ports } = createHosts(context);
  const virtualHost = createVirtualHosts(context);
  const others = (scope: string): VirtualHost => fallback(outboundPolicy(model, context.scope(scope)));
  const othersAsked = (scope: string): VirtualHost => withoutDestination(model, context.scope(scope));
  const ofPort = (scope: string, port: number): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    const { namespace, sidecar = "" } = facts;
    return hosts(namespace, sidecar, port).map((entry) => virtualHost(scope, entry, port, domainsOf(entry, facts)));
  };
  const ofHost = (scope: string, host: string, port: number): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    const entry = { host, service: model.sight.visible(facts, host) };
    // Nobody redirects in explicit mode: the address already says which service is meant, whatever the Host header says.
    if (facts.bind !== null) return [virtualHost(scope, entry, port, ["*"])];
    return [virtualHost(scope, entry, port, domainsOf(entry, facts)), others(scope)];
  };
  const ofProxy = (scope: string): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    const { namespace, sidecar = "" } = facts;
    const all = ports(namespace, sidecar).flatMap((port) =>
      hosts(namespace, sidecar, port).map((entry) =>
        virtualHost(scope, entry, port, withPort(domainsOf(entry, facts), port)),
      ),
    );
    return [...distinct(all), othersAsked(scope)];
  };
  /** Of a Sidecar's listener that takes requests for all ports. */
  const ofEgress = (scope: string, { services }: SeenListener): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    const all = services.flatMap((service) =>
      service.ports.flatMap(({ number, protocol }) => {
        if (!isHttp(protocol) && protocol !== "auto") return [];
        const entry = { host: service.hostname, service };
        return [virtualHost(scope, entry, number, withPort(domainsOf(entry, facts), number))];
      }),
    );
    return [...distinct(all), othersAsked(scope)];
  };
  const egressOf = (scope: string, name: string): SeenListener | undefined =>
    model.sight
      .listeners(context.scope(scope))
      .find(({ spec }) => spec !== undefined && takesAllPorts(spec) && tableOf(spec) === name);
  return {
    table: derivations.keyed("route table", (scope: string, name: string): RouteTable | undefined => {
      if (name === HTTP_PROXY_TABLE) return { name, portInDomains: true, virtualHosts: ofProxy(scope) };
      const egress = egressOf(scope, name);
      if (egress !== undefined) return { name, portInDomains: true, virtualHosts: ofEgress(scope, egress) };
      const colon = name.lastIndexOf(":");
      const virtualHosts =
        colon < 0
          ? [...distinct(ofPort(scope, Number(name))), others(scope)]
          : ofHost(scope, name.slice(0, colon), Number(name.slice(colon + 1)));
      return { name, portInDomains: false, virtualHosts };
    }),
  };
}

type MakeVirtualHost = (scope: string, entry: HostOfPort, port: number, domains: readonly string[]) => VirtualHost;

/** Virtual hosts: by a VirtualService for its callers, else one and the same for all who see the service and call it so. */
function createVirtualHosts({ model, derivations, scope: factsOf }: CompileContext): MakeVirtualHost {
  const ruled = derivations.keyed("routes", (scope: string, host: string, port: number): readonly HttpRoute[] => {
    const { namespace, labels, sidecar } = factsOf(scope);
    const bound = model.virtualServices.forHost(namespace, host, sidecar);
    const seen = sidecar === undefined ? {} : { sidecar };
    const site: RouteSite = { namespace, ...seen, labels, gateway: "mesh", port, host };
    return bound === undefined ? [] : httpRoutes(model, bound, site);
  });
  const routed = derivations.keyed("routes of Gateway API", (scope: string, host: string, port: number, to: string) => {
    const { namespace, labels } = factsOf(scope);
    const service = JSON.parse(to) as Pick<MeshService, "from" | "namespace">;
    return meshHttpRoutes(model, service, { namespace, labels, gateway: "mesh", port, host });
  });
  const unruled = derivations.keyed(
    "virtual host",
    (host: string, port: number, made: string, domains: string): VirtualHost => {
      const { from, ...asked } = JSON.parse(made) as Unruled;
      const route = defaultRoute(
        outboundCluster({ port, subset: "", host }),
        { host, port },
        { mesh: model.meshConfig(), ...asked, from: { from, path: [], lost: [] } },
      );
      return { name: `${host}:${port}`, domains: domains.split(" "), routes: [route], requireTls: false };
    },
  );
  return (scope, { host, service }, port, domains) => {
    const facts = factsOf(scope);
    const bound = model.virtualServices.forHost(facts.namespace, host, facts.sidecar);
    const isRuled = bound?.object.spec?.http !== undefined;
    if (!isRuled && service !== undefined && hasMeshRoutes(model, service)) {
      const { from, namespace } = service;
      const routes = routed(scope, host, port, JSON.stringify({ from, namespace }));
      if (routes !== undefined) return { name: `${host}:${port}`, domains, routes, requireTls: false };
    }
    if (!isRuled && service !== undefined) {
      const hash = hashKeysOf(model, facts, [outboundCluster({ port, subset: "", host })]);
      const made: Unruled = { from: service.from, hash, session: service.session };
      return unruled(host, port, JSON.stringify(made), domains.join(" "));
    }
    return { name: `${host}:${port}`, domains, routes: isRuled ? ruled(scope, host, port) : [], requireTls: false };
  };
}

/** What the virtual host of a service that no VirtualService rules is made of, apart from its names. */
interface Unruled {
  readonly from: ObjectRef;
  readonly hash: ReturnType<typeof hashKeysOf>;
  readonly session: MeshService["session"];
}

/** Which hosts are routed as HTTP, port by port. */
function createHosts({ model, derivations }: CompileContext): {
  /** Hosts of a port with their service; a host that only VirtualServices name has none. */
  readonly hosts: (namespace: string, sidecar: string, port: number) => readonly HostOfPort[];
  readonly ports: (namespace: string, sidecar: string) => readonly number[];
} {
  // One that a VirtualService speaks of has routes of its own.
  const aliases = (viewer: Viewer, host: string): readonly Alias[] =>
    model.aliases
      .of(viewer.namespace, host)
      .filter(
        ({ hostname }) => model.virtualServices.forHost(viewer.namespace, hostname, viewer.sidecar) === undefined,
      );
  const hosts = derivations.keyed(
    "hosts of port",
    (namespace: string, sidecar: string, port: number): readonly HostOfPort[] => {
      const viewer = viewerOf(namespace, sidecar);
      const services = model.sight.atPort(viewer, port).filter((service) => isRouted(service, port));
      const extra = port === HOST_ONLY_PORT ? model.virtualServices.meshHosts(namespace, sidecar) : [];
      return [
        ...services.map((service) => ({ host: service.hostname, service, aliases: aliases(viewer, service.hostname) })),
        ...extra
          .filter((host) => host !== "*" && model.sight.visible(viewer, host) === undefined)
          .map((host) => ({ host, service: undefined })),
      ];
    },
  );
  const ports = derivations.keyed("HTTP ports", (namespace: string, sidecar: string): readonly number[] => {
    const all = model.sight.reachable(viewerOf(namespace, sidecar)).flatMap((service) => service.ports);
    const numbers = all.filter(({ protocol }) => isHttp(protocol) || protocol === "auto").map(({ number }) => number);
    return [...new Set([...numbers, HOST_ONLY_PORT])].toSorted((a, b) => a - b);
  });
  return { hosts, ports };
}

function viewerOf(namespace: string, sidecar: string): Viewer {
  return sidecar === "" ? { namespace } : { namespace, sidecar };
}

interface HostOfPort {
  readonly host: string;
  readonly service: MeshService | undefined;
  /** Services of type ExternalName that stand for it. */
  readonly aliases?: readonly Alias[];
}

function isRouted(service: MeshService, port: number): boolean {
  return service.ports.some(({ number, protocol }) => number === port && (isHttp(protocol) || protocol === "auto"));
}

/** A Service's short names, as its own namespace and others may write them. */
function shortNames(
  namespace: string,
  { name, namespace: owner }: Pick<Alias, "name" | "namespace">,
): readonly string[] {
  return [...(owner === namespace ? [name] : []), `${name}.${owner}`, `${name}.${owner}.svc`];
}

/** Names and addresses a client may use for a service: full, short, those of its aliases, virtual IPs. */
function domainsOf(
  { host, service, aliases = [] }: HostOfPort,
  { namespace, bind, cluster = "" }: Pick<ScopeFacts, "namespace" | "bind" | "cluster">,
): readonly string[] {
  if (service === undefined) return [host];
  const { hostname, from } = service;
  const mapped = from.kind === "Service" ? bind : null;
  return [
    hostname,
    ...(hasShortNames(service) ? shortNames(namespace, service) : []),
    ...aliases.flatMap((alias) => [alias.hostname, ...shortNames(namespace, alias)]),
    ...(service.resolution === "passthrough" && !hostname.startsWith("*") ? [`*.${hostname}`] : []),
    ...(service.addressesIn?.[cluster] ?? service.addresses).flatMap((address) => addressDomains(address, mapped)),
  ];
}

/** An address as it stands in a Host header, and the one that callers without redirection dial for it. */
function addressDomains(address: string, bind: ScopeFacts["bind"]): readonly string[] {
  const written = address.includes(":") ? `[${address}]` : address;
  const own = bind === null ? undefined : explicitServiceAddress(bind, address);
  return own === undefined ? [written] : [written, own];
}

/** Whether callers know it by less than its host: a Service of a cluster, or what stands under such a one's host. */
function hasShortNames({ hostname, from, clusterSet }: MeshService): boolean {
  return (from.kind === "Service" && clusterSet !== true) || parseServiceHost(hostname) !== undefined;
}

/** Domains as they stand in a Host header with a port; clients leave 80 out, and dial mapped ports in explicit mode. */
function withPort(domains: readonly string[], port: number): readonly string[] {
  const numbers = [...new Set([port, explicitPort(port)])];
  return domains.flatMap((domain) => [
    ...(port === 80 ? [domain] : []),
    ...numbers.map((number) => `${domain}:${number}`),
  ]);
}

/** Envoy refuses a table in which a domain stands twice: the first keeps it. */
function distinct(hosts: readonly VirtualHost[]): readonly VirtualHost[] {
  const taken = new Set<string>();
  return hosts.flatMap((host) => {
    const domains = host.domains.filter((domain) => !taken.has(domain));
    for (const domain of domains) taken.add(domain);
    return domains.length === 0 ? [] : [domains.length === host.domains.length ? host : { ...host, domains }];
  });
}

/** Without redirection there is no original destination to pass a request on to; a Sidecar's egressProxy needs none. */
function withoutDestination(model: Model, facts: ScopeFacts): VirtualHost {
  const policy = outboundPolicy(model, facts);
  if (policy.mode === "ALLOW_ANY" && policy.cluster !== PASSTHROUGH) return fallback(policy);
  return fallback({ ...outboundPolicy(model, { namespace: model.rootNamespace }), mode: "REGISTRY_ONLY" });
}

/** What a request to a host nobody knows meets. */
function fallback({ mode, cluster, provenance }: OutboundPolicy): VirtualHost {
  const name = mode === "ALLOW_ANY" ? "allow_any" : "block_all";
  const action: HttpRoute["action"] =
    mode === "ALLOW_ANY"
      ? { kind: "forward", clusters: [{ cluster, weight: 1, provenance }] }
      : { kind: "direct", status: 502, body: "" };
  const route = { name, match: MATCH_ALL, action, features: {}, operation: name, provenance };
  return { name, domains: ["*"], requireTls: false, routes: [route] };
}
