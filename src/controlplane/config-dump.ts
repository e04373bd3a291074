import { decodeMessage, type TypedAny, typeOfUrl } from "../wire/codec.ts";
import { TYPE_URLS, type XdsKind } from "../xds/types.ts";
import type { EncodedResource } from "./resource-table.ts";
import { wantedOf } from "./subscription.ts";
import type { XdsStream } from "./xds-stream.ts";

interface Section {
  readonly type: string;
  readonly kind: XdsKind;
  readonly list: string;
  readonly entry: (resource: EncodedResource) => object;
}

const SECTIONS: readonly Section[] = [
  section("ClustersConfigDump", "cluster", "dynamic_active_clusters", "cluster"),
  section("EndpointsConfigDump", "endpoint", "dynamic_endpoint_configs", "endpoint_config"),
  {
    ...section("ListenersConfigDump", "listener", "dynamic_listeners", "listener"),
    entry: (resource) => ({
      name: resource.name,
      active_state: { version_info: resource.version, listener: content("listener", resource) },
    }),
  },
  section("RoutesConfigDump", "route", "dynamic_route_configs", "route_config"),
  section("EcdsConfigDump", "extension", "ecds_filters", "ecds_filter"),
  {
    ...section("SecretsConfigDump", "secret", "dynamic_active_secrets", "secret"),
    // what is in it is never told
    entry: ({ name, version }) => ({ name, version_info: version }),
  },
];

/**
 * What the proxy is to run, in the shape of Envoy's own config_dump: everything of the types that it wants all of, and what it
 * asked for of the others. Of Secrets the name and the version alone.
 */
export function configDump(stream: XdsStream): unknown {
  const snapshot = stream.snapshot();
  const configs = SECTIONS.map(({ type, kind, list, entry }) => {
    const table = snapshot === undefined ? new Map() : wantedOf(stream.subscription(kind), snapshot[kind]);
    return { "@type": `type.googleapis.com/envoy.admin.v3.${type}`, [list]: [...table.values()].map(entry) };
  });
  return { configs };
}

function section(type: string, kind: XdsKind, list: string, item: string): Section {
  const entry = (resource: EncodedResource): object => ({
    version_info: resource.version,
    [item]: content(kind, resource),
  });
  return { type, kind, list, entry };
}

function content(kind: XdsKind, { bytes }: EncodedResource): TypedAny {
  const typeUrl = TYPE_URLS[kind];
  return { "@type": typeUrl, ...(decodeMessage(typeOfUrl(typeUrl), bytes) as object) };
}
