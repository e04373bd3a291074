import type { Duplex } from "node:stream";
import type { KubeObject } from "../../resources/object.ts";

/** Names a collection: group "" is core. */
export interface ResourceId {
  readonly group: string;
  readonly version: string;
  /** Plural, lower case: "pods". */
  readonly resource: string;
}

export type LocalWatchEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubeObject;
};

/**
 * The endpoint's own client, in process: what controllers and the node use. Same semantics as over HTTP (defaulting,
 * admission with webhooks, resourceVersion conflicts, finalizers), as user system:masters. Errors are StatusError.
 */
export interface LocalClient {
  get(id: ResourceId, namespace: string | undefined, name: string): Promise<KubeObject | undefined>;
  list(
    id: ResourceId,
    options?: { namespace?: string; labelSelector?: string; fieldSelector?: string },
  ): Promise<{ items: readonly KubeObject[]; resourceVersion: string }>;
  create(id: ResourceId, object: KubeObject): Promise<KubeObject>;
  update(id: ResourceId, object: KubeObject, subresource?: "status" | "finalize"): Promise<KubeObject>;
  mergePatch(
    id: ResourceId,
    namespace: string | undefined,
    name: string,
    patch: unknown,
    /** "finalize" is the only way to a namespace's `spec.finalizers`, as on any cluster. */
    subresource?: "status" | "finalize",
  ): Promise<KubeObject>;
  delete(
    id: ResourceId,
    namespace: string | undefined,
    name: string,
    options?: { propagationPolicy?: "Foreground" | "Background" | "Orphan"; gracePeriodSeconds?: number },
  ): Promise<void>;
  /** Current objects as ADDED, then changes as they come, until `signal` aborts. Synchronous delivery in order. */
  watch(
    id: ResourceId,
    options: { namespace?: string },
    onEvent: (event: LocalWatchEvent) => void,
    signal: AbortSignal,
  ): void;
}

/** What the node answers for the API endpoint: logs and streams of running pods. */
export interface PodBackend {
  /** Whole log, then (follow) more until the container ends or `signal` aborts. */
  logs(
    target: {
      namespace: string;
      pod: string;
      container: string;
      follow: boolean;
      tailLines: number | undefined;
      /** Milliseconds: no lines from before. */
      since: number | undefined;
      previous: boolean;
      timestamps: boolean;
    },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** A TCP connection to a port of the pod, from inside its network. */
  dial(target: { namespace: string; pod: string; port: number }): Promise<Duplex>;
}

/** Where a webhook's or an API service's `service` reference is reached from the endpoint. */
export type ServiceResolver = (
  namespace: string,
  service: string,
  port: number,
) => Promise<{ host: string; port: number; dial?: () => Promise<Duplex> }>;

export interface ApiOptions {
  /** Addresses to serve TLS on; port 0 takes a free one. The first is in the kubeconfig. */
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  /** Service cluster IPs are handed out of this, e.g. `10.96.0.0/16`; third octet >= 1 (loopback workloads map S.s). */
  readonly serviceCidr: string;
  readonly log: (message: string) => void;
}

/** The running endpoint. Certificates and signing keys are made at start and live in memory. */
export interface Api {
  readonly client: LocalClient;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** PEM of the CA that signed the serving certificates. */
  readonly caPem: string;
  /** A kubeconfig for system:masters on the first address. */
  kubeconfig(contextName: string): string;
  /** A bound service account token, as the kubelet projects it into a pod. */
  issueToken(target: {
    namespace: string;
    serviceAccount: string;
    audiences: readonly string[];
    expirationSeconds: number;
    pod?: { name: string; uid: string };
  }): Promise<string>;
  setPodBackend(backend: PodBackend): void;
  setServiceResolver(resolver: ServiceResolver): void;
  /** Ends all watches and connections. */
  close(): Promise<void>;
}
