import { isIP } from "node:net";
import { compact } from "../base/compact.ts";
import type { GatewayChain, GatewayListener, GatewayTls } from "../ir/listener.ts";
import { isClusterSecret } from "../ir/secret.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { listenerLog } from "./listener-log.ts";
import { cidrRange } from "./cidr.ts";
import { httpChainFilters } from "./hcm.ts";
import { inspection } from "./outbound.ts";
import { tcpFilters } from "./tcp-proxy.ts";
import {
  ADS_SECRETS,
  anyOf,
  downstream,
  limitedParams,
  meshTls,
  OFFERED_TCP,
  SDS_AGENT_FILES,
  TLS_PARAMS,
} from "./tls.ts";
import { sinceTrust } from "./trust-since.ts";
import type {
  ChainContext,
  ConfigSource,
  EnvoyListener,
  FilterChain,
  NetworkFilter,
  TransportSocket,
  XdsOptions,
} from "./types.ts";
import { whyField } from "./why.ts";

type CommonTls = Messages["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"];
type DownstreamTls = Messages["envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"];

/**
 * One port of a gateway. http: one chain with the port's route table; tls: a chain per server, chosen by SNI; tcp:
 * straight on. Gateways never guess protocols. Secrets come from the control plane over ADS, named `kubernetes://name`.
 */
export function buildGatewayListener(listener: GatewayListener, options: XdsOptions): EnvoyListener {
  if (listener.quic === true) return quicListener(listener, options);
  const inspectTls = listener.chains.some((chain) => chain.tls !== undefined);
  const proxyProtocol = options.proxy?.topology?.proxyProtocol === true;
  return compact({
    name: listener.name,
    address: { socket_address: { address: listener.address, port_value: listener.port } },
    traffic_direction: "OUTBOUND" as const,
    ...listenerLog(compact({ telemetry: listener.telemetry, options })),
    ...inspection({ inspectTls, inspectHttp: false, proxyProtocol }, options),
    filter_chains: listener.chains.map((chain) => filterChain(listener, chain, options)),
  });
}

/** The same by QUIC: server names are read by QUIC itself, and nothing announces where a datagram came from. */
function quicListener(listener: GatewayListener, options: XdsOptions): EnvoyListener {
  return {
    name: listener.name,
    address: {
      socket_address: { protocol: "UDP", address: listener.address, port_value: listener.port },
    },
    traffic_direction: "OUTBOUND",
    udp_listener_config: { quic_options: {}, downstream_socket_config: { prefer_gro: true } },
    filter_chains: listener.chains.map((chain) => quicChain(listener, chain, options)),
  };
}

function quicChain(listener: GatewayListener, from: GatewayChain, options: XdsOptions): FilterChain {
  return compact({
    filter_chain_match: from.serverNames.length === 0 ? undefined : { server_names: from.serverNames },
    filters: filters(listener, from, options),
    ...whyField(from.provenance),
    transport_socket:
      from.tls &&
      ({
        name: "envoy.transport_sockets.quic",
        typed_config: typed("envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport", {
          downstream_tls_context: serverContext(from.tls, HTTP3_ALPN, options),
        }),
      } as const),
  });
}

/** How long a client may take for its handshake. */
const HANDSHAKE_TIMEOUT = "15s";

function filterChain(listener: GatewayListener, from: GatewayChain, options: XdsOptions): FilterChain {
  const inside = from.routeTable === undefined ? "bytes" : "http";
  const socket = from.tls === undefined ? undefined : transportSocket(from.tls, inside, options);
  const chain = compact({
    filter_chain_match:
      from.tls === undefined
        ? undefined
        : compact({
            transport_protocol: "tls",
            server_names: from.serverNames.length === 0 ? undefined : from.serverNames,
            application_protocols: from.applicationProtocols,
            prefix_ranges: from.destinations?.map(cidrRange),
          }),
    filters: filters(listener, from, options),
    ...whyField(from.provenance),
    transport_socket: socket,
    transport_socket_connect_timeout: socket === undefined ? undefined : HANDSHAKE_TIMEOUT,
  });
  return from.tls?.mode === "ISTIO_MUTUAL" ? sinceTrust(chain, options) : chain;
}

function filters(listener: GatewayListener, from: GatewayChain, options: XdsOptions): readonly NetworkFilter[] {
  const chain: ChainContext = {
    direction: "gateway",
    mutualTls: from.tls?.mode === "ISTIO_MUTUAL",
    service: undefined,
    ...(from.grpcWeb === undefined ? {} : { grpcWeb: from.grpcWeb }),
    ...(listener.quic === undefined ? {} : { quic: listener.quic }),
    ...(listener.security === undefined ? {} : { security: listener.security }),
    ...(listener.extensions === undefined ? {} : { extensions: listener.extensions }),
    ...(listener.telemetry === undefined ? {} : { telemetry: listener.telemetry }),
    options,
  };
  if (from.routeTable !== undefined)
    return httpChainFilters(chain, `outbound_${listener.name};`, { table: from.routeTable });
  return tcpFilters(chain, `${from.clusters[0]?.cluster ?? "BlackHoleCluster"};`, from.clusters, from.tcp);
}

function transportSocket(tls: GatewayTls, inside: "http" | "bytes", options: XdsOptions): TransportSocket | undefined {
  const alpn = inside === "http" || tls.mode !== "ISTIO_MUTUAL" ? HTTP_ALPN : MESH_BYTES_ALPN;
  switch (tls.mode) {
    case "PASSTHROUGH":
      return undefined;
    case "ISTIO_MUTUAL":
      return downstream({
        common_tls_context: {
          ...meshTls(sansOf(tls) ?? anyOf(options.callerDomains ?? options.trustDomains), options.meshTls),
          alpn_protocols: alpn,
        },
        require_client_certificate: true,
      });
    case "SIMPLE":
    case "MUTUAL":
    case "OPTIONAL_MUTUAL":
      return serverSocket(tls, alpn, options);
  }
}

/** TLS with certificates of its own, not the mesh's. */
export function serverSocket(tls: GatewayTls, alpn: readonly string[], options: XdsOptions): TransportSocket {
  return downstream(serverContext(tls, alpn, options));
}

function serverContext(tls: GatewayTls, alpn: readonly string[], options: XdsOptions): DownstreamTls {
  return { common_tls_context: serverTls(tls, alpn, options), require_client_certificate: tls.mode === "MUTUAL" };
}

/** What a server of HTTP offers. */
export const HTTP_ALPN: readonly string[] = ["h2", "http/1.1"];
const HTTP3_ALPN: readonly string[] = ["h3"];
/** Mesh clients offer the first for bytes; the others are for clients that think of HTTP. */
const MESH_BYTES_ALPN: readonly string[] = [...OFFERED_TCP, ...HTTP_ALPN];

function serverTls(tls: GatewayTls, alpn: readonly string[], { allTls }: XdsOptions): CommonTls {
  return compact({
    tls_params: limitedParams(
      compact({
        tls_minimum_protocol_version: tls.minVersion ?? TLS_PARAMS.tls_minimum_protocol_version,
        tls_maximum_protocol_version: tls.maxVersion ?? TLS_PARAMS.tls_maximum_protocol_version,
        cipher_suites: tls.cipherSuites ?? TLS_PARAMS.cipher_suites,
        ecdh_curves: tls.curves,
      }),
      allTls,
    ),
    alpn_protocols: alpn,
    tls_certificate_sds_secret_configs: (tls.certificates ?? []).map(secret),
    combined_validation_context:
      tls.roots === undefined
        ? undefined
        : {
            default_validation_context: clientChecks(tls),
            validation_context_sds_secret_config: secret(tls.roots),
          },
  });
}

/** A secret by its name: from the control plane, or a file beside the proxy, which its agent reads. */
function secret(name: string): { readonly name: string; readonly sds_config: ConfigSource } {
  return { name, sds_config: isClusterSecret(name) ? ADS_SECRETS : SDS_AGENT_FILES };
}

/** What a client's certificate must be besides signed by the roots. */
function clientChecks(
  tls: GatewayTls,
): Messages["envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext"] {
  return compact({
    match_typed_subject_alt_names: sansOf(tls),
    verify_certificate_spki: tls.spki,
    verify_certificate_hash: tls.hashes,
    trust_chain_verification: tls.acceptUntrusted === true ? ("ACCEPT_UNTRUSTED" as const) : undefined,
  });
}

/** Names of which a client's certificate must have one; undefined: it may have any. */
function sansOf({ subjectAltNames }: GatewayTls): Parameters<typeof meshTls>[0] | undefined {
  return subjectAltNames?.map((name) => ({ san_type: sanType(name), matcher: { exact: name } }));
}

function sanType(name: string): "URI" | "EMAIL" | "IP_ADDRESS" | "DNS" {
  if (name.includes("://")) return "URI";
  if (name.includes("@")) return "EMAIL";
  return isIP(name) === 0 ? "DNS" : "IP_ADDRESS";
}
