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
  /** How Envoy finds endpoints: from us, by connecting where the client wanted (headless, NONE), or by DNS. */
  readonly resolution: "eds" | "passthrough" | "dns" | "dns-round-robin";
  readonly meshExternal: boolean;
  /** Namespaces that see it; `*` is all, `.` its own. */
  readonly exportTo: readonly string[];
  /** Labels that select its pods; undefined for a service without selector. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly from: ObjectRef;
}

/** One address behind a service port. */
export interface Endpoint {
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
