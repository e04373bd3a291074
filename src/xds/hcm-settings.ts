import { compact } from "../base/compact.ts";
import type { CertPart, ForwardClientCert, ProxySettings } from "../ir/proxy-settings.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { seconds } from "./duration.ts";
import type { ChainContext } from "./types.ts";

type Hcm = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];
type Http1 = Messages["envoy.config.core.v3.Http1ProtocolOptions"];

/** What a chain says about itself and about who called, by the side it serves and by the proxy's own configuration. */
export function identity(chain: ChainContext): Partial<Hcm> {
  const { headers = {}, topology = {} } = chain.options.proxy ?? {};
  const server = serverHeader(headers.server, chain.direction === "outbound" ? undefined : "istio-envoy");
  switch (chain.direction) {
    case "outbound":
      return { use_remote_address: false, ...server };
    case "inbound":
      return {
        use_remote_address: false,
        ...server,
        ...clientCert(inboundCert(chain.mutualTls, headers.forwardedClientCert), {
          subject: true,
          uri: true,
          dns: true,
          ...headers.clientCertDetails,
        }),
      };
    case "gateway":
      return compact({
        use_remote_address: true,
        xff_num_trusted_hops: topology.trustedProxies,
        ...server,
        ...clientCert(topology.forwardClientCert ?? "SANITIZE_SET", {
          subject: true,
          cert: true,
          uri: true,
          dns: true,
        }),
      });
  }
}

/** Without mutual TLS nobody proved what the header says. */
function inboundCert(mutualTls: boolean, wanted: ForwardClientCert | undefined): ForwardClientCert {
  if (mutualTls) return wanted ?? "APPEND_FORWARD";
  return wanted === "ALWAYS_FORWARD_ONLY" ? wanted : "SANITIZE";
}

function clientCert(
  forward: ForwardClientCert,
  parts: { readonly [part in CertPart]?: boolean },
): Pick<Hcm, "forward_client_cert_details" | "set_current_client_cert_details"> {
  if (forward !== "APPEND_FORWARD" && forward !== "SANITIZE_SET") return { forward_client_cert_details: forward };
  const told = Object.fromEntries(Object.entries(parts).filter(([, isTold]) => isTold));
  return { forward_client_cert_details: forward, set_current_client_cert_details: told };
}

function serverHeader(wanted: false | string | undefined, otherwise: string | undefined): Partial<Hcm> {
  if (wanted === false) return { server_header_transformation: "PASS_THROUGH" };
  const name = wanted ?? otherwise;
  return name === undefined ? {} : { server_name: name };
}

/** Limits, times and normal forms that the proxy's own configuration sets, over the mesh's defaults; empty for most proxies. */
export function connectionOptions(settings: ProxySettings | undefined): Partial<Hcm> {
  if (settings === undefined) return {};
  const { headers = {}, connections = {} } = settings;
  const time = (milliseconds: number | undefined): string | undefined =>
    milliseconds === undefined ? undefined : seconds(milliseconds);
  return compact({
    generate_request_id: headers.requestId,
    append_x_forwarded_port: headers.forwardedPort,
    http_protocol_options: some({
      ...(headers.preserveCase === true ? PRESERVE_CASE : {}),
      accept_http_10: connections.http10,
    }),
    common_http_protocol_options: some({
      idle_timeout: time(connections.idleTimeout),
      max_connection_duration: time(connections.maxConnectionDuration),
      max_stream_duration: time(connections.maxStreamDuration),
      headers_with_underscores_action: connections.underscores,
    }),
    http2_protocol_options: some({
      max_concurrent_streams: connections.maxConcurrentStreams,
      initial_stream_window_size: connections.streamWindow,
      initial_connection_window_size: connections.connectionWindow,
    }),
    stream_idle_timeout: time(connections.streamIdleTimeout),
    request_timeout: time(connections.requestTimeout),
    request_headers_timeout: time(connections.requestHeadersTimeout),
    drain_timeout: time(connections.drainTimeout),
    merge_slashes: connections.mergeSlashes,
    path_with_escaped_slashes_action: connections.escapedSlashes,
  });
}

/** HTTP/1 headers go on in the letters they came in; on both sides of the proxy. */
export const PRESERVE_CASE: Http1 = {
  header_key_format: {
    stateful_formatter: {
      name: "preserve_case",
      typed_config: typed("envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig", {}),
    },
  },
};

function some<T extends object>(value: T): ReturnType<typeof compact<T>> | undefined {
  const present = compact(value);
  return Object.keys(present).length === 0 ? undefined : present;
}
