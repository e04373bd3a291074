import type { ExtensionFilter } from "./extension.ts";
import type { Provenance } from "./provenance.ts";
import type { WeightedCluster } from "./route.ts";
import type { Security } from "./security.ts";
import type { Protocol } from "./service.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * What chains that speak HTTP need only for some routes. sessions: a route keeps sessions with their endpoints. dynamic-dns: a
 * route goes to whatever address the name in the request has. grpc: a port is declared as gRPC, whose messages are counted.
 */
export type ChainNeed = "sessions" | "dynamic-dns" | "grpc";

/** How a chain passes bytes on, by the DestinationRule of its first destination. Durations in milliseconds. */
export interface TcpFeatures {
  /** The client's address decides which endpoint of a consistently hashing cluster gets the connection. */
  readonly hashSourceIp?: boolean;
  /** A connection without a byte for this long is closed; 0: never. Absent: Envoy's hour. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  /** The bytes go through an HTTP proxy, which is asked for this `host:port`. */
  readonly tunnel?: { readonly target: string; readonly post: boolean };
  /** The bytes go to the host that the TLS client names, whatever its address is, at this port. */
  readonly byServerName?: { readonly port: number };
}

/** A listener of traffic that leaves the workload. */
export interface OutboundListener {
  /** `0.0.0.0_80`, `10.96.0.7_9000`, `virtualOutbound`, `127.3.0.1_15080` */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** False: reached through virtualOutbound's original destination. */
  readonly bindToPort: boolean;
  /**
   * http: HTTP by a route table, anything else to `fallback`. tcp: to `clusters`. auto: both, told apart by inspection.
   * capture: virtualOutbound itself. http-proxy: explicit HTTP proxy.
   */
  readonly kind: "http" | "tcp" | "auto" | "capture" | "http-proxy";
  readonly routeTable: string | undefined;
  /** Sorted; absent: nothing special. */
  readonly needs?: readonly ChainNeed[];
  readonly clusters: readonly WeightedCluster[];
  readonly tcp?: TcpFeatures;
  /** Extensions in its chains, in the order in which they are passed; absent: none. */
  readonly extensions?: readonly ExtensionFilter[];
  /** What is told of its traffic; absent: as without any setting. */
  readonly telemetry?: Telemetry;
  /** Connections told apart by the TLS name they ask for or the address they dialled, before anything above. */
  readonly sniChains: readonly SniChain[];
  /** Cluster for bytes that match nothing: PassthroughCluster or BlackHoleCluster. */
  readonly fallback: string;
  readonly provenance: Provenance | undefined;
}

/** TLS passed on unopened to `clusters` when its server name is one of `serverNames` (`*.` wildcards allowed; none: any bytes). */
export interface SniChain {
  readonly serverNames: readonly string[];
  /** Addresses or ranges that the client dialled; absent: any. */
  readonly destinations?: readonly string[];
  readonly clusters: readonly WeightedCluster[];
  readonly tcp?: TcpFeatures;
  readonly provenance: Provenance | undefined;
}

export type MtlsMode = "STRICT" | "PERMISSIVE" | "DISABLE";

/** One port of the workload that receives traffic through virtualInbound (or a listener of its own when nothing redirects). */
export interface InboundPort {
  /** Port the application listens on, and the one that the filter chain matches. */
  readonly targetPort: number;
  readonly protocol: Protocol;
  /** `inbound|8080||` */
  readonly cluster: string;
  /** Set when the cluster goes where connections wanted to, and the application is elsewhere (explicit mode, with authorization). */
  readonly application?: { readonly address: string; readonly port: number };
  readonly mtls: MtlsMode;
  readonly mtlsFrom: Provenance | undefined;
  /** The service that metrics name; undefined: a declared container port without service. */
  readonly service:
    | { readonly host: string; readonly name: string; readonly namespace: string; readonly port: number }
    | undefined;
  /** The address of a listener of its own; absent: it is one of virtualInbound's ports. */
  readonly bind?: string;
  /** Where the application is, when not at the port dialled; without address: at the address dialled. */
  readonly endpoint?: { readonly address: string | undefined; readonly port: number };
  /** TLS that is ended here where mutual TLS of the mesh is off. */
  readonly tls?: GatewayTls;
  readonly extensions?: readonly ExtensionFilter[];
}

/** Everything a workload receives. */
export interface Inbound {
  readonly ports: readonly InboundPort[];
  /** For ports no service names. */
  readonly defaultMtls: MtlsMode;
  readonly defaultMtlsFrom: Provenance | undefined;
  /** Trust domains (own and aliases) whose certificates are taken. */
  readonly trustDomains: readonly string[];
  /** undefined: captured at 0.0.0.0:15006. Otherwise one listener per port at this address. */
  readonly bindAddress: string | undefined;
  /** Packets come unchanged (TPROXY): the application is dialled from the client's own address. */
  readonly transparent?: true;
  /** What policies ask of callers, on every port. */
  readonly security?: Security;
  /** Extensions on ports that no service names. */
  readonly extensions?: readonly ExtensionFilter[];
  /** What is told of the traffic of all ports; absent: as without any setting. */
  readonly telemetry?: Telemetry;
}

/** One port that a gateway listens on. */
export interface GatewayListener {
  /** `0.0.0.0_8080` */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** http: one chain, one route table. tls: one chain per server. tcp: straight to clusters. */
  readonly kind: "http" | "tls" | "tcp";
  readonly chains: readonly GatewayChain[];
  /** By UDP: HTTP/3. All chains have a route table and end TLS. */
  readonly quic?: true;
  /** What policies ask of callers. */
  readonly security?: Security;
  readonly extensions?: readonly ExtensionFilter[];
  readonly telemetry?: Telemetry;
}

export interface GatewayChain {
  /** Hosts for SNI matching; empty for plaintext and for `*`. */
  readonly serverNames: readonly string[];
  /** What the client must offer (ALPN); absent: anything. */
  readonly applicationProtocols?: readonly string[];
  /** Addresses or ranges that the client dialled; absent: any. */
  readonly destinations?: readonly string[];
  readonly tls: GatewayTls | undefined;
  readonly routeTable: string | undefined;
  readonly clusters: readonly WeightedCluster[];
  readonly tcp?: TcpFeatures;
  /** HTTP clients in browsers may speak gRPC-Web. */
  readonly grpcWeb?: true;
  readonly provenance: Provenance;
}

/** How a gateway's chain ends TLS, or that it does not (PASSTHROUGH). Secrets by the names that proxies ask for them. */
export interface GatewayTls {
  readonly mode: "SIMPLE" | "MUTUAL" | "OPTIONAL_MUTUAL" | "ISTIO_MUTUAL" | "PASSTHROUGH";
  /** One, or two of different key kinds. Absent for ISTIO_MUTUAL and PASSTHROUGH. */
  readonly certificates?: readonly string[];
  /** What client certificates are verified by; absent: they are not asked for, or by the mesh's roots. */
  readonly roots?: string;
  /** Names of which a client's certificate must have one. */
  readonly subjectAltNames?: readonly string[];
  /** Hashes of public keys and of certificates of which the client's must be one. */
  readonly spki?: readonly string[];
  readonly hashes?: readonly string[];
  /** The client's certificate may come from anybody. */
  readonly acceptUntrusted?: true;
  /** `TLSv1_2`; absent: the default. */
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  readonly cipherSuites?: readonly string[];
  readonly curves?: readonly string[];
}

export type TlsVersion = "TLSv1_0" | "TLSv1_1" | "TLSv1_2" | "TLSv1_3";
