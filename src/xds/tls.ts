import { AGENT_SDS, MESH_ROOTS } from "../base/agent-sds.ts";
import { compact } from "../base/compact.ts";
import { type Messages, typed } from "../wire/codec.ts";
import type { ConfigSource, TlsLimits, TransportSocket } from "./types.ts";

type CommonTls = Messages["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"];
type SanMatcher = Messages["envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher"];
type Downstream = Messages["envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"];
type Upstream = Messages["envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"];

/** What mesh clients offer, by what will flow: the server tells its filter chains apart by these. */
export const ALPN = {
  h1: ["istio-http/1.1", "istio", "http/1.1"],
  h2: ["istio-h2", "istio", "h2"],
  tcp: ["istio"],
} as const;

/** What identifies HTTP of a mesh client, and TCP of one. */
export const OFFERED_HTTP: readonly string[] = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
export const OFFERED_TCP: readonly string[] = ["istio-peer-exchange", "istio"];

const TLS_SOCKET = "envoy.transport_sockets.tls";

/** Secrets over ADS, which the control plane serves to gateways. */
export const ADS_SECRETS: ConfigSource = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };

/** The same for connections out: one that never comes holds up only its cluster, not the start of the proxy. */
export const ADS_SECRETS_OUT: ConfigSource = { ...ADS_SECRETS, initial_fetch_timeout: "5s" };

/** The workload's own certificate and the mesh's roots, which the agent serves on its socket. */
export const SDS_AGENT: ConfigSource = AGENT_SDS;

/** Files beside the proxy, by name (`file-root:`, `file-cert:`), which the agent reads. One that is missing holds up only its user. */
export const SDS_AGENT_FILES: ConfigSource = { ...SDS_AGENT, initial_fetch_timeout: "5s" };

/** TLS 1.2 with forward secrecy, or TLS 1.3. */
export const TLS_PARAMS: NonNullable<CommonTls["tls_params"]> = {
  tls_minimum_protocol_version: "TLSv1_2",
  tls_maximum_protocol_version: "TLSv1_3",
  cipher_suites: [
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
  ],
};

/** The same within limits. */
export function tlsParams(limits: TlsLimits | undefined): NonNullable<CommonTls["tls_params"]> {
  if (limits === undefined) return TLS_PARAMS;
  return compact({
    tls_minimum_protocol_version: limits.minVersion ?? TLS_PARAMS.tls_minimum_protocol_version,
    tls_maximum_protocol_version: limits.maxVersion ?? TLS_PARAMS.tls_maximum_protocol_version,
    cipher_suites: limits.cipherSuites ?? TLS_PARAMS.cipher_suites,
    ecdh_curves: limits.curves,
  });
}

/** What somebody asked for, as far as limits of every TLS allow it. */
export function limitedParams(
  asked: NonNullable<CommonTls["tls_params"]>,
  limits: TlsLimits | undefined,
): NonNullable<CommonTls["tls_params"]> {
  if (limits === undefined) return asked;
  const suites = asked.cipher_suites?.filter((suite) => limits.cipherSuites?.includes(suite) ?? true) ?? [];
  return { ...tlsParams(limits), ...(suites.length === 0 ? {} : { cipher_suites: suites }) };
}

/** The workload's own certificate, and peers verified by the mesh's roots and by `sans`. */
export function meshTls(sans: readonly SanMatcher[], limits?: TlsLimits): CommonTls {
  return {
    tls_params: tlsParams(limits),
    tls_certificate_sds_secret_configs: [{ name: "default", sds_config: SDS_AGENT }],
    combined_validation_context: {
      default_validation_context: sans.length === 0 ? {} : { match_typed_subject_alt_names: sans },
      validation_context_sds_secret_config: { name: MESH_ROOTS, sds_config: SDS_AGENT },
    },
  };
}

/** Any identity of these trust domains. */
export function anyOf(trustDomains: readonly string[]): readonly SanMatcher[] {
  return trustDomains.map((domain) => ({ san_type: "URI", matcher: { prefix: `spiffe://${domain}/` } }));
}

/** Exactly these identities. */
export function exactly(uris: readonly string[]): readonly SanMatcher[] {
  return uris.map((uri) => ({ san_type: "URI", matcher: { exact: uri } }));
}

/** Mutual TLS of the mesh towards clients: who has no certificate of `trustDomains` is refused in the handshake. */
export function downstreamMeshTls(trustDomains: readonly string[], limits?: TlsLimits): TransportSocket {
  return downstream({
    common_tls_context: { ...meshTls(anyOf(trustDomains), limits), alpn_protocols: ["h2", "http/1.1"] },
    require_client_certificate: true,
  });
}

/** A TLS socket for a filter chain. */
export function downstream(context: Downstream): TransportSocket {
  return {
    name: TLS_SOCKET,
    typed_config: typed("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", context),
  };
}

/** A TLS socket for a cluster; an empty `sni` sends none. */
export function upstream(common: CommonTls, sni: string): TransportSocket {
  const context: Upstream = compact({ common_tls_context: common, sni: sni === "" ? undefined : sni });
  return {
    name: TLS_SOCKET,
    typed_config: typed("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", context),
  };
}

/** A plaintext socket, for the side of a choice that has no TLS. */
export const RAW_SOCKET: TransportSocket = {
  name: "envoy.transport_sockets.raw_buffer",
  typed_config: typed("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer", {}),
};
