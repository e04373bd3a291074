import { nearest } from "../../base/nearest.ts";
import { own } from "../../base/own.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

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

/** A patch that looks for a filter by a mistyped name is never applied, and nobody says so. */
export const envoyfilterFilterName = defineAnalyzer({
  name: "envoyfilter-filter-name",
  summary: "Finds mistyped names of filters that EnvoyFilters look for.",
  reads: ["EnvoyFilter"],
  codes: ["MSH0118"],
  analyze: (input) => {
    for (const object of input.world.list("EnvoyFilter"))
      for (const { name, path } of filterNames(object)) checkName(input, object, name, path);
  },
});

interface FilterName {
  readonly name: string;
  readonly path: FieldPath;
}

function checkName(
  { report }: AnalyzerInput<"EnvoyFilter", "MSH0118">,
  object: KubeObject,
  name: string,
  path: FieldPath,
): void {
  const [, kind = "", last = ""] = /^envoy\.filters\.([a-z]+)\.([^.]+)$/.exec(name) ?? [];
  const known = own(FILTERS, kind) ?? [];
  const close = known.includes(last) ? undefined : nearest(last, known);
  if (close !== undefined) report(object, path, "MSH0118", { filter: name, nearest: `envoy.filters.${kind}.${close}` });
}

/** The names that the patches of an object look for; whatever is not where it belongs is passed over: validation says so. */
function filterNames(object: KubeObject): readonly FilterName[] {
  const patches = member(object.spec, "configPatches");
  return (Array.isArray(patches) ? patches : []).flatMap((patch: unknown, index) => {
    const filter = member(member(member(member(patch, "match"), "listener"), "filterChain"), "filter");
    const at = ["spec", "configPatches", index, "match", "listener", "filterChain", "filter"];
    const places = [
      { name: member(filter, "name"), path: [...at, "name"] },
      { name: member(member(filter, "subFilter"), "name"), path: [...at, "subFilter", "name"] },
    ];
    return places.flatMap(({ name, path }) => (typeof name === "string" ? [{ name, path }] : []));
  });
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
