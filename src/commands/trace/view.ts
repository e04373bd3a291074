import type { Mesh } from "../../compile/mesh.ts";
import type { ProxyConfig } from "../../ir/config.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { generatedOptions } from "../../model/generated-options.ts";
import { decodeAny, encodeAny, type Messages } from "../../wire/codec.ts";
import { resourcesFor } from "../../xds/resources.ts";
import type { XdsKind } from "../../xds/types.ts";

/** What a proxy holds, as Envoy reads it from the bytes that it is sent. */
export interface ProxyView {
  readonly proxy: Proxy;
  readonly config: ProxyConfig;
  listeners(): readonly Messages["envoy.config.listener.v3.Listener"][];
  routes(name: string): Messages["envoy.config.route.v3.RouteConfiguration"] | undefined;
  cluster(name: string): Messages["envoy.config.cluster.v3.Cluster"] | undefined;
  endpoints(cluster: string): Messages["envoy.config.endpoint.v3.ClusterLoadAssignment"] | undefined;
}

/** Resources are built when they are asked for, once. */
export function viewOf(mesh: Mesh, proxy: Proxy): ProxyView {
  const config = mesh.proxyConfig(proxy);
  const resources = resourcesFor(config, generatedOptions(mesh.model.meshConfig()));
  const known = new Map<string, unknown>();
  const read = (kind: XdsKind, name: string): unknown => {
    const key = `${kind} ${name}`;
    if (!known.has(key)) known.set(key, decoded(kind, name));
    return known.get(key);
  };
  const decoded = (kind: XdsKind, name: string): unknown => {
    const resource = resources.resource(kind, name);
    if (resource === undefined) return undefined;
    const { typeUrl, bytes } = encodeAny(resource);
    return decodeAny(typeUrl, bytes);
  };
  return {
    proxy,
    config,
    listeners: () =>
      resources.names("listener").map(({ name }) => read("listener", name)) as ReturnType<ProxyView["listeners"]>,
    routes: (name) => read("route", name) as ReturnType<ProxyView["routes"]>,
    cluster: (name) => read("cluster", name) as ReturnType<ProxyView["cluster"]>,
    endpoints: (name) => read("endpoint", name) as ReturnType<ProxyView["endpoints"]>,
  };
}
