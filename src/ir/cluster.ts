import type { Provenance } from "./provenance.ts";
import type { Endpoint, Protocol } from "./service.ts";

/** TLS that a client-side cluster uses. `auto`: mutual TLS to endpoints whose tlsMode is "istio", plaintext to others. */
export interface ClusterTls {
  readonly mode: "auto" | "disable" | "istio-mutual" | "simple" | "mutual";
  /** Server name sent; for mesh clusters `outbound_.80_._.host`. */
  readonly sni: string;
  /** Exact URI SANs accepted of the server (SPIFFE identities of its service accounts); empty: any of the trust domain. */
  readonly subjectAltNames: readonly string[];
  readonly credentialName?: string;
  readonly caCertificates?: string;
  readonly clientCertificate?: string;
  readonly privateKey?: string;
}

/** Circuit breaking and pool limits of DestinationRule.connectionPool, durations in milliseconds. */
export interface ConnectionPool {
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRetries?: number;
  readonly maxRequestsPerConnection?: number;
}

export interface OutlierDetection {
  readonly consecutive5xx?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly intervalMs?: number;
  readonly baseEjectionTimeMs?: number;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
}

export type LoadBalancer = "LEAST_REQUEST" | "ROUND_ROBIN" | "RANDOM" | "PASSTHROUGH";

/** One Envoy cluster, whatever its source. */
export interface Cluster {
  /** `outbound|80|v1|host`, `inbound|8080||`, `PassthroughCluster`, `BlackHoleCluster`, `InboundPassthroughCluster` */
  readonly name: string;
  readonly direction: "outbound" | "inbound";
  readonly discovery: "eds" | "original-dst" | "static" | "strict-dns" | "logical-dns" | "none";
  /** Decides the upstream HTTP protocol: explicit h2 for http2 and grpc, downstream's for auto, else h1. */
  readonly protocol: Protocol;
  /** For static and dns clusters. */
  readonly endpoints: readonly Endpoint[];
  /** Address to connect from, e.g. 127.0.0.6 (which iptables exempts) for inbound. */
  readonly sourceAddress: string | undefined;
  readonly tls: ClusterTls | undefined;
  readonly connectionPool: ConnectionPool;
  readonly outlierDetection: OutlierDetection | undefined;
  readonly loadBalancer: LoadBalancer;
  /** Feeds metrics and Kiali: metadata `istio.svc` and `istio.services`. */
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string } | undefined;
  readonly subset: string;
  readonly meshExternal: boolean;
  readonly provenance: Provenance | undefined;
}
