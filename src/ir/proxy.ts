import type { PeerLabels } from "../base/peer.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import type { Locality } from "./service.ts";
import type { OwnTracing } from "./telemetry.ts";

/** How traffic reaches the proxy. NONE: no interception, listeners bind the addresses of `bind`. */
export type Interception = "REDIRECT" | "TPROXY" | "NONE";

/**
 * Explicit addresses of a proxy that nothing redirects to (interception NONE, e.g. a workload on a loopback address).
 * With `prefix` "127.3": mesh address 127.3.0.1 (what peers dial: the pod's IP), application address 127.3.0.2, and the
 * service whose cluster IP ends in S.s (S >= 1) is reached at 127.3.S.s, an address only this workload's proxy binds.
 */
export interface ExplicitBind {
  readonly prefix: string;
  /** Where the application listens, e.g. 127.3.0.2. */
  readonly appAddress: string;
  /** Port of the HTTP proxy listener on the mesh address, for clients that honour `http_proxy`. */
  readonly httpProxyPort: number;
}

/** What the control plane knows of one connected Envoy: from its Node, and from its pod (labels are never its own claim). */
export interface Proxy {
  /** `sidecar~10.1.0.5~web-abc.shop~shop.svc.cluster.local` */
  readonly id: string;
  readonly type: "sidecar" | "router";
  readonly addresses: readonly string[];
  readonly namespace: string;
  /** Pod name. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly clusterId: string;
  /** e.g. `shop.svc.cluster.local`: the suffix that short host names get. */
  readonly dnsDomain: string;
  readonly interception: Interception;
  readonly bind: ExplicitBind | undefined;
  /** Of a workload outside the cluster: where it serves which port of a service, by the port's name. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Of a workload outside the cluster: where its entry says that it runs. */
  readonly locality?: Locality;
  readonly peer: PeerLabels;
  /** What its own configuration asks; absent: nothing. */
  readonly settings?: ProxySettings;
  /** What its own configuration says of spans; absent: nothing. */
  readonly tracing?: OwnTracing;
  /** `ISTIO_VERSION` of its node; absent: it said none. */
  readonly version?: string;
  /** Texts of its node's metadata, for EnvoyFilters that ask for them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Its agent answers DNS queries; absent: it does not. */
  readonly dns?: ProxyDns;
}

/** How a proxy whose agent answers DNS queries is served. */
export interface ProxyDns {
  /** Hosts without address get one (240.240.0.0/16, 2001:2::/48). */
  readonly autoAddresses: boolean;
}
