import type { ObjectRef } from "../ir/refs.ts";
import type { HttpRoute, RouteTable, VirtualHost } from "../ir/route.ts";
import type { MeshService } from "../ir/service.ts";
import { explicitPort } from "../base/explicit-port.ts";
import { explicitServiceAddress } from "../model/explicit-bind.ts";
import { parseServiceHost } from "../model/host.ts";
import { MESH_CONFIG_MAP, type MeshConfig } from "../model/mesh-config.ts";
import { isHttp } from "../model/protocol.ts";
import type { CompileContext } from "./context.ts";
import { hashKeysOf } from "./hash-keys.ts";
import { MATCH_ALL } from "./http-match.ts";
import { defaultRoute, httpRoutes } from "./http-routes.ts";
import { HTTP_PROXY_TABLE, outboundCluster, PASSTHROUGH } from "./names.ts";
import type { ScopeFacts } from "./scope.ts";

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
  const others = (policy = model.meshConfig().outboundTrafficPolicy): VirtualHost =>
    fallback(policy, model.rootNamespace);
  const ofPort = (scope: string, port: number): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    return hosts(facts.namespace, port).map((entry) => virtualHost(scope, entry, port, domainsOf(entry, facts)));
  };
  const ofHost = (scope: string, host: string, port: number): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    const entry = { host, service: model.services.visible(facts.namespace, host) };
    // Nobody redirects in explicit mode: the address already says which service is meant, whatever the Host header says.
    if (facts.bind !== null) return [virtualHost(scope, entry, port, ["*"])];
    return [virtualHost(scope, entry, port, domainsOf(entry, facts)), others()];
  };
  const ofProxy = (scope: string): readonly VirtualHost[] => {
    const facts = context.scope(scope);
    const all = ports(facts.namespace).flatMap((port) =>
      hosts(facts.namespace, port).map((entry) =>
        virtualHost(scope, entry, port, withPort(domainsOf(entry, facts), port)),
      ),
    );
    // Without redirection there is no original destination to pass a request on to.
    return [...distinct(all), others("REGISTRY_ONLY")];
  };
  return {
    table: derivations.keyed("route table", (scope: string, name: string): RouteTable | undefined => {
      if (name === HTTP_PROXY_TABLE) return { name, portInDomains: true, virtualHosts: ofProxy(scope) };
      const colon = name.lastIndexOf(":");
      const virtualHosts =
        colon < 0
          ? [...distinct(ofPort(scope, Number(name))), others()]
          : ofHost(scope, name.slice(0, colon), Number(name.slice(colon + 1)));
      return { name, portInDomains: false, virtualHosts };
    }),
  };
}

type MakeVirtualHost = (scope: string, entry: HostOfPort, port: number, domains: readonly string[]) => VirtualHost;

/** Virtual hosts: by a VirtualService for its callers, else one and the same for all who see the service and call it so. */
function createVirtualHosts({ model, derivations, scope: factsOf }: CompileContext): MakeVirtualHost {
  const ruled = derivations.keyed("routes", (scope: string, host: string, port: number): readonly HttpRoute[] => {
    const { namespace, labels } = factsOf(scope);
    const bound = model.virtualServices.forHost(namespace, host);
    return bound === undefined ? [] : httpRoutes(model, bound, { namespace, labels, gateway: "mesh", port, host });
  });
  const unruled = derivations.keyed(
    "virtual host",
    (host: string, port: number, made: string, domains: string): VirtualHost => {
      const { from, hash } = JSON.parse(made) as Unruled;
      const route = defaultRoute(
        outboundCluster({ port, subset: "", host }),
        { host, port },
        { mesh: model.meshConfig(), hash, from: { from, path: [], lost: [] } },
      );
      return { name: `${host}:${port}`, domains: domains.split(" "), routes: [route], requireTls: false };
    },
  );
  return (scope, { host, service }, port, domains) => {
    const facts = factsOf(scope);
    const bound = model.virtualServices.forHost(facts.namespace, host);
    const isRuled = bound?.object.spec?.http !== undefined;
    if (!isRuled && service !== undefined) {
      const hash = hashKeysOf(model, facts, [outboundCluster({ port, subset: "", host })]);
      const made: Unruled = { from: service.from, hash };
      return unruled(host, port, JSON.stringify(made), domains.join(" "));
    }
    return { name: `${host}:${port}`, domains, routes: isRuled ? ruled(scope, host, port) : [], requireTls: false };
  };
}

/** What the virtual host of a service that no VirtualService rules is made of, apart from its names. */
interface Unruled {
  readonly from: ObjectRef;
  readonly hash: ReturnType<typeof hashKeysOf>;
}

/** Which hosts are routed as HTTP, port by port. */
function createHosts({ model, derivations }: CompileContext): {
  /** Hosts of a port with their service; a host that only VirtualServices name has none. */
  readonly hosts: (namespace: string, port: number) => readonly HostOfPort[];
  readonly ports: (namespace: string) => readonly number[];
} {
  const hosts = derivations.keyed("hosts of port", (namespace: string, port: number): readonly HostOfPort[] => {
    const services = model.services.allVisible(namespace).filter((service) => isRouted(service, port));
    const extra = port === HOST_ONLY_PORT ? model.virtualServices.meshHosts(namespace) : [];
    return [
      ...services.map((service) => ({ host: service.hostname, service })),
      ...extra
        .filter((host) => host !== "*" && model.services.visible(namespace, host) === undefined)
        .map((host) => ({ host, service: undefined })),
    ];
  });
  const ports = derivations.keyed("HTTP ports", (namespace: string): readonly number[] => {
    const all = model.services.allVisible(namespace).flatMap((service) => service.ports);
    const numbers = all.filter(({ protocol }) => isHttp(protocol) || protocol === "auto").map(({ number }) => number);
    return [...new Set([...numbers, HOST_ONLY_PORT])].toSorted((a, b) => a - b);
  });
  return { hosts, ports };
}

interface HostOfPort {
  readonly host: string;
  readonly service: MeshService | undefined;
}

function isRouted(service: MeshService, port: number): boolean {
  return service.ports.some(({ number, protocol }) => number === port && (isHttp(protocol) || protocol === "auto"));
}

/** Names and addresses a client may use for a service: full, short as its own namespace may write them, virtual IPs. */
function domainsOf({ host, service }: HostOfPort, { namespace, bind }: ScopeFacts): readonly string[] {
  if (service === undefined) return [host];
  const { hostname, name, namespace: owner, from, addresses } = service;
  const domains = [hostname];
  if (from.kind === "Service" || parseServiceHost(hostname) !== undefined) {
    if (owner === namespace) domains.push(name);
    domains.push(`${name}.${owner}`, `${name}.${owner}.svc`);
  }
  if (service.resolution === "passthrough" && !hostname.startsWith("*")) domains.push(`*.${hostname}`);
  for (const address of addresses) {
    domains.push(address.includes(":") ? `[${address}]` : address);
    const own = bind === null || from.kind !== "Service" ? undefined : explicitServiceAddress(bind, address);
    if (own !== undefined) domains.push(own);
  }
  return domains;
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

/** What a request to a host nobody knows meets. */
function fallback(policy: MeshConfig["outboundTrafficPolicy"], rootNamespace: string): VirtualHost {
  const provenance = {
    from: { kind: "ConfigMap", namespace: rootNamespace, name: MESH_CONFIG_MAP },
    path: ["data", "mesh", "outboundTrafficPolicy"],
    lost: [],
  };
  const name = policy === "ALLOW_ANY" ? "allow_any" : "block_all";
  const action: HttpRoute["action"] =
    policy === "ALLOW_ANY"
      ? { kind: "forward", clusters: [{ cluster: PASSTHROUGH, weight: 1, provenance }] }
      : { kind: "direct", status: 502, body: "" };
  const route = { name, match: MATCH_ALL, action, features: {}, operation: name, provenance };
  return { name, domains: ["*"], requireTls: false, routes: [route] };
}
