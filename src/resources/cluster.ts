import type { Duplex } from "node:stream";
import type { KubeObject } from "./object.ts";

/** Names a kind of object at the API server. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Names one object at the API server; `namespace` is absent for cluster-scoped kinds. */
export interface TargetRef extends KindRef {
  readonly namespace?: string;
  readonly name: string;
}

/** A port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** A request to a pod without a body. */
export interface PodRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
}

/** What a container wrote: all, or its last lines, or what is not older than so many seconds (a bundle has all at once). */
export interface LogTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Ends the listing. */
  readonly signal?: AbortSignal;
  /** Of watches: seconds after which a connection that says nothing is taken for dead at the latest, roughly. Default: six minutes. */
  readonly watchSeconds?: number;
}

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: KubeObject }
  /** The first list is complete: everything that existed has been reported. */
  | { readonly type: "SYNCED" };

/** Reading from a cluster. Errors are ClusterError with a hint; a missing object or kind is `undefined` or an empty list. */
export interface ClusterReader {
  /** Where this cluster is and as whom we talk to it, for messages. */
  readonly context: {
    readonly name: string;
    readonly server: string;
    /** PEM that the server's certificate is checked by. Absent: what the system trusts, or nobody can tell. */
    readonly ca?: string;
  };
  get(target: TargetRef): Promise<KubeObject | undefined>;
  /** All objects, in pages of 500. */
  list(kind: KindRef, options?: ListOptions): Promise<readonly KubeObject[]>;
  /** Whether the server has such a kind. */
  serves(kind: KindRef): Promise<boolean>;
  /** List, then watch for ever: reconnects, relists on 410, reports deletions missed meanwhile. Ends when `signal` aborts. */
  watch(kind: KindRef, options: ListOptions, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
  /** e.g. `{ gitVersion: "v1.36.3", major: "1", minor: "36" }`. */
  version(): Promise<{ readonly gitVersion: string; readonly major: string; readonly minor: string }>;
  /** The API server's clock, to the second; undefined when its answers tell none. Absent: nobody can tell. */
  serverTime?(): Promise<Date | undefined>;
  /** SelfSubjectAccessReview. */
  canI(access: { verb: string; group: string; resource: string; namespace?: string }): Promise<boolean>;
  /** SubjectAccessReview of a service account, by what it may do in its own namespace. */
  mayAccount(
    account: { readonly namespace: string; readonly name: string },
    access: { verb: string; group: string; resource: string },
  ): Promise<boolean>;
  logs(target: LogTarget): Promise<string>;
  /** As logs, and what is written from then on: in pieces, until the container ends or `signal` aborts. Absent: nothing will be, in a bundle. */
  followLogs?(target: LogTarget, signal: AbortSignal): AsyncIterable<string>;
  /** HTTP to a port of a pod, where it is answered without a connection: in a bundle. Absent: asked over portForward. */
  podHttp?(target: PodPort, asked: PodRequest): Promise<{ readonly status: number; readonly body: string }>;
  /** HTTP to a port of a pod that is reached by another way than its cluster: the control plane, over xDS. Undefined, or absent: this one is not. */
  elsewhere?(
    target: PodPort,
    asked: PodRequest,
  ): Promise<{ readonly status: number; readonly body: string }> | undefined;
  /** A byte stream to a port of a pod, as kubectl port-forward makes it. */
  portForward(target: PodPort): Promise<Duplex>;
}

/** Changing a cluster. */
export interface ClusterWriter {
  /** Server-side apply. */
  apply(object: KubeObject, options: { fieldManager: string; force?: boolean; dryRun?: boolean }): Promise<KubeObject>;
  create(object: KubeObject, options?: { dryRun?: boolean }): Promise<KubeObject>;
  /** JSON merge patch. `subresource` e.g. "status". */
  mergePatch(target: TargetRef, patch: unknown, options?: { subresource?: string }): Promise<KubeObject>;
  /** PUT with the object's resourceVersion. */
  replace(object: KubeObject): Promise<KubeObject>;
  /** Foreground deletion by default; a missing object is no error. Resolves when the server accepted it. */
  delete(
    target: TargetRef,
    options?: {
      propagation?: "Foreground" | "Background";
      gracePeriodSeconds?: number;
      /** Only this version of it; another is a conflict. */
      resourceVersion?: string | undefined;
    },
  ): Promise<void>;
  /** TokenRequest for a service account; with `pod` the token is bound to it, as the kubelet's are. */
  createToken(target: {
    namespace: string;
    serviceAccount: string;
    audiences: readonly string[];
    expirationSeconds?: number;
    pod?: { readonly name: string; readonly uid: string };
  }): Promise<string>;
  /** TokenReview: undefined when the token is not authenticated for one of the audiences. */
  reviewToken(token: string, audiences: readonly string[]): Promise<ReviewedToken | undefined>;
}

export interface ReviewedToken {
  /** e.g. `system:serviceaccount:shop:web` */
  readonly username: string;
  readonly groups: readonly string[];
  /** `authentication.kubernetes.io/pod-name`, `…/pod-uid`, `…/node-name` */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface Cluster extends ClusterReader, ClusterWriter {}
