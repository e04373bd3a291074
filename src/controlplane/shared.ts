import type { Logger } from "../base/logger.ts";
import type { Peer } from "../grpc/server.ts";
import type { McsSettings } from "../model/cluster-set.ts";
import type { Compliance } from "../model/generated-options.ts";
import type { Registry } from "../registry/registry.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { AnalysisSettings } from "./analysis/runner.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Audit } from "./audit.ts";
import type { RegistrationSettings } from "./auto-registration.ts";
import type { AuthorityRunner } from "./authority-runner.ts";
import type { RecentChanges } from "./changes.ts";
import type { Caller } from "./caller.ts";
import type { ExternalCa } from "./external-signer.ts";
import type { ListenAddress } from "./http.ts";
import type { ServingFiles } from "./mounted-authority.ts";
import type { KnownClusters } from "./known-clusters.ts";
import type { FetchLimits } from "./jwks-fetch.ts";
import type { RemoteClusters } from "./remote-clusters.ts";
import type { LogScope, LogScopes } from "./log-scopes.ts";
import type { Metrics } from "./metrics.ts";
import type { Lifetimes } from "./signing.ts";
import type { State } from "./state.ts";
import type { TrustBundles } from "./trust-bundles.ts";
import type { XdsStream } from "./xds-stream.ts";

/** Where and as what a control plane runs. */
export interface ControlPlaneOptions {
  readonly cluster: Cluster;
  /** Namespace of the control plane, which is the mesh's root namespace. */
  readonly namespace: string;
  /** Name of this instance: its pod's. */
  readonly instance: string;
  readonly clusterId: string;
  readonly revision: string;
  /** Further names that its certificate is to hold for: those by which others reach it from outside of its cluster. */
  readonly hosts?: readonly string[];
  /** COMPLIANCE_POLICY: rules for all TLS. */
  readonly compliance?: Compliance | undefined;
  /** ENABLE_NATIVE_SIDECARS, as set. */
  readonly nativeSidecars?: string | undefined;
  /** Whether Gateways of class `istio` get pods and a Service. Default: they do. */
  readonly makesGateways?: boolean;
  /** Of workloads outside the cluster; default: they register, with a grace of 10 seconds. */
  readonly registration?: RegistrationSettings;
  /** RESOLVE_HOSTNAME_GATEWAYS: whether names of gateways between networks are resolved. Default: they are. */
  readonly resolvesGateways?: boolean;
  /** The cluster's name by each further name that its workloads may call it by. Default: there are none. */
  readonly clusterAliases?: Readonly<Record<string, string>>;
  /** ENABLE_MCS_AUTO_EXPORT: whether every Service gets a ServiceExport. Default: none does. */
  readonly exportsServices?: boolean;
  /** How far ServiceExports and ServiceImports are obeyed. Default: not at all. */
  readonly mcs?: McsSettings;
  /** Of workload certificates. */
  readonly lifetimes?: Lifetimes;
  /** How long agents have to take roots away before connections of before are drained, in milliseconds. Default: two minutes. */
  readonly trustDrainDelayMs?: number;
  /** Who signs workloads in place of our CA, which then signs for the control plane alone. */
  readonly externalCa?: ExternalCa | undefined;
  /** ENABLE_CA_SERVER=false: workloads get their certificates elsewhere, and no signing is offered. */
  readonly caServer?: boolean;
  /** Certificate, key and roots that the control plane shows and trusts in place of its own; only without caServer. */
  readonly serving?: ServingFiles | undefined;
  /** DNS suffix of the cluster. */
  readonly domain: string;
  readonly listen: {
    readonly http: ListenAddress;
    readonly secureGrpc: ListenAddress;
    readonly monitoring: ListenAddress;
    readonly https: ListenAddress;
  };
  /** Where keys of token issuers may be fetched; default: not from loopback, link-local and metadata addresses. */
  readonly keyLimits?: FetchLimits;
  /** A client for another cluster of the mesh, by the kubeconfig of its Secret. Absent: no other clusters are followed. */
  readonly openRemote?: (kubeconfig: string) => Cluster;
  /** Sources of objects beside the cluster, the more important first. Default: none. */
  readonly registries?: readonly Registry[];
  /** Undefined: nothing is analysed. */
  readonly analysis?: AnalysisSettings;
  /** Further namespaces whose accounts may ask /debug for everything. Default: none. */
  readonly debugNamespaces?: readonly string[];
  /** Of what belongs to no scope; of everything where there are no scopes. */
  readonly log: Logger;
  /** Parts whose levels can be changed. Default: none can. */
  readonly logs?: LogScopes;
  /** Where it is written who got a certificate and who changed a policy. Default: the log. */
  readonly auditLog?: Logger;
}

/** Everything that the parts share. */
export interface Shared {
  readonly options: ControlPlaneOptions;
  readonly state: State;
  readonly metrics: Metrics;
  readonly streams: Set<XdsStream>;
  readonly abort: AbortController;
  readonly onFault: (error: unknown) => void;
  /** Set by the runners as they come up. */
  readonly live: { synced: boolean; serving: boolean };
  /** Names of registries whose objects are in the World. */
  readonly syncedRegistries: Set<string>;
  readonly arrivals: Arrivals;
  readonly changes: RecentChanges;
  /** The mesh's other clusters; undefined: none are followed. */
  readonly remotes: RemoteClusters | undefined;
  /** Whose workloads are served. */
  readonly clusters: KnownClusters;
  readonly authority: AuthorityRunner;
  /** Roots that the mesh's configuration adds. */
  readonly trust: TrustBundles;
  readonly audit: Audit;
  /** Who is at the other end; each token is a question to the API server, and clients take turns. */
  readonly authenticate: (peer: Peer) => Promise<Caller | undefined>;
  readonly ports: { http: number; secureGrpc: number; monitoring: number; https: number };
}

/** The same options with the log of a scope. */
export function ofScope<O extends Pick<ControlPlaneOptions, "log" | "logs">>(options: O, scope: LogScope): O {
  return options.logs === undefined ? options : { ...options, log: options.logs.scope(scope) };
}

/** The same parts for one that logs in a scope. */
export function sharedOf(shared: Shared, scope: LogScope): Shared {
  return { ...shared, options: ofScope(shared.options, scope) };
}
