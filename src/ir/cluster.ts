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
  /** The rule is for selected workloads: sidecars among them are given the Secret too, not only gateways. */
  readonly forSelected?: true;
  readonly caCertificates?: string;
  /** File with revocation lists. */
  readonly caCrl?: string;
  /** PEM of the only authorities taken; empty: none is. */
  readonly roots?: string;
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  /** Take any certificate. */
  readonly insecureSkipVerify?: boolean;
}

/** Circuit breaking and pool limits of DestinationRule.connectionPool, durations in milliseconds. */
export interface ConnectionPool {
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  /** Of connections that carry no request; 0: never closed. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  /** Probes of the kernel, times in seconds. */
  readonly tcpKeepalive?: { readonly probes?: number; readonly timeS?: number; readonly intervalS?: number };
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRetries?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxConcurrentStreams?: number;
  readonly http2KeepAlive?: { readonly intervalMs: number; readonly timeoutMs: number };
  /** Retries in flight in percent of requests in flight; stands for maxRetries. */
  readonly retryBudget?: { readonly percent: number; readonly minConcurrency: number; readonly intervalMs?: number };
}

export interface OutlierDetection {
  /** Statuses that count as errors; absent: 500 to 599. */
  readonly errorCodes?: readonly number[];
  readonly consecutive5xx?: number;
  readonly consecutiveGatewayErrors?: number;
  /** Only with `splitLocalErrors`: failures to connect, counted apart. */
  readonly consecutiveLocalFailures?: number;
  readonly splitLocalErrors?: boolean;
  readonly intervalMs?: number;
  readonly baseEjectionTimeMs?: number;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
}

/** How an endpoint is chosen. */
export type LoadBalancer =
  | { readonly kind: "LEAST_REQUEST" | "ROUND_ROBIN"; readonly warmup?: Warmup }
  | { readonly kind: "RANDOM" | "PASSTHROUGH" }
  | { readonly kind: "RING_HASH"; readonly minimumRingSize: number }
  | { readonly kind: "MAGLEV"; readonly tableSize?: number };

/** A new endpoint's share grows from `minimumPercent` over this time. */
export interface Warmup {
  readonly durationMs: number;
  readonly minimumPercent: number;
  /** Shape of the growth; 1 is a straight line. */
  readonly aggression: number;
}

/** One Envoy cluster, whatever its source. */
export interface Cluster {
  /** `outbound|80|v1|host`, `inbound|8080||`, `PassthroughCluster`, `BlackHoleCluster`, `InboundPassthroughCluster` */
  readonly name: string;
  readonly direction: "outbound" | "inbound";
  readonly discovery: "eds" | "original-dst" | "static" | "strict-dns" | "logical-dns" | "dynamic-dns" | "none";
  /** Decides the upstream HTTP protocol: explicit h2 for http2 and grpc, downstream's for auto, else h1. */
  readonly protocol: Protocol;
  /** For static and dns clusters. */
  readonly endpoints: readonly Endpoint[];
  /** With discovery original-dst: the port that is dialled at the client's address, instead of the client's. */
  readonly originalPort?: number;
  /** Address to connect from, e.g. 127.0.0.6 (which iptables exempts) for inbound. */
  readonly sourceAddress: string | undefined;
  readonly tls: ClusterTls | undefined;
  readonly connectionPool: ConnectionPool;
  readonly outlierDetection: OutlierDetection | undefined;
  readonly loadBalancer: LoadBalancer;
  /** Endpoints that are going away are used still, by the sessions that they have. */
  readonly keepsSessions?: boolean;
  /** Endpoints are chosen by their locality's weight first. */
  readonly localityWeighted?: boolean;
  /** Header with the client's address that the server is sent before anything else. */
  readonly proxyProtocol?: "V1" | "V2";
  /** Feeds metrics and Kiali: metadata `istio.svc` and `istio.services`. */
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string } | undefined;
  readonly subset: string;
  /** In statistics; absent: its name. */
  readonly statName?: string;
  readonly meshExternal: boolean;
  readonly provenance: Provenance | undefined;
}
