import type { Provenance } from "./provenance.ts";
import type { WeightedCluster } from "./route.ts";
import type { Protocol } from "./service.ts";

/** How a chain passes bytes on, by the DestinationRule of its first destination. Durations in milliseconds. */
export interface TcpFeatures {
  /** The client's address decides which endpoint of a consistently hashing cluster gets the connection. */
  readonly hashSourceIp?: boolean;
  /** A connection without a byte for this long is closed; 0: never. Absent: Envoy's hour. */
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  /** The bytes go through an HTTP proxy, which is asked for this `host:port`. */
  readonly tunnel?: { readonly target: string; readonly post: boolean };
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
  readonly clusters: readonly WeightedCluster[];
  readonly tcp?: TcpFeatures;
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
  readonly mtls: MtlsMode;
  readonly mtlsFrom: Provenance | undefined;
  /** The service that metrics name; undefined: a declared container port without service. */
  readonly service:
    | { readonly host: string; readonly name: string; readonly namespace: string; readonly port: number }
    | undefined;
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
}

export interface GatewayChain {
  /** Hosts for SNI matching; empty for plaintext and for `*`. */
  readonly serverNames: readonly string[];
  readonly tls:
    | {
        readonly mode: "SIMPLE" | "MUTUAL" | "OPTIONAL_MUTUAL" | "ISTIO_MUTUAL" | "PASSTHROUGH";
        readonly credentialName?: string;
      }
    | undefined;
  readonly routeTable: string | undefined;
  readonly clusters: readonly WeightedCluster[];
  readonly tcp?: TcpFeatures;
  readonly provenance: Provenance;
}
