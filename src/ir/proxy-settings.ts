/** What a proxy does with header x-forwarded-client-cert; Envoy's own words. */
export type ForwardClientCert = "SANITIZE" | "FORWARD_ONLY" | "APPEND_FORWARD" | "SANITIZE_SET" | "ALWAYS_FORWARD_ONLY";

/**
 * What a proxy's own configuration (ProxyConfig) asks of the connections it takes and the headers it adds. Only what differs
 * from the defaults is there, so that most proxies have none of it and share their resources.
 */
export interface ProxySettings {
  readonly headers?: HeaderSettings;
  readonly topology?: TopologySettings;
  readonly connections?: ConnectionSettings;
  /** Its agent is another one than ours: it takes no records of what Envoy cannot count. */
  readonly agent?: "foreign";
}

/** `proxyHeaders` */
export interface HeaderSettings {
  readonly forwardedClientCert?: ForwardClientCert;
  /** Parts of the client's certificate; absent ones have Envoy's default of the direction. */
  readonly clientCertDetails?: { readonly [part in CertPart]?: boolean };
  readonly requestId?: false;
  /** false: whatever the application says stays. */
  readonly server?: false | string;
  readonly attemptCount?: false;
  readonly debugHeaders?: false;
  readonly preserveCase?: true;
  readonly forwardedHost?: true;
  readonly forwardedPort?: true;
}

export type CertPart = "subject" | "cert" | "chain" | "dns" | "uri";

/** `gatewayTopology` */
export interface TopologySettings {
  /** How many entries of x-forwarded-for are believed. */
  readonly trustedProxies?: number;
  readonly forwardClientCert?: ForwardClientCert;
  /** Clients come with the PROXY protocol, and only with it. */
  readonly proxyProtocol?: true;
}

/** `connectionSettings`; the profile's defaults are in it. Times in milliseconds, sizes in bytes. */
export interface ConnectionSettings {
  /** Requests of HTTP/1.0 are taken, which Envoy else answers with 426. */
  readonly http10?: true;
  readonly listenerBuffer?: number;
  readonly clusterBuffer?: number;
  readonly idleTimeout?: number;
  readonly maxConnectionDuration?: number;
  readonly drainTimeout?: number;
  readonly requestTimeout?: number;
  readonly requestHeadersTimeout?: number;
  readonly streamIdleTimeout?: number;
  readonly maxStreamDuration?: number;
  readonly maxConcurrentStreams?: number;
  readonly streamWindow?: number;
  readonly connectionWindow?: number;
  readonly underscores?: "ALLOW" | "REJECT_REQUEST" | "DROP_HEADER";
  readonly mergeSlashes?: boolean;
  readonly escapedSlashes?: "KEEP_UNCHANGED" | "REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD";
}
