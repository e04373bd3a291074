import type { ExtensionFilter } from "../ir/extension.ts";
import type { ChainNeed } from "../ir/listener.ts";
import type { ProxySettings } from "../ir/proxy-settings.ts";
import type { Security } from "../ir/security.ts";
import type { FileSink, Telemetry } from "../ir/telemetry.ts";
import type { Messages, TypedAny } from "../wire/codec.ts";

/** The xDS types we serve, in the order in which a push sends them (Envoy warms clusters before listeners need them). */
export const TYPE_URLS = {
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  /** Settings of modules and scripts; those of modules that are to be fetched are for the agent. */
  extension: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
  /** For the agent, which answers DNS queries from it; Envoy never asks for it. */
  nametable: "type.googleapis.com/istio.networking.nds.v1.NameTable",
} as const;

export type XdsKind = keyof typeof TYPE_URLS;

/** A resource in JSON form, with its `@type`: `encodeAny` of src/wire makes its bytes. */
export type EnvoyResource = TypedAny;

export type EnvoyCluster = Messages["envoy.config.cluster.v3.Cluster"];
export type EnvoyEndpoints = Messages["envoy.config.endpoint.v3.ClusterLoadAssignment"];
export type EnvoyListener = Messages["envoy.config.listener.v3.Listener"];
export type EnvoyRoutes = Messages["envoy.config.route.v3.RouteConfiguration"];
export type FilterChain = Messages["envoy.config.listener.v3.FilterChain"];
export type FilterChainMatch = Messages["envoy.config.listener.v3.FilterChainMatch"];
export type NetworkFilter = Messages["envoy.config.listener.v3.Filter"];
export type ListenerFilter = Messages["envoy.config.listener.v3.ListenerFilter"];
export type HttpFilterConfig = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"];
export type AccessLog = Messages["envoy.config.accesslog.v3.AccessLog"];
export type TransportSocket = Messages["envoy.config.core.v3.TransportSocket"];
export type ConfigSource = Messages["envoy.config.core.v3.ConfigSource"];

/** What the mesh configuration says about generated resources, the same for all proxies; and what the proxy's own does. */
export interface XdsOptions {
  /** Own trust domain first, then its aliases: whose certificates a client takes when a cluster names no identities. */
  readonly trustDomains: readonly string[];
  /** Whose certificates gateways take of callers; absent: those of `trustDomains`. */
  readonly callerDomains?: readonly string[];
  /** `accessLogFile` of the mesh configuration; undefined: no access log. */
  readonly accessLog: Pick<FileSink, "path" | "format"> | undefined;
  /** `enableEnvoyAccessLogService`: records go to the service of the proxy's bootstrap, where no Telemetry says otherwise. */
  readonly accessLogService?: true;
  /** `disableEnvoyListenerLog`: connections that no chain takes are not logged. */
  readonly noListenerLog?: true;
  /** How often names are looked up (`dnsRefreshRate`); absent: every minute. */
  readonly dnsRefreshMs?: number;
  /** How long a listener waits for the client's first bytes; 0 waits as long as it takes. `protocolDetectionTimeout`. */
  readonly protocolDetectionTimeoutMs: number;
  /** How paths of requests are written before anything looks at them (MeshConfig.pathNormalization); absent: BASE. */
  readonly pathNormalization?: "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
  /** Limits of the mesh's own TLS (MeshConfig.meshMTLS, a compliance policy); absent: TLS_PARAMS. */
  readonly meshTls?: TlsLimits;
  /** Limits where a proxy begins TLS to a server outside of the mesh (MeshConfig.tlsDefaults); absent: TLS_PARAMS. */
  readonly outsideTls?: TlsLimits;
  /** Limits of every TLS, whatever gateways and rules ask for (a compliance policy); absent: none. */
  readonly allTls?: TlsLimits;
  /** Since when a root is trusted no more or a certificate is revoked: connections from before are drained. Absent: nothing ever was. */
  readonly trustSince?: string;
  /** What this proxy's own configuration asks; it is part of the proxy's scope. */
  readonly proxy?: ProxySettings;
}

/** Limits of TLS; what is absent is as TLS_PARAMS has it. */
export interface TlsLimits {
  readonly minVersion?: "TLSv1_2" | "TLSv1_3";
  readonly maxVersion?: "TLSv1_2" | "TLSv1_3";
  /** Of TLS 1.2. */
  readonly cipherSuites?: readonly string[];
  readonly curves?: readonly string[];
}

/** Which side of a workload a chain of filters serves. */
export type Direction = "outbound" | "inbound" | "gateway";

/** What a filter of any kind may ask about the chain it is put into. */
export interface ChainContext {
  readonly direction: Direction;
  /** Bytes arrive through mutual TLS that this proxy terminates: the peer has a certificate of the mesh. */
  readonly mutualTls: boolean;
  /** The service that inbound metrics name; undefined on outbound chains and on ports no service names. */
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string } | undefined;
  /** What only some of its routes need; absent: nothing. */
  readonly needs?: readonly ChainNeed[];
  /** Where the application is dialled, when its cluster goes where connections wanted to and that is not where it is. */
  readonly application?: { readonly address: string; readonly port: number };
  /** Clients may speak gRPC-Web. */
  readonly grpcWeb?: true;
  /** Requests come by QUIC. */
  readonly quic?: true;
  /** What policies ask of callers; absent: nothing, as on every outbound chain. */
  readonly security?: Security;
  /** Modules and scripts that users put into it; absent: none. */
  readonly extensions?: readonly ExtensionFilter[];
  /** What is told of its traffic; absent: as without any setting. */
  readonly telemetry?: Telemetry;
  readonly options: XdsOptions;
}
