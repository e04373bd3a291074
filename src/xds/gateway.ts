import { compact } from "../base/compact.ts";
import type { GatewayChain, GatewayListener } from "../ir/listener.ts";
import { certificateSecret, rootsSecret } from "../ir/secret.ts";
import { type Messages } from "../wire/codec.ts";
import { httpChainFilters } from "./hcm.ts";
import { inspection } from "./outbound.ts";
import { whyField } from "./why.ts";
import { tcpFilters } from "./tcp-proxy.ts";
import { ADS_SECRETS, downstream, downstreamMeshTls, TLS_PARAMS } from "./tls.ts";
import type { ChainContext, EnvoyListener, FilterChain, NetworkFilter, TransportSocket, XdsOptions } from "./types.ts";

type CommonTls = Messages["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"];

/**
 * One port of a gateway. http: one chain with the port's route table; tls: a chain per server, chosen by SNI; tcp:
 * straight on. Gateways never guess protocols. Secrets come from the control plane over ADS, named `kubernetes://name`.
 */
export function buildGatewayListener(listener: GatewayListener, options: XdsOptions): EnvoyListener {
  const inspectTls = listener.chains.some((chain) => chain.tls !== undefined);
  const proxyProtocol = options.proxy?.topology?.proxyProtocol === true;
  return compact({
    name: listener.name,
    address: { socket_address: { address: listener.address, port_value: listener.port } },
    traffic_direction: "OUTBOUND" as const,
    ...inspection({ inspectTls, inspectHttp: false, proxyProtocol }, options),
    filter_chains: listener.chains.map((chain) => filterChain(listener, chain, options)),
  });
}

/** How long a client may take for its handshake. */
const HANDSHAKE_TIMEOUT = "15s";

function filterChain(listener: GatewayListener, from: GatewayChain, options: XdsOptions): FilterChain {
  const socket = from.tls === undefined ? undefined : transportSocket(from.tls, options);
  const names = from.serverNames.length === 0 ? {} : { server_names: from.serverNames };
  return compact({
    filter_chain_match: from.tls === undefined ? undefined : { transport_protocol: "tls", ...names },
    filters: filters(listener, from, options),
    ...whyField(from.provenance),
    transport_socket: socket,
    transport_socket_connect_timeout: socket === undefined ? undefined : HANDSHAKE_TIMEOUT,
  });
}

function filters(listener: GatewayListener, from: GatewayChain, options: XdsOptions): readonly NetworkFilter[] {
  const chain: ChainContext = {
    direction: "gateway",
    mutualTls: from.tls?.mode === "ISTIO_MUTUAL",
    service: undefined,
    options,
  };
  if (from.routeTable !== undefined)
    return httpChainFilters(chain, `outbound_${listener.name};`, { table: from.routeTable });
  return tcpFilters(chain, `${from.clusters[0]?.cluster ?? "BlackHoleCluster"};`, from.clusters, from.tcp);
}

function transportSocket(tls: NonNullable<GatewayChain["tls"]>, options: XdsOptions): TransportSocket | undefined {
  switch (tls.mode) {
    case "PASSTHROUGH":
      return undefined;
    case "ISTIO_MUTUAL":
      return downstreamMeshTls(options.trustDomains);
    case "SIMPLE":
      return downstream({
        common_tls_context: serverTls(tls.credentialName ?? "", false),
        require_client_certificate: false,
      });
    case "MUTUAL":
    case "OPTIONAL_MUTUAL":
      return downstream({
        common_tls_context: serverTls(tls.credentialName ?? "", true),
        require_client_certificate: tls.mode === "MUTUAL",
      });
  }
}

function serverTls(credential: string, verifyClient: boolean): CommonTls {
  return compact({
    tls_params: TLS_PARAMS,
    alpn_protocols: ["h2", "http/1.1"],
    tls_certificate_sds_secret_configs: [{ name: certificateSecret(credential), sds_config: ADS_SECRETS }],
    validation_context_sds_secret_config: verifyClient
      ? { name: rootsSecret(credential), sds_config: ADS_SECRETS }
      : undefined,
  });
}
