import type { PeerLabels } from "../base/peer.ts";
import type { ObjectRef } from "./refs.ts";

/** Application protocol of a port, after protocol selection (appProtocol, then port-name prefix, else "auto"). */
export type Protocol = "http" | "http2" | "grpc" | "https" | "tls" | "tcp" | "udp" | "auto";

export interface ServicePort {
  readonly number: number;
  readonly name: string;
  readonly protocol: Protocol;
}

/** A host that the mesh routes to: a Kubernetes Service or a ServiceEntry host. */
export interface MeshService {
  /** e.g. `reviews.shop.svc.cluster.local` */
  readonly hostname: string;
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly ServicePort[];
  /** Virtual addresses; empty for headless services. */
  readonly addresses: readonly string[];
  /** Virtual addresses by cluster, of a Service that stands in several; absent: `addresses` are for all. */
  readonly addressesIn?: Readonly<Record<string, readonly string[]>>;
  /** It is a Service under its host in all clusters (MCS): no shorter name means it. */
  readonly clusterSet?: true;
  /** Ranges (`10.0.0.0/8`) that stand for it as its addresses do; absent: none. */
  readonly ranges?: readonly string[];
  /** How Envoy finds endpoints: from us, by connecting where the client wanted (headless, NONE), or by DNS. */
  readonly resolution: "eds" | "passthrough" | "dns" | "dns-round-robin" | "dynamic-dns";
  readonly meshExternal: boolean;
  /** Namespaces that see it; `*` is all, `.` its own. */
  readonly exportTo: readonly string[];
  /** Labels that select its pods; undefined for a service without selector. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** Only endpoints of the caller's own node are used (`internalTrafficPolicy: Local`). */
  readonly nodeLocal?: true;
  /** Requests of one session stay with one endpoint, also while that one is going away. */
  readonly session?: Session;
  readonly from: ObjectRef;
}

/** What tells which session a request belongs to: Envoy writes it into the answer, the client brings it again. */
export type Session =
  | { readonly kind: "cookie"; readonly name: string; readonly path: string }
  | { readonly kind: "header"; readonly name: string };

/** One address behind a service port. */
export interface Endpoint {
  /** An IP address, a name for DNS, or `unix:///path` of a socket in the caller's own file system. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly peer: PeerLabels;
  readonly serviceAccount: string;
  /** "istio": the workload has a proxy that takes mutual TLS on this port. */
  readonly tlsMode: "istio" | "disabled";
  readonly weight: number;
  readonly locality: Locality;
  /** Used when those of lower numbers are not healthy; absent: 0. */
  readonly priority?: number;
  /** The node that it runs on, when known. */
  readonly node?: string;
  /** The cluster that it runs in; absent: our own. */
  readonly cluster?: string;
  /** The network that it stands on, where networks decide who reaches whom; absent: none. */
  readonly network?: string;
  /** It is going away: it keeps its sessions and gets no new ones. */
  readonly draining?: true;
}

/** Where a workload runs; each part may be empty. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** What EDS serves for one cluster. */
export interface EndpointGroup {
  /** The cluster's name. */
  readonly clusterName: string;
  readonly endpoints: readonly Endpoint[];
  /** Shares of localities, by `region/zone/subzone`; absent: the sum of their endpoints' weights. */
  readonly localityWeights?: Readonly<Record<string, number>>;
}
