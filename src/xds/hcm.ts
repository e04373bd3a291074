import { compact } from "../base/compact.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { accessLogs } from "./access-loggers/order.ts";
import { httpFilters } from "./filters/order.ts";
import { connectionOptions, identity } from "./hcm-settings.ts";
import { networkFilters } from "./network-filters/order.ts";
import { tracing } from "./tracing.ts";
import type { ChainContext, EnvoyRoutes, NetworkFilter, XdsOptions } from "./types.ts";

type Hcm = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];

/** Where the routes come from: a table by RDS, or inline. */
export type RouteSource = { readonly table: string } | { readonly inline: EnvoyRoutes };

/** The filters of a chain that speaks HTTP: who the peer is, then the connection manager with the HTTP filters. */
export function httpChainFilters(
  chain: ChainContext,
  statPrefix: string,
  routes: RouteSource,
): readonly NetworkFilter[] {
  const config: Hcm = compact({
    codec_type: chain.quic === true ? ("HTTP3" as const) : ("AUTO" as const),
    http3_protocol_options: chain.quic === true ? {} : undefined,
    stat_prefix: statPrefix,
    ...routeSpecifier(routes),
    http_filters: httpFilters(chain),
    access_log: accessLogs(chain, "http"),
    ...tracing(chain.telemetry?.tracing),
    ...identity(chain),
    upgrade_configs: [{ upgrade_type: "websocket" }],
    stream_idle_timeout: "0s",
    ...pathOptions(chain.options.pathNormalization),
    proxy_100_continue: true,
    // No internal_address_config: without one no address is trusted with x-envoy headers, with an empty one all private ones are.
    ...connectionOptions(chain.options.proxy),
  });
  return [
    ...networkFilters(chain, "http"),
    {
      name: "envoy.filters.network.http_connection_manager",
      typed_config: typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", config),
    },
  ];
}

/** So that policies and applications see one path: `/a/../b` is `/b`, by choice of the mesh `//` and `%2F` are `/`. */
function pathOptions(normalization: XdsOptions["pathNormalization"]): Partial<Hcm> {
  switch (normalization) {
    case "NONE":
      return {};
    case "MERGE_SLASHES":
      return { normalize_path: true, merge_slashes: true };
    case "DECODE_AND_MERGE_SLASHES":
      return {
        normalize_path: true,
        merge_slashes: true,
        path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD",
      };
    case "BASE":
    case undefined:
      return { normalize_path: true };
  }
}

function routeSpecifier(routes: RouteSource): Pick<Hcm, "rds" | "route_config"> {
  if ("inline" in routes) return { route_config: routes.inline };
  return {
    rds: {
      route_config_name: routes.table,
      config_source: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
    },
  };
}
