import type { KubeObject } from "./object.ts";

/** Namespace: its labels decide injection and discovery. */
export type Namespace = KubeObject;

export interface ServicePortSpec {
  readonly name?: string;
  readonly port: number;
  /** Port of the pods: a number, or the name of a container port. Absent: same as `port`. */
  readonly targetPort?: number | string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly appProtocol?: string;
  readonly nodePort?: number;
}

export interface ServiceSpec {
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  /** "None" for headless services. */
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly ServicePortSpec[];
  readonly publishNotReadyAddresses?: boolean;
  /** "Local": only endpoints of the caller's node. */
  readonly internalTrafficPolicy?: "Cluster" | "Local";
  /** PreferClose, PreferSameZone or PreferSameNode. */
  readonly trafficDistribution?: string;
  readonly externalIPs?: readonly string[];
}

export interface ServiceStatus {
  readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerAddress[] };
}

/** Where something outside the cluster is reached: an address or a name. */
export interface LoadBalancerAddress {
  readonly ip?: string;
  readonly hostname?: string;
}

export type Service = KubeObject<ServiceSpec, ServiceStatus>;

/** Where an Ingress sends requests; one without a Service is of another kind, which we do not serve. */
export interface IngressBackend {
  readonly service?: { readonly name: string; readonly port?: { readonly number?: number; readonly name?: string } };
}

export interface IngressPath {
  readonly path?: string;
  readonly pathType?: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
}

export interface IngressSpec {
  readonly ingressClassName?: string;
  readonly defaultBackend?: IngressBackend;
  readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
  readonly rules?: readonly { readonly host?: string; readonly http?: { readonly paths?: readonly IngressPath[] } }[];
}

export type Ingress = KubeObject<
  IngressSpec,
  { readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerAddress[] } }
>;

/** Which controller serves Ingresses that name the class. */
export type IngressClass = KubeObject<{ readonly controller?: string }>;

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

/** A container, as far as the mesh reads it; injection keeps the rest as it is. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly ContainerPort[];
  readonly env?: readonly EnvVar[];
  readonly [key: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly serviceAccountName?: string;
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  readonly [key: string]: unknown;
}

export interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly [key: string]: unknown;
}

export type Pod = KubeObject<PodSpec, PodStatus>;

/** One address list of an EndpointSlice. */
export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly nodeName?: string;
  /** Host name of the pod, where it has one of its own: that of a StatefulSet's. */
  readonly hostname?: string;
  readonly zone?: string;
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
}

/** EndpointSlice: who stands behind a service. Its fields are at the top, there is no spec. */
export interface EndpointSlice extends KubeObject {
  readonly addressType?: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints?: readonly SliceEndpoint[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[];
}

/** Node: its labels give locality. */
export type Node = KubeObject;

/** Secret; values in `data` are base64. */
export interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export type ServiceAccount = KubeObject;

/** Spec of Deployment, StatefulSet, DaemonSet, ReplicaSet and Job: the mesh reads the pod template. */
export interface WorkloadSpec {
  readonly replicas?: number;
  readonly template?: { readonly metadata?: Partial<KubeObject["metadata"]>; readonly spec?: PodSpec };
  readonly [key: string]: unknown;
}

export type Workload = KubeObject<WorkloadSpec>;

/** What of an imported service of several clusters (MCS) counts: where its host in all clusters is dialled here. */
export interface ServiceImportSpec {
  readonly ips?: readonly string[];
}
