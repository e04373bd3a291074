import { compact } from "../base/compact.ts";
import type { Inbound, InboundPort, MtlsMode } from "../ir/listener.ts";
import type { Protocol } from "../ir/service.ts";
import { listenerLog } from "./listener-log.ts";
import { HTTP_ALPN, serverSocket } from "./gateway.ts";
import { httpChainFilters } from "./hcm.ts";
import { inboundRoutes } from "./inbound-routes.ts";
import { listenerFilters } from "./listener-filters/order.ts";
import { detection } from "./outbound.ts";
import { blackHole, tcpFilters } from "./tcp-proxy.ts";
import { downstreamMeshTls, OFFERED_HTTP, OFFERED_TCP } from "./tls.ts";
import { sinceTrust } from "./trust-since.ts";
import type { ChainContext, EnvoyListener, FilterChain, FilterChainMatch, NetworkFilter, XdsOptions } from "./types.ts";
import { whyField } from "./why.ts";

/** Where iptables sends what comes to the workload. */
const CAPTURE_PORT = 15006;
const CAPTURE_NAME = "virtualInbound";

/** The cluster that sends to wherever the connection wanted to go. */
const PASSTHROUGH = "InboundPassthroughCluster";

/**
 * The listeners of traffic that comes to the workload: `virtualInbound` with chains per port, or without interception one
 * listener per port. Which connections a port takes is the matrix of mutual TLS mode and protocol in
 * reference/control-plane.md 3.2. A connection that matches no chain of its port is reset: that is how STRICT refuses
 * plaintext.
 */
export function buildInbound(inbound: Inbound, options: XdsOptions): readonly EnvoyListener[] {
  const { bindAddress } = inbound;
  if (bindAddress !== undefined) return inbound.ports.map((port) => ownListener(port, bindAddress, inbound, options));
  const captured = inbound.ports.filter(({ bind }) => bind === undefined);
  const passthrough: InboundPort = {
    targetPort: 0,
    protocol: "auto",
    cluster: PASSTHROUGH,
    mtls: inbound.defaultMtls,
    mtlsFrom: inbound.defaultMtlsFrom,
    service: undefined,
    ...(inbound.extensions === undefined ? {} : { extensions: inbound.extensions }),
  };
  const blackhole: FilterChain = {
    name: `${CAPTURE_NAME}-blackhole`,
    filter_chain_match: { destination_port: CAPTURE_PORT },
    filters: blackHole("BlackHoleCluster", "BlackHoleCluster;"),
  };
  return [
    compact({
      name: CAPTURE_NAME,
      address: { socket_address: { address: "0.0.0.0", port_value: CAPTURE_PORT } },
      traffic_direction: "INBOUND" as const,
      transparent: inbound.transparent,
      ...listenerLog(compact({ telemetry: inbound.telemetry, options })),
      listener_filters: listenerFilters({
        originalDestination: true,
        originalSource: inbound.transparent === true,
        proxyProtocol: false,
        inspectTls: true,
        inspectHttp: true,
        noTlsInspection: captured
          .filter((port) => port.mtls === "DISABLE" && !sniffs(port) && port.tls === undefined)
          .map(portNumber),
        noHttpInspection: captured.filter((port) => !sniffs(port)).map(portNumber),
      }),
      ...detection(options),
      filter_chains: [
        blackhole,
        ...captured.flatMap((port) =>
          portChains(port, inbound, options).map((chain) => atPort(chain, port.targetPort)),
        ),
        ...portChains(passthrough, inbound, options),
      ],
    }),
    ...inbound.ports.flatMap((port) => (port.bind === undefined ? [] : ownListener(port, port.bind, inbound, options))),
  ];
}

function ownListener(port: InboundPort, address: string, inbound: Inbound, options: XdsOptions): EnvoyListener {
  return {
    name: `${address}_${port.targetPort}`,
    address: { socket_address: { address, port_value: port.targetPort } },
    traffic_direction: "INBOUND",
    ...listenerLog(compact({ telemetry: inbound.telemetry, options })),
    listener_filters: listenerFilters({
      originalDestination: false,
      originalSource: false,
      proxyProtocol: false,
      inspectTls: port.mtls !== "DISABLE" || sniffs(port) || port.tls !== undefined,
      inspectHttp: sniffs(port),
      noTlsInspection: [],
      noHttpInspection: [],
    }),
    ...detection(options),
    filter_chains: portChains(port, inbound, options),
  };
}

function portNumber(port: InboundPort): number {
  return port.targetPort;
}

/** Is HTTP told from other bytes by looking; a declared protocol is believed. */
function sniffs(port: InboundPort): boolean {
  return port.protocol === "auto";
}

function isHttp(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc";
}

function atPort(chain: FilterChain, port: number): FilterChain {
  return { ...chain, filter_chain_match: { destination_port: port, ...chain.filter_chain_match } };
}

/** One way into a port: what the connection looks like, and what is spoken there. */
interface Entry {
  readonly match: FilterChainMatch;
  readonly speaks: "http" | "tcp";
  /** Terminated here; without it TLS bytes are passed on to the application as they are. */
  readonly mutualTls: boolean;
}

const RAW: FilterChainMatch = { transport_protocol: "raw_buffer" };
const RAW_HTTP: FilterChainMatch = { ...RAW, application_protocols: ["http/1.1", "h2c"] };
const TLS: FilterChainMatch = { transport_protocol: "tls" };
const MESH_HTTP: FilterChainMatch = { ...TLS, application_protocols: OFFERED_HTTP };
const MESH_TCP: FilterChainMatch = { ...TLS, application_protocols: OFFERED_TCP };
const MESH_ANY: FilterChainMatch = { ...TLS, application_protocols: [...OFFERED_TCP, ...OFFERED_HTTP] };

/** The matrix, for ports whose protocol is told by looking. */
const SNIFFED: Readonly<Record<MtlsMode, readonly Entry[]>> = {
  STRICT: [
    { match: MESH_HTTP, speaks: "http", mutualTls: true },
    { match: TLS, speaks: "tcp", mutualTls: true },
  ],
  PERMISSIVE: [
    { match: MESH_HTTP, speaks: "http", mutualTls: true },
    { match: RAW_HTTP, speaks: "http", mutualTls: false },
    { match: MESH_TCP, speaks: "tcp", mutualTls: true },
    { match: RAW, speaks: "tcp", mutualTls: false },
    { match: TLS, speaks: "tcp", mutualTls: false },
  ],
  DISABLE: [
    { match: RAW_HTTP, speaks: "http", mutualTls: false },
    { match: RAW, speaks: "tcp", mutualTls: false },
    { match: TLS, speaks: "tcp", mutualTls: false },
  ],
};

/** The matrix, for declared protocols. In DISABLE nothing is inspected, so the chain matches everything. */
const DECLARED: Readonly<Record<MtlsMode, (speaks: "http" | "tcp") => readonly Entry[]>> = {
  STRICT: (speaks) => [{ match: TLS, speaks, mutualTls: true }],
  PERMISSIVE: (speaks) => [
    { match: MESH_ANY, speaks, mutualTls: true },
    { match: RAW, speaks, mutualTls: false },
    // the application's own TLS
    ...(speaks === "tcp" ? [{ match: TLS, speaks, mutualTls: false }] : []),
  ],
  DISABLE: (speaks) => [{ match: {}, speaks, mutualTls: false }],
};

/** Where a Sidecar's own TLS is ended: HTTP by what the client offers. */
const TLS_SNIFFED: readonly Entry[] = [
  { match: { ...TLS, application_protocols: HTTP_ALPN }, speaks: "http", mutualTls: false },
  { match: TLS, speaks: "tcp", mutualTls: false },
];

function portChains(port: InboundPort, inbound: Inbound, options: XdsOptions): readonly FilterChain[] {
  const speaks = isHttp(port.protocol) ? "http" : "tcp";
  const userTls = port.mtls === "DISABLE" ? port.tls : undefined;
  const mesh = sniffs(port) ? SNIFFED[port.mtls] : DECLARED[port.mtls](speaks);
  const entries: readonly Entry[] =
    userTls === undefined ? mesh : sniffs(port) ? TLS_SNIFFED : [{ match: TLS, speaks, mutualTls: false }];
  return entries.map((entry) => {
    const chain = {
      name: chainName(port, entry),
      filter_chain_match: entry.match,
      filters: filters(port, entry, { inbound, options }),
      ...(entry.mutualTls ? { transport_socket: downstreamMeshTls(inbound.trustDomains, options.meshTls) } : {}),
      ...(userTls === undefined ? {} : { transport_socket: serverSocket(userTls, HTTP_ALPN, options) }),
      ...whyField(port.mtlsFrom),
    };
    return entry.mutualTls ? sinceTrust(chain, options) : chain;
  });
}

function chainName(port: InboundPort, entry: Entry): string {
  if (port.targetPort !== 0) return `0.0.0.0_${port.targetPort}`;
  return entry.speaks === "http" ? `${CAPTURE_NAME}-catchall-http` : CAPTURE_NAME;
}

function filters(
  port: InboundPort,
  entry: Entry,
  { inbound, options }: { readonly inbound: Inbound; readonly options: XdsOptions },
): readonly NetworkFilter[] {
  const { security, telemetry } = inbound;
  const chain: ChainContext = {
    direction: "inbound",
    mutualTls: entry.mutualTls,
    ...(port.protocol === "grpc" ? { needs: ["grpc"] as const } : {}),
    service: port.service ?? (port.cluster === PASSTHROUGH ? UNNAMED : undefined),
    ...(security === undefined ? {} : { security }),
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(port.extensions === undefined ? {} : { extensions: port.extensions }),
    ...(port.application === undefined ? {} : { application: port.application }),
    options,
  };
  if (entry.speaks === "tcp") return tcpFilters(chain, `${port.cluster};`, port.cluster);
  return httpChainFilters(chain, `inbound_${chainName(port, entry)};`, { inline: inboundRoutes(port) });
}

/** What metrics say of ports that no service names. */
const UNNAMED = { host: "unknown", name: PASSTHROUGH, namespace: "unknown" };
