import { nearest } from "../base/nearest.ts";
import { own } from "../base/own.ts";
import type { FieldPath } from "../diagnostics/finding.ts";

/**
 * Envoy's filters by kind, and what Istio adds: https://www.envoyproxy.io/docs/envoy/latest/configuration/. Names are free, so
 * only one that is nearly one of these, and none of them, is told.
 */
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  http: names(
    "adaptive_concurrency admission_control alpn alternate_protocols_cache api_key_auth aws_lambda aws_request_signing",
    "bandwidth_limit basic_auth buffer cache cdn_loop composite compressor cors credential_injector csrf custom_response",
    "decompressor dynamic_forward_proxy ext_authz ext_proc fault file_system_buffer gcp_authn geoip golang",
    "grpc_field_extraction grpc_http1_bridge grpc_http1_reverse_bridge grpc_json_reverse_transcoder grpc_json_transcoder",
    "grpc_stats grpc_web header_mutation header_to_metadata health_check ip_tagging istio_stats json_to_metadata jwt_authn",
    "kill_request local_ratelimit lua match_delegate oauth2 on_demand original_src peer_metadata proto_message_extraction",
    "rate_limit_quota ratelimit rbac router set_filter_state set_metadata stateful_session tap thrift_to_metadata",
    "upstream_codec wasm",
  ),
  network: names(
    "connection_limit direct_response dubbo_proxy echo ext_authz ext_proc http_connection_manager kafka_broker",
    "local_ratelimit match_delegate metadata_exchange mongo_proxy mysql_proxy postgres_proxy ratelimit rbac redis_proxy",
    "set_filter_state sni_cluster sni_dynamic_forward_proxy tcp_proxy thrift_proxy wasm zookeeper_proxy",
  ),
  listener: names("http_inspector local_ratelimit original_dst original_src proxy_protocol tls_inspector"),
};

function names(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(" "));
}

/** A filter that a patch looks for, by a name that no filter has but one nearly. */
export interface MistypedFilter {
  readonly name: string;
  readonly nearest: string;
  /** In the patch. */
  readonly path: FieldPath;
}

/** The mistyped names of filters that a patch of an EnvoyFilter looks for; whatever is not where it belongs is passed over. */
export function mistypedFilters(patch: unknown): readonly MistypedFilter[] {
  const filter = member(member(member(member(patch, "match"), "listener"), "filterChain"), "filter");
  const at = ["match", "listener", "filterChain", "filter"];
  const places = [
    { name: member(filter, "name"), path: [...at, "name"] },
    { name: member(member(filter, "subFilter"), "name"), path: [...at, "subFilter", "name"] },
  ];
  return places.flatMap(({ name, path }) => {
    const close = typeof name === "string" ? nearestFilter(name) : undefined;
    return close === undefined ? [] : [{ name: String(name), nearest: close, path }];
  });
}

function nearestFilter(name: string): string | undefined {
  const [, kind = "", last = ""] = /^envoy\.filters\.([a-z]+)\.([^.]+)$/.exec(name) ?? [];
  const known = own(FILTERS, kind) ?? [];
  const close = known.includes(last) ? undefined : nearest(last, known);
  return close === undefined ? undefined : `envoy.filters.${kind}.${close}`;
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
