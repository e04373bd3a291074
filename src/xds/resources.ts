import type { Named, ProxyConfig } from "../ir/config.ts";
import { typed } from "../wire/codec.ts";
import { buildCluster } from "./cluster.ts";
import { buildEndpoints } from "./endpoints.ts";
import { buildExtension } from "./extension.ts";
import { buildGatewayListener } from "./gateway.ts";
import { buildInbound } from "./inbound.ts";
import { buildNameTable, NAME_TABLE } from "./name-table.ts";
import { buildOutboundListener } from "./outbound.ts";
import { createPatcher, type OnPatch } from "./patches/apply.ts";
import { buildRouteTable } from "./routes.ts";
import { buildSecret } from "./secret.ts";
import type { EnvoyListener, EnvoyResource, XdsKind, XdsOptions } from "./types.ts";

/** What one proxy is served, by name, as Envoy resources. */
export interface Resources {
  /** Names in push order, and whether the scope or the workload owns each: what the scope owns is equal for all its proxies. */
  names(kind: XdsKind): readonly Named[];
  /** In JSON form with `@type`; undefined for a name that this proxy does not have. Equal configuration, equal content. */
  resource(kind: XdsKind, name: string): EnvoyResource | undefined;
  /**
   * The object that alone, with the options of the mesh, decides what the resource is: proxies of which it is the same object
   * have the same resource. Undefined where more has a say (patches, the proxy's own settings, several objects).
   */
  origin(kind: XdsKind, name: string): object | undefined;
}

/**
 * The Envoy resources of a proxy; `onPatch` hears of patches of EnvoyFilters that cannot be applied. Pure: every answer is computed from the lookups of `config`, so a derivation that calls
 * it depends on exactly what the answer read. Secrets are only a gateway's: a sidecar's own come from its agent.
 */
export function resourcesFor(config: ProxyConfig, options: XdsOptions, onPatch: OnPatch = () => undefined): Resources {
  const { settings } = config.proxy;
  const own = settings === undefined ? options : { ...options, proxy: settings };
  const build = (kind: XdsKind, name: string): EnvoyResource | undefined => BUILDERS[kind](config, name, own);
  const patches = config.patches?.() ?? [];
  const names = (kind: XdsKind): readonly Named[] => NAMES[kind](config);
  if (patches.length === 0)
    return {
      names,
      resource: build,
      origin: (kind, name) => (own === options ? ORIGINS[kind]?.(config, name) : undefined),
    };
  const patcher = createPatcher(patches, config.proxy.type === "router", onPatch);
  return {
    names: (kind) => withAdded(names(kind), patcher.added(kind)),
    resource: (kind, name) => patcher.patched(kind, name, build(kind, name)),
    origin: () => undefined,
  };
}

function withAdded(known: readonly Named[], added: readonly string[]): readonly Named[] {
  const more = added.filter((name) => !known.some((one) => one.name === name));
  return more.length === 0 ? known : [...known, ...more.map(scopeOwned)];
}

const scopeOwned = (name: string): Named => ({ name, owner: "scope" });

const NAMES: Readonly<Record<XdsKind, (config: ProxyConfig) => readonly Named[]>> = {
  cluster: (config) => config.clusterNames(),
  endpoint: (config) => config.clusterNames().filter(({ name }) => config.cluster(name)?.discovery === "eds"),
  listener: (config) => [
    ...inboundNames(config),
    ...config.outboundListeners().map(({ name }) => scopeOwned(name)),
    ...config.gatewayListeners().map(({ name }) => scopeOwned(name)),
  ],
  route: (config) => config.routeTableNames().map(scopeOwned),
  extension: (config) => (config.extensions?.() ?? []).map(({ name }) => scopeOwned(name)),
  secret: (config) => config.secretNames().map(scopeOwned),
  nametable: (config) => (config.nameTable() === undefined ? [] : [scopeOwned(NAME_TABLE)]),
};

const ORIGINS: Partial<Readonly<Record<XdsKind, (config: ProxyConfig, name: string) => object | undefined>>> = {
  cluster: (config, name) => config.cluster(name),
  endpoint: (config, name) => config.endpoints(name),
  listener: (config, name) => config.outboundListeners().find((listener) => listener.name === name),
};

type Build = (config: ProxyConfig, name: string, options: XdsOptions) => EnvoyResource | undefined;

const BUILDERS: Readonly<Record<XdsKind, Build>> = {
  cluster(config, name, options) {
    const cluster = config.cluster(name);
    return cluster && typed("envoy.config.cluster.v3.Cluster", buildCluster(cluster, options));
  },
  endpoint(config, name) {
    const group = config.endpoints(name);
    return group && typed("envoy.config.endpoint.v3.ClusterLoadAssignment", buildEndpoints(group));
  },
  listener(config, name, options) {
    const listener = findListener(config, name, options);
    return listener && typed("envoy.config.listener.v3.Listener", buffered(listener, options));
  },
  route(config, name, { proxy }) {
    const table = config.routeTable(name);
    const context = {
      protocolOf: (cluster: string) => config.cluster(cluster)?.protocol,
      headers: proxy?.headers,
    };
    return table && typed("envoy.config.route.v3.RouteConfiguration", buildRouteTable(table, context));
  },
  extension(config, name) {
    const extension = config.extensions?.().find((one) => one.name === name);
    return extension && typed("envoy.config.core.v3.TypedExtensionConfig", buildExtension(extension));
  },
  secret(config, name) {
    const secret = config.secret(name);
    return secret && typed("envoy.extensions.transport_sockets.tls.v3.Secret", buildSecret(name, secret));
  },
  nametable(config) {
    const entries = config.nameTable();
    return entries && typed("istio.networking.nds.v1.NameTable", buildNameTable(entries));
  },
};

function findListener(config: ProxyConfig, name: string, options: XdsOptions): EnvoyListener | undefined {
  const outbound = config.outboundListeners().find((listener) => listener.name === name);
  if (outbound !== undefined) return buildOutboundListener(outbound, options);
  const gateway = config.gatewayListeners().find((listener) => listener.name === name);
  if (gateway !== undefined) return buildGatewayListener(gateway, options);
  const inbound = config.inbound();
  return inbound && buildInbound(inbound, options).find((listener) => listener.name === name);
}

/** The most that a connection of the listener may hold in memory, where the proxy's configuration says it. */
function buffered(listener: EnvoyListener, { proxy }: XdsOptions): EnvoyListener {
  const bytes = proxy?.connections?.listenerBuffer;
  return bytes === undefined ? listener : { ...listener, per_connection_buffer_limit_bytes: bytes };
}

/** Names of the inbound listeners, without building their chains. */
function inboundNames(config: ProxyConfig): readonly Named[] {
  const inbound = config.inbound();
  if (inbound === undefined) return [];
  const { bindAddress, ports } = inbound;
  const names =
    bindAddress === undefined
      ? [
          "virtualInbound",
          ...ports.flatMap(({ bind, targetPort }) => (bind === undefined ? [] : `${bind}_${targetPort}`)),
        ]
      : ports.map((port) => `${bindAddress}_${port.targetPort}`);
  return names.map((name) => ({ name, owner: "workload" }));
}
