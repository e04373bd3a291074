// Generated from schemas/ by `npm run gen`. Do not edit.

/** Names an external authorizer. */
export interface AuthorizationPolicyProvider {
  /** Name under extensionProviders in the mesh configuration. Needed. */
  readonly name?: string;
}

/** Requests that match: from, to and when all have to hold; what is not given holds. */
export interface AuthorizationPolicyRule {
  /** Callers, one of many. Default: every caller. */
  readonly from?: readonly AuthorizationPolicyFrom[];
  /** Operations, one of many. Default: every operation. */
  readonly to?: readonly AuthorizationPolicyTo[];
  /** Further conditions; all have to hold. Default: none. */
  readonly when?: readonly AuthorizationPolicyCondition[];
}

/** Who calls. */
export interface AuthorizationPolicyFrom {
  /** The caller. Needed. */
  readonly source?: AuthorizationPolicySource;
}

/** A caller. All fields that are given have to hold, each with one of its values. Values may start or end with `*`. */
export interface AuthorizationPolicySource {
  /** Identities of which the caller's certificate has to carry one, as trust-domain/ns/NAMESPACE/sa/ACCOUNT. Needs mutual TLS. Default: any. */
  readonly principals?: readonly string[];
  /** Identities that the caller must not have. Needs mutual TLS. Default: none. */
  readonly notPrincipals?: readonly string[];
  /** Identities of which the request's token has to carry one, as issuer/subject; `*` asks for any valid token. Needs a RequestAuthentication. Default: any, or no token. */
  readonly requestPrincipals?: readonly string[];
  /** Identities that the token must not have; `*` asks that there is no valid token. Default: none. */
  readonly notRequestPrincipals?: readonly string[];
  /** Namespaces of which the caller has to be in one. Needs mutual TLS. Default: any. */
  readonly namespaces?: readonly string[];
  /** Namespaces that the caller must not be in. Needs mutual TLS. Default: none. */
  readonly notNamespaces?: readonly string[];
  /** Service accounts of which the caller has to run as one, as ACCOUNT (of this object's namespace) or NAMESPACE/ACCOUNT; no wildcards. Needs mutual TLS. Excludes principals and namespaces. Default: any. */
  readonly serviceAccounts?: readonly string[];
  /** Service accounts that the caller must not run as. Excludes principals and namespaces. Default: none. */
  readonly notServiceAccounts?: readonly string[];
  /** Trust domains of which the caller has to be of one. Needs mutual TLS. Default: any. */
  readonly trustDomains?: readonly string[];
  /** Trust domains that the caller must not be of. Needs mutual TLS. Default: none. */
  readonly notTrustDomains?: readonly string[];
  /** Addresses (IP or CIDR) of which the connection has to come from one: the peer's address as the proxy sees it. Default: any. */
  readonly ipBlocks?: readonly string[];
  /** Addresses (IP or CIDR) that the connection must not come from. Default: none. */
  readonly notIpBlocks?: readonly string[];
  /** Addresses (IP or CIDR) of which the original client has to have one, from X-Forwarded-For or the PROXY protocol; needs the number of trusted proxies to be set. Default: any. */
  readonly remoteIpBlocks?: readonly string[];
  /** Addresses (IP or CIDR) that the original client must not have. Default: none. */
  readonly notRemoteIpBlocks?: readonly string[];
}

/** What is called. */
export interface AuthorizationPolicyTo {
  /** The operation. Needed. */
  readonly operation?: AuthorizationPolicyOperation;
}

/** An operation. All fields that are given have to hold, each with one of its values. Values may start or end with `*`. */
export interface AuthorizationPolicyOperation {
  /** Hosts of which the request has to name one, with or without port; case does not count. Only HTTP: never matches other traffic. Default: any. */
  readonly hosts?: readonly string[];
  /** Hosts that the request must not name. Only HTTP. Default: none. */
  readonly notHosts?: readonly string[];
  /** Ports of which the connection has to come to one: the workload's own, not the service's. Default: any. */
  readonly ports?: readonly string[];
  /** Ports of the workload that the connection must not come to. Default: none. */
  readonly notPorts?: readonly string[];
  /** Methods of which the request has to use one; gRPC is always POST. Only HTTP: never matches other traffic. Default: any. */
  readonly methods?: readonly string[];
  /** Methods that the request must not use. Only HTTP. Default: none. */
  readonly notMethods?: readonly string[];
  /** Paths of which the request has to ask for one, without the query; templates {*} (one segment) and {**} (any number) are taken; for gRPC /package.Service/Method. Only HTTP: never matches other traffic. Default: any. */
  readonly paths?: readonly string[];
  /** Paths that the request must not ask for. Only HTTP. Default: none. */
  readonly notPaths?: readonly string[];
}

/** A condition on an attribute: values, notValues or both. */
export interface AuthorizationPolicyCondition {
  /** Attribute, e.g. request.headers[x-user], source.ip, connection.sni or request.auth.claims[iss]. */
  readonly key: string;
  /** Values of which the attribute has to have one; `*` at the start or end is taken. Needed unless notValues is set. */
  readonly values?: readonly string[];
  /** Values that the attribute must not have. Needed unless values is set. */
  readonly notValues?: readonly string[];
}

/** Who may call what. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads. */
export interface AuthorizationPolicySpec {
  /** Workloads of this namespace that it holds for. Default: all of the namespace; in the root namespace all of the mesh. Excludes targetRefs. */
  readonly selector?: LabelSelector;
  /** Deprecated: use targetRefs. One object that it is attached to. Default: none. @deprecated */
  readonly targetRef?: TargetRef;
  /** Gateways and Services (of this namespace) that it is attached to, instead of selector. Default: as selector says. */
  readonly targetRefs?: TargetRefs;
  /** Requests that match, one rule of many. `[{}]` matches everything. Default: none, so that nothing matches: ALLOW then denies all. */
  readonly rules?: readonly AuthorizationPolicyRule[];
  /** What happens to requests that match. CUSTOM: an external authorizer decides. CUSTOM comes before DENY, DENY before ALLOW. Default ALLOW. */
  readonly action?: "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
  /** External authorizer that decides. Needed with CUSTOM, refused otherwise. */
  readonly provider?: AuthorizationPolicyProvider;
}

/** A length of time: numbers with units h, m, s, ms, us or ns, e.g. 5s, 1m30s or 250ms. */
export type Duration = string;

/** A length of time of at least 1ms: numbers with units h, m, s, ms, us or ns, e.g. 5s, 1m30s or 250ms. */
export type PositiveDuration = string;

/** A condition on a string: one of exact, prefix and regex. An empty object asks only that the value is there. */
export interface StringMatch {
  /** The whole value, compared byte by byte. Default: not compared. */
  readonly exact?: string;
  /** What the value starts with. Default: not compared. */
  readonly prefix?: string;
  /** A regular expression in RE2 syntax that has to match the whole value. Default: not compared. */
  readonly regex?: string;
}

/** A share in percent. */
export interface Percent {
  /** Percent from 0 to 100; fractions such as 0.1 are taken. Default 0. */
  readonly value?: number;
}

/** A port, from 1 to 65535. */
export type PortNumber = number;

/** Labels as key and value; all of them have to be equal. */
export type Labels = Readonly<Record<string, string>>;

/** A value of a label; no wildcards. */
export type LabelValue = string;

/** Names a port of a service. */
export interface PortSelector {
  /** Number of the service port. Needed where the service has several ports. */
  readonly number?: PortNumber;
}

/** A service, one of its subsets, and one of its ports. */
export interface Destination {
  /** Name of a service that the mesh knows: a Kubernetes Service or a host of a ServiceEntry. A name without dots is completed with the namespace of the object it is written in. */
  readonly host: string;
  /** Name of a subset that a DestinationRule for this host defines. Default: all endpoints. */
  readonly subset?: string;
  /** Port of the service. Needed where the service has several ports. Default: its only port. */
  readonly port?: PortSelector;
}

/** Selects workloads by their pod labels. */
export interface LabelSelector {
  /** Labels that a pod (or WorkloadEntry) must have, all of them, with exactly these values. Default: none, so that all workloads are selected. */
  readonly matchLabels?: Readonly<Record<string, LabelValue>>;
}

/** Selects workloads by their pod labels. */
export interface WorkloadSelector {
  /** Labels that a pod (or WorkloadEntry) must have, all of them, with exactly these values. Default: none, so that all workloads are selected. */
  readonly labels?: Readonly<Record<string, LabelValue>>;
}

/** Names an object that a policy is attached to. */
export interface TargetRef {
  /** API group of the target, e.g. gateway.networking.k8s.io. Default: empty, for core kinds such as Service. */
  readonly group?: string;
  /** Kind of the target, e.g. Gateway or Service. */
  readonly kind: string;
  /** Name of the target. */
  readonly name: string;
  /** Has to be left out: only objects of the policy's own namespace can be targets. */
  readonly namespace?: string;
}

/** Names an extension provider of the mesh configuration. */
export interface ProviderRef {
  /** Name under extensionProviders in the mesh configuration. */
  readonly name: string;
}

/** Limits on connections and requests to one service (circuit breaking). */
export interface ConnectionPool {
  /** Limits that hold for HTTP and TCP. Default: those of each field. */
  readonly tcp?: TcpPool;
  /** Limits that hold for HTTP alone. Default: those of each field. */
  readonly http?: HttpPool;
}

/** Limits on connections. */
export interface TcpPool {
  /** Most connections to the service at a time. Default: unlimited (2^32-1). */
  readonly maxConnections?: number;
  /** How long a TCP connect may take. Default 10s. */
  readonly connectTimeout?: PositiveDuration;
  /** Keepalive probes of the kernel. Default: off. */
  readonly tcpKeepalive?: TcpKeepalive;
  /** A connection is closed when it is this old. Default: no limit. */
  readonly maxConnectionDuration?: PositiveDuration;
  /** A TCP connection without a byte for this long is closed. Default 1h; 0s turns it off. */
  readonly idleTimeout?: Duration;
}

/** TCP keepalive of the operating system. */
export interface TcpKeepalive {
  /** Unanswered probes after which the connection counts as dead. Default: the kernel's. */
  readonly probes?: number;
  /** Idle time before the first probe. Default: the kernel's. */
  readonly time?: PositiveDuration;
  /** Time between probes. Default: the kernel's. */
  readonly interval?: PositiveDuration;
}

/** Limits on HTTP requests. */
export interface HttpPool {
  /** Most requests that wait for a connection. Default: unlimited (2^32-1). */
  readonly http1MaxPendingRequests?: number;
  /** Most requests in flight, for HTTP/1.1 too. Default: unlimited (2^32-1). */
  readonly http2MaxRequests?: number;
  /** Requests after which a connection is closed; 1 turns keep-alive off. Default 0, no limit. */
  readonly maxRequestsPerConnection?: number;
  /** Most retries in flight to all hosts of the service. Default: unlimited (2^32-1). */
  readonly maxRetries?: number;
  /** A connection without active request is closed after this long. Default 1h. */
  readonly idleTimeout?: PositiveDuration;
  /** Whether HTTP/1.1 connections to the service become HTTP/2. Default (DEFAULT): what the mesh configuration says. */
  readonly h2UpgradePolicy?: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE";
  /** Speak the HTTP version that the client spoke. Default false. */
  readonly useClientProtocol?: boolean;
  /** Most streams in one HTTP/2 connection. Default 2^31-1. */
  readonly maxConcurrentStreams?: number;
  /** PING frames on HTTP/2 connections to the service, to find dead ones. Default: none are sent. */
  readonly http2KeepAlive?: Http2KeepAlive;
}

/** PING frames on HTTP/2 connections. */
export interface Http2KeepAlive {
  /** Time between two PING frames, at least 1ms. Default: none are sent. */
  readonly interval?: PositiveDuration;
  /** How long the answer to a PING may take before the connection is closed, at least 1ms. Default: the proxy's own. */
  readonly timeout?: PositiveDuration;
}

/** TLS of connections to the service. */
export interface ClientTls {
  /** DISABLE: plaintext. SIMPLE: TLS. MUTUAL: TLS with the client certificate given here. ISTIO_MUTUAL: mutual TLS with the mesh's own certificates. Default DISABLE. */
  readonly mode?: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  /** Path in the proxy of the client certificate (PEM). Needed for MUTUAL unless credentialName is set. Default: none. */
  readonly clientCertificate?: string;
  /** Path in the proxy of the client's private key (PEM). Needed for MUTUAL unless credentialName is set. Default: none. */
  readonly privateKey?: string;
  /** Path in the proxy of the CA certificates that the server's certificate is checked against. Default: the system's. */
  readonly caCertificates?: string;
  /** Name of a Secret with certificate, key and CA, in the namespace of the proxy; sidecars need it in their own namespace. Excludes the three paths. Default: the paths are used. */
  readonly credentialName?: string;
  /** Names of which the server's certificate must carry one. Default: the service's identities (ISTIO_MUTUAL) or its SNI. */
  readonly subjectAltNames?: readonly string[];
  /** Server name sent in the TLS handshake. Default: the host of the request (SIMPLE, MUTUAL) or the mesh's own name (ISTIO_MUTUAL). */
  readonly sni?: string;
  /** Do not check the server's certificate. Default false. */
  readonly insecureSkipVerify?: boolean | null;
  /** Path in the proxy of a revocation list (PEM); certificates on it are refused. Default: none is checked. */
  readonly caCrl?: string;
}

/** TLS of connections that a proxy accepts. */
export interface ServerTls {
  /** Answer plaintext requests with 301 to https. Only on HTTP ports. Default false. */
  readonly httpsRedirect?: boolean;
  /** PASSTHROUGH: forward by SNI, do not terminate. SIMPLE: terminate. MUTUAL: terminate, client certificate needed. OPTIONAL_MUTUAL: client certificate checked when sent. ISTIO_MUTUAL: mutual TLS with the mesh's certificates. AUTO_PASSTHROUGH: forward by mesh SNI without a VirtualService. Default PASSTHROUGH. */
  readonly mode?: "PASSTHROUGH" | "SIMPLE" | "MUTUAL" | "AUTO_PASSTHROUGH" | "ISTIO_MUTUAL" | "OPTIONAL_MUTUAL";
  /** Path in the proxy of the server certificate (PEM). Needed for SIMPLE and MUTUAL unless a Secret is named. Default: none. */
  readonly serverCertificate?: string;
  /** Path in the proxy of the private key (PEM). Needed for SIMPLE and MUTUAL unless a Secret is named. Default: none. */
  readonly privateKey?: string;
  /** Path in the proxy of the CA certificates that client certificates are checked against. Needed for MUTUAL unless a Secret is named. Default: none. */
  readonly caCertificates?: string;
  /** Path in the proxy of a revocation list (PEM); client certificates on it are refused. Default: none is checked. */
  readonly caCrl?: string;
  /** Up to two certificates by path, one RSA and one ECDSA, instead of serverCertificate and privateKey. Default: the single paths are used. */
  readonly tlsCertificates?: readonly ServerCertificate[];
  /** Name of the Secret with certificate and key (and CA for MUTUAL), in the namespace of the gateway pods. Excludes the paths. Default: the paths are used. */
  readonly credentialName?: string;
  /** Names of up to two Secrets, one RSA and one ECDSA, instead of credentialName. Default: credentialName is used. */
  readonly credentialNames?: readonly string[];
  /** Name of the Secret or ConfigMap with the CA for client certificates. Default: the Secret named credentialName with suffix -cacert. */
  readonly caCertCredentialName?: string;
  /** Names of which a client certificate must carry one. Default: any name. */
  readonly subjectAltNames?: readonly string[];
  /** Base64 SHA-256 hashes of public keys that client certificates may have; with verifyCertificateHash one of both has to match. Default: any key. */
  readonly verifyCertificateSpki?: readonly string[];
  /** Hex SHA-256 hashes of client certificates that are accepted; with verifyCertificateSpki one of both has to match. Default: any certificate. */
  readonly verifyCertificateHash?: readonly string[];
  /** Lowest TLS version taken. Default TLSV1_2. */
  readonly minProtocolVersion?: TlsVersion;
  /** Highest TLS version taken. Default TLSV1_3. */
  readonly maxProtocolVersion?: TlsVersion;
  /** Cipher suites for TLS up to 1.2, by OpenSSL name; unknown ones are left out. Default: the proxy's list. */
  readonly cipherSuites?: readonly string[];
  /** Ask for a client certificate and check it, but let clients in whose certificate fails the check; the certificate is told on in x-forwarded-client-cert. Only with MUTUAL and OPTIONAL_MUTUAL. Default false. */
  readonly insecureSkipVerify?: boolean | null;
}

/** A certificate and key by path. */
export interface ServerCertificate {
  /** Path in the proxy of the certificate (PEM). Needed. */
  readonly serverCertificate?: string;
  /** Path in the proxy of the private key (PEM). Needed. */
  readonly privateKey?: string;
  /** Path in the proxy of the CA certificates for client certificates. Default: none. */
  readonly caCertificates?: string;
}

/** A TLS version; TLS_AUTO leaves it to the proxy. */
export type TlsVersion = "TLS_AUTO" | "TLSV1_0" | "TLSV1_1" | "TLSV1_2" | "TLSV1_3";

/** Namespaces that see this object: a name, `.` for its own, `*` for all, `~` for none. Default: all, unless the mesh configuration says otherwise. */
export type ExportTo = readonly string[];

/** Environment of a Wasm VM. */
export interface WasmVm {
  /** Environment variables of the module, by name. Default: none. */
  readonly env?: readonly WasmVariable[];
}

/** An environment variable of a Wasm module. */
export interface WasmVariable {
  /** Name of the variable, unique in the list. */
  readonly name: string;
  /** INLINE: the value given here. HOST: the variable of this name in the proxy container. Default INLINE. */
  readonly valueFrom?: "INLINE" | "HOST";
  /** Value of the variable, for INLINE. Default: empty. */
  readonly value?: string;
}

/** Conditions on traffic: direction and port, both have to hold. */
export interface TrafficMatch {
  /** Direction of the traffic as the workload sees it: CLIENT (it calls), SERVER (it is called) or CLIENT_AND_SERVER. At a gateway all traffic is CLIENT. Default (UNDEFINED): CLIENT_AND_SERVER. */
  readonly mode?: "UNDEFINED" | "CLIENT" | "SERVER" | "CLIENT_AND_SERVER";
  /** Destination ports, one of which has to be the connection's: for SERVER the workload's own, for CLIENT the service's. Default: all. */
  readonly ports?: readonly TrafficPort[];
}

/** A port of traffic. */
export interface TrafficPort {
  /** Number of the port, from 1 to 65535. */
  readonly number: PortNumber;
}

/** Objects that this one is attached to, at most 16. */
export type TargetRefs = readonly TargetRef[];

/** What the control plane says of the object. */
export interface IstioStatus {
  /** State of the object, one entry per condition. */
  readonly conditions?: readonly StatusCondition[];
  /** Findings of the analysis of the mesh that are about this object. */
  readonly validationMessages?: readonly ValidationMessage[];
  /** Generation of the object that this status is about. */
  readonly observedGeneration?: number | string;
}

/** One condition of an object. */
export interface StatusCondition {
  /** Name of the condition, e.g. Reconciled. */
  readonly type?: string;
  /** True, False or Unknown. */
  readonly status?: string;
  /** When the condition was last looked at. */
  readonly lastProbeTime?: string;
  /** When the status last changed. */
  readonly lastTransitionTime?: string;
  /** One word for why it is so. */
  readonly reason?: string;
  /** Why it is so, for readers. */
  readonly message?: string;
  /** Generation of the object that the condition is about. */
  readonly observedGeneration?: number | string;
}

/** One finding about an object. */
export interface ValidationMessage {
  /** Which finding it is. */
  readonly type?: ValidationMessageType;
  /** How bad it is. */
  readonly level?: "UNKNOWN" | "ERROR" | "WARNING" | "INFO";
  /** Page that explains it. */
  readonly documentationUrl?: string;
}

/** Name and code of a finding. */
export interface ValidationMessageType {
  /** Name of the finding for readers. */
  readonly name?: string;
  /** Code of the finding, e.g. IST0101. */
  readonly code?: string;
}

/** A named group of endpoints. */
export interface DestinationRuleSubset {
  /** Name that routes use. */
  readonly name: string;
  /** Labels that an endpoint must have to belong to the subset. Default: all endpoints. */
  readonly labels?: Labels;
  /** What holds for the subset. Each field that is set replaces that of the whole service. Default: as the whole service. */
  readonly trafficPolicy?: DestinationRuleTrafficPolicy;
}

/** Settings of traffic to the service. */
export interface DestinationRuleTrafficPolicy {
  /** How an endpoint is chosen. Default: LEAST_REQUEST. */
  readonly loadBalancer?: DestinationRuleLoadBalancer;
  /** Limits on connections and requests. Default: none but those of the fields. */
  readonly connectionPool?: ConnectionPool;
  /** Takes failing endpoints out for a while. Default: off. */
  readonly outlierDetection?: DestinationRuleOutlierDetection;
  /** TLS of the connections. Default: mutual TLS where the other side has a proxy, else plaintext. */
  readonly tls?: ClientTls;
  /** Settings for single ports. They replace those above entirely: what is not given has its default, not the value above. Default: none. */
  readonly portLevelSettings?: readonly DestinationRulePortPolicy[];
  /** Send TCP through an HTTP proxy by CONNECT or POST. Only with TCP and TLS routes. Default: none. */
  readonly tunnel?: DestinationRuleTunnel;
  /** Send the PROXY protocol header to the service. Default: not sent. */
  readonly proxyProtocol?: DestinationRuleProxyProtocol;
  /** Limit retries in relation to requests in flight, in place of connectionPool.http.maxRetries. Default: maxRetries holds. */
  readonly retryBudget?: DestinationRuleRetryBudget;
}

/** Settings for one port of the service. */
export interface DestinationRulePortPolicy {
  /** Port of the service that the settings are for. Needed. */
  readonly port?: PortSelector;
  /** How an endpoint is chosen. Default: LEAST_REQUEST. */
  readonly loadBalancer?: DestinationRuleLoadBalancer;
  /** Limits on connections and requests. Default: none but those of the fields. */
  readonly connectionPool?: ConnectionPool;
  /** Takes failing endpoints out for a while. Default: off. */
  readonly outlierDetection?: DestinationRuleOutlierDetection;
  /** TLS of the connections. Default: mutual TLS where the other side has a proxy, else plaintext. */
  readonly tls?: ClientTls;
}

/** How an endpoint is chosen: simple or consistentHash. */
export interface DestinationRuleLoadBalancer {
  /** LEAST_REQUEST: the less busy of two picked at random. ROUND_ROBIN: in turn. RANDOM: any. PASSTHROUGH: the address that the client dialled. LEAST_CONN is the old name of LEAST_REQUEST. Default (UNSPECIFIED): LEAST_REQUEST. */
  readonly simple?: "UNSPECIFIED" | "LEAST_CONN" | "RANDOM" | "PASSTHROUGH" | "ROUND_ROBIN" | "LEAST_REQUEST";
  /** The same key goes to the same endpoint while the endpoints stay. Excludes simple. Default: as simple says. */
  readonly consistentHash?: DestinationRuleConsistentHash;
  /** How localities share the traffic. Default: as the mesh configuration says. */
  readonly localityLbSetting?: DestinationRuleLocalityLb;
  /** Deprecated: use warmup. Time in which a new endpoint's share grows. Default: the full share at once. @deprecated */
  readonly warmupDurationSecs?: PositiveDuration;
  /** Lets a new endpoint's share grow slowly. With ROUND_ROBIN and LEAST_REQUEST. Default: the full share at once. */
  readonly warmup?: DestinationRuleWarmup;
  /** Keep traffic in the client's zone as far as the zones' sizes allow, in place of localityLbSetting. Default: as the mesh configuration says. */
  readonly zoneAwareLbSetting?: DestinationRuleZoneAwareLb;
}

/** What is hashed, and how the ring is built. */
export interface DestinationRuleConsistentHash {
  /** Hash this request header; requests without it go anywhere. Default: another key is used. */
  readonly httpHeaderName?: string;
  /** Hash this cookie; it is made when missing and ttl is set. Default: another key is used. */
  readonly httpCookie?: DestinationRuleHashCookie;
  /** Hash the address of the client, for HTTP and TCP. Default: another key is used. */
  readonly useSourceIp?: boolean;
  /** Hash this query parameter; requests without it go anywhere. Default: another key is used. */
  readonly httpQueryParameterName?: string;
  /** Use a ring of hashes. Default: this, with minimumRingSize 1024. */
  readonly ringHash?: DestinationRuleRingHash;
  /** Use a Maglev table: faster, less even when endpoints change. Default: a ring. */
  readonly maglev?: DestinationRuleMaglev;
  /** Deprecated: use ringHash.minimumRingSize. Least number of places in the ring. Default 1024. @deprecated */
  readonly minimumRingSize?: number;
}

/** A cookie that decides the endpoint. */
export interface DestinationRuleHashCookie {
  /** Name of the cookie. */
  readonly name: string;
  /** Path of the cookie when it is made. Default: none, so that the client's rules hold. */
  readonly path?: string;
  /** Life of the cookie when it is made; 0s makes a session cookie. Default: no cookie is made. */
  readonly ttl?: Duration;
  /** Further attributes of the cookie when it is made, e.g. SameSite. Default: none. */
  readonly attributes?: readonly DestinationRuleCookieAttribute[];
}

/** An attribute of a cookie. */
export interface DestinationRuleCookieAttribute {
  /** Name of the attribute. */
  readonly name: string;
  /** Value of the attribute. Default: none. */
  readonly value?: string;
}

/** A ring of hashes. */
export interface DestinationRuleRingHash {
  /** Least number of places in the ring. Default 1024. */
  readonly minimumRingSize?: number;
}

/** A Maglev table. */
export interface DestinationRuleMaglev {
  /** Size of the table, a prime number. Default 65537. */
  readonly tableSize?: number;
}

/** How localities share the traffic: one of distribute, failover and failoverPriority. */
export interface DestinationRuleLocalityLb {
  /** Percentages by where the traffic comes from. Excludes failover. Default: none. */
  readonly distribute?: readonly DestinationRuleDistribute[];
  /** Which region takes over when one has no healthy endpoint; needs outlier detection. Default: any region. */
  readonly failover?: readonly DestinationRuleFailover[];
  /** Labels in order of importance (key or key=value): endpoints that share more of them with the client come first; needs outlier detection. Default: region, zone, subzone. */
  readonly failoverPriority?: readonly string[];
  /** Whether localities count. Default: as the mesh configuration says. */
  readonly enabled?: boolean | null;
}

/** Load balancing that knows zones: as much traffic as possible stays in the client's zone. */
export interface DestinationRuleZoneAwareLb {
  /** Whether zones count. Replaces the setting of the mesh configuration as a whole. Default: as the mesh configuration says. */
  readonly enabled?: boolean | null;
  /** Which region takes over when one has no healthy endpoint; needs outlier detection. Default: any region. */
  readonly failover?: readonly DestinationRuleFailover[];
  /** Labels in order of importance (key or key=value): endpoints that share more of them with the client come first, and those of its region within each group. Default: none. */
  readonly failoverPriority?: readonly string[];
  /** Least number of endpoints in the client's region; with fewer, zones do not count. Default: the proxy's own, 6. */
  readonly minClusterSize?: number | null;
}

/** Where traffic of one locality goes. */
export interface DestinationRuleDistribute {
  /** Locality of the client, as region/zone/subzone, `*` at the end allowed. Needed. */
  readonly from?: string;
  /** Percentage by locality of the endpoints; they add up to 100. Needed. */
  readonly to?: Readonly<Record<string, number>>;
}

/** A pair of regions. */
export interface DestinationRuleFailover {
  /** Region that fails. Needed. */
  readonly from?: string;
  /** Region that takes over; another than from. Needed. */
  readonly to?: string;
}

/** Slow start of new endpoints. */
export interface DestinationRuleWarmup {
  /** Time until a new endpoint has its full share. */
  readonly duration: PositiveDuration;
  /** Share at the start, in percent. Default 10. */
  readonly minimumPercent?: number | null;
  /** Shape of the growth; 1 is a straight line. Default 1. */
  readonly aggression?: number | null;
}

/** Takes failing endpoints out for a while. */
export interface DestinationRuleOutlierDetection {
  /** Errors in a row (5xx, or failed connects for TCP) after which an endpoint is taken out; 0 turns it off. Default 5. */
  readonly consecutive5xxErrors?: number | null;
  /** Errors 502, 503, 504 in a row after which an endpoint is taken out; 0 turns it off. Default 0. */
  readonly consecutiveGatewayErrors?: number | null;
  /** Failures to connect in a row after which an endpoint is taken out, with splitExternalLocalOriginErrors. Default 5. */
  readonly consecutiveLocalOriginFailures?: number | null;
  /** Count failures to connect apart from error answers. Default false. */
  readonly splitExternalLocalOriginErrors?: boolean;
  /** Deprecated: use consecutiveGatewayErrors or consecutive5xxErrors. Errors in a row after which an endpoint is taken out. Default: not counted. @deprecated */
  readonly consecutiveErrors?: number;
  /** Time between two looks at the endpoints. Default 10s. */
  readonly interval?: PositiveDuration;
  /** How long an endpoint is out, times the number of times it was out. Default 30s. */
  readonly baseEjectionTime?: PositiveDuration;
  /** Most endpoints that are out at a time, in percent. Default 10. */
  readonly maxEjectionPercent?: number;
  /** Below this share of healthy endpoints, in percent, all are used again. Default 0. */
  readonly minHealthPercent?: number;
  /** Statuses that count as errors, from 100 to 599, instead of 5xx. Default: 500 to 599. */
  readonly outlierDetectionHttpErrorCodes?: readonly number[];
}

/** An HTTP proxy that TCP is sent through. */
export interface DestinationRuleTunnel {
  /** Method of the tunnel: CONNECT or POST. Default CONNECT. */
  readonly protocol?: string;
  /** Host that the tunnel leads to. */
  readonly targetHost: string;
  /** Port that the tunnel leads to. */
  readonly targetPort: PortNumber;
}

/** PROXY protocol header. */
export interface DestinationRuleProxyProtocol {
  /** Version of the header. Default V1. */
  readonly version?: "V1" | "V2";
}

/** A limit of retries in relation to requests in flight. */
export interface DestinationRuleRetryBudget {
  /** Retries in flight, in percent of the requests in flight. Default 20. */
  readonly percent?: number | null;
  /** Retries that are always allowed. Default 3. */
  readonly minRetryConcurrency?: number;
  /** Time over which requests count for the budget, also when they are done. Default 0ms: only those in flight or waiting count. */
  readonly budgetInterval?: Duration;
}

/** What holds for traffic to a service after routing: subsets, load balancing, connection limits, outlier detection and TLS. */
export interface DestinationRuleSpec {
  /** Service that the rule is about: a name that the mesh knows, or a `*.suffix` wildcard. A name without dots is completed with the namespace of this object. */
  readonly host: string;
  /** What holds for all traffic to the service. Default: the mesh's defaults. */
  readonly trafficPolicy?: DestinationRuleTrafficPolicy;
  /** Named groups of endpoints that VirtualServices can route to. Default: none. */
  readonly subsets?: readonly DestinationRuleSubset[];
  /** Namespaces that see this object: a name, `.` for its own, `*` for all, `~` for none. Default: all, unless the mesh configuration says otherwise. */
  readonly exportTo?: ExportTo;
  /** Client workloads of this namespace whose traffic the rule holds for. Default: all clients that see the rule. */
  readonly workloadSelector?: LabelSelector;
}

/** One change: what kind of Envoy object, which of them, and what is done. */
export interface EnvoyFilterConfigPatch {
  /** Kind of Envoy object that is patched: LISTENER, FILTER_CHAIN, NETWORK_FILTER, HTTP_FILTER, LISTENER_FILTER, ROUTE_CONFIGURATION, VIRTUAL_HOST, HTTP_ROUTE, CLUSTER, EXTENSION_CONFIG or BOOTSTRAP. Needed: with INVALID, or without it, the patch is refused. */
  readonly applyTo?: "INVALID" | "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER" | "ROUTE_CONFIGURATION" | "VIRTUAL_HOST" | "HTTP_ROUTE" | "CLUSTER" | "EXTENSION_CONFIG" | "BOOTSTRAP" | "LISTENER_FILTER";
  /** Which objects of that kind, in which proxies. Default: all of them. */
  readonly match?: EnvoyFilterConfigMatch;
  /** What is done with them. Needed. */
  readonly patch?: EnvoyFilterPatch;
}

/** Conditions on the proxy and on one Envoy object; one of listener, routeConfiguration, cluster and waypoint. */
export interface EnvoyFilterConfigMatch {
  /** Role of the configuration that is patched: SIDECAR_INBOUND, SIDECAR_OUTBOUND, GATEWAY, WAYPOINT or ANY (all but waypoints). Default ANY. */
  readonly context?: "ANY" | "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY" | "WAYPOINT";
  /** Conditions on the proxy itself. Default: every proxy. */
  readonly proxy?: EnvoyFilterProxyMatch;
  /** Conditions on the listener, for LISTENER, FILTER_CHAIN, NETWORK_FILTER, HTTP_FILTER and LISTENER_FILTER. Default: any. */
  readonly listener?: EnvoyFilterListenerMatch;
  /** Conditions on the route table, for ROUTE_CONFIGURATION, VIRTUAL_HOST and HTTP_ROUTE. Default: any. */
  readonly routeConfiguration?: EnvoyFilterRouteConfigurationMatch;
  /** Conditions on the cluster, for CLUSTER. Default: any. */
  readonly cluster?: EnvoyFilterClusterMatch;
  /** Conditions on a waypoint's configuration. Needed with context WAYPOINT, refused otherwise. */
  readonly waypoint?: EnvoyFilterWaypointMatch;
}

/** Conditions on a proxy. */
export interface EnvoyFilterProxyMatch {
  /** Regular expression in RE2 syntax for the proxy's version, e.g. `^1\.2[0-9].*`. Default: any version. */
  readonly proxyVersion?: string;
  /** Entries that the node metadata of the proxy must have, all of them, with these values. Default: none asked for. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Conditions on a cluster; all that are given have to hold. */
export interface EnvoyFilterClusterMatch {
  /** Port of the service the cluster was made for; for inbound clusters the workload's port. Default: any. */
  readonly portNumber?: number;
  /** Fully qualified name of the service the cluster was made for; for inbound clusters it is ignored. Default: any. */
  readonly service?: string;
  /** Subset the cluster was made for. Default: any. */
  readonly subset?: string;
  /** Whole name of the cluster; excludes the other conditions. Default: any. */
  readonly name?: string;
}

/** Conditions on a route table; all that are given have to hold. */
export interface EnvoyFilterRouteConfigurationMatch {
  /** Port the table was made for: of the service, or of the gateway's server. Default: any. */
  readonly portNumber?: number;
  /** Name of the gateway server's port; only with context GATEWAY. Default: any. */
  readonly portName?: string;
  /** Gateway object the table was made for, as `namespace/name`; only with context GATEWAY. Default: any. */
  readonly gateway?: string;
  /** Conditions on a virtual host in the table. Default: any. */
  readonly vhost?: EnvoyFilterVirtualHostMatch;
  /** Whole name of the table, e.g. `http_proxy` or `8080`. Default: any. */
  readonly name?: string;
}

/** Conditions on a virtual host. */
export interface EnvoyFilterVirtualHostMatch {
  /** Name of the virtual host, made as `host:port`. Default: any. */
  readonly name?: string;
  /** One of the domains of the virtual host. Default: any. */
  readonly domainName?: string;
  /** Conditions on a route in the virtual host. Default: any. */
  readonly route?: EnvoyFilterRouteMatch;
}

/** Conditions on a route. */
export interface EnvoyFilterRouteMatch {
  /** Name of the route; routes from a VirtualService have the name given there, others `default`. Default: any. */
  readonly name?: string;
  /** What the route does: ROUTE, REDIRECT, DIRECT_RESPONSE, or ANY. Default ANY. */
  readonly action?: "ANY" | "ROUTE" | "REDIRECT" | "DIRECT_RESPONSE";
}

/** Conditions on a listener; all that are given have to hold. */
export interface EnvoyFilterListenerMatch {
  /** Port the listener was made for: of the service, or of the gateway's server. Default: any. */
  readonly portNumber?: number;
  /** Name of the port the listener was made for. Accepted, but no patch looks at it. Default: any. */
  readonly portName?: string;
  /** Conditions on a filter chain of the listener. Default: any chain. */
  readonly filterChain?: EnvoyFilterFilterChainMatch;
  /** Name of a listener filter, for LISTENER_FILTER. Default: any. */
  readonly listenerFilter?: string;
  /** Whole name of the listener, e.g. `virtualInbound`. Default: any. */
  readonly name?: string;
}

/** Conditions on a filter chain; all that are given have to hold. */
export interface EnvoyFilterFilterChainMatch {
  /** Name of the filter chain. Default: any. */
  readonly name?: string;
  /** Server name that the chain is for. Default: any. */
  readonly sni?: string;
  /** Transport the chain is for: `tls` or `raw_buffer`. Default: any. */
  readonly transportProtocol?: string;
  /** ALPN protocols the chain is for, separated by commas. Default: any. */
  readonly applicationProtocols?: string;
  /** A network filter of the chain; needed to place a filter before or after it. Default: any. */
  readonly filter?: EnvoyFilterFilterMatch;
  /** Destination port the chain is for. Default: any. */
  readonly destinationPort?: number;
}

/** A filter of a chain. */
export interface EnvoyFilterFilterMatch {
  /** Name of the filter in Envoy, e.g. `envoy.filters.network.http_connection_manager`. Default: any filter. */
  readonly name?: string;
  /** A filter inside this one, i.e. an HTTP filter of the connection manager. Default: any. */
  readonly subFilter?: EnvoyFilterSubFilterMatch;
}

/** A filter inside a filter. */
export interface EnvoyFilterSubFilterMatch {
  /** Name of the HTTP filter in Envoy, e.g. `envoy.filters.http.router`. Default: any filter. */
  readonly name?: string;
}

/** Conditions on the configuration of a waypoint. */
export interface EnvoyFilterWaypointMatch {
  /** Port of the service. Default: any. */
  readonly portNumber?: PortNumber;
  /** A filter of the chain. Default: any. */
  readonly filter?: EnvoyFilterFilterMatch;
  /** A route. Default: any. */
  readonly route?: EnvoyFilterWaypointRouteMatch;
}

/** A route of a waypoint. */
export interface EnvoyFilterWaypointRouteMatch {
  /** Name of the route. Default: any. */
  readonly name?: string;
}

/** What is done. */
export interface EnvoyFilterPatch {
  /** MERGE: lay the value over the object. ADD: add the value to its list. REMOVE: take the object out. INSERT_BEFORE, INSERT_AFTER: add the value beside the filter (or route) that matched; INSERT_FIRST: in front of all. REPLACE: put the value in place of a filter (REPLACE works on HTTP and network filters only). MERGE_AND_REPLACE_LIST: as MERGE, but lists are replaced, not joined. Needed: with INVALID, or without it, the patch is refused. */
  readonly operation?: "INVALID" | "MERGE" | "ADD" | "REMOVE" | "INSERT_BEFORE" | "INSERT_AFTER" | "INSERT_FIRST" | "REPLACE" | "MERGE_AND_REPLACE_LIST";
  /** The Envoy object, or the part of it that is laid over, as JSON in Envoy's own field names. Needed for every operation but REMOVE. */
  readonly value?: Readonly<Record<string, unknown>>;
  /** Where an added HTTP filter stands when no neighbour is named: after the AUTHN, AUTHZ or STATS filters of the control plane. UNSPECIFIED: at the end, before the router. Default UNSPECIFIED. */
  readonly filterClass?: "UNSPECIFIED" | "AUTHN" | "AUTHZ" | "STATS";
}

/** Changes Envoy configuration that the control plane has made. The patches depend on names and structure that may differ from one version to the next: use it where no other kind does the work. */
export interface EnvoyFilterSpec {
  /** Workloads of this namespace whose proxies are patched. Default: all of the namespace; in the root namespace all of the mesh. */
  readonly workloadSelector?: WorkloadSelector;
  /** Gateways (of this namespace) whose proxies are patched, instead of workloadSelector. Default: as workloadSelector says. */
  readonly targetRefs?: TargetRefs;
  /** Patches, applied in this order. Default: none, so that the object does nothing. */
  readonly configPatches?: readonly EnvoyFilterConfigPatch[];
  /** Order of this object among the EnvoyFilters of a proxy: lower ones first, negative before those without; at the same priority by age, then name. Default 0. */
  readonly priority?: number;
}

/** A Service of the same namespace, or one of its ports. */
export interface BackendTLSPolicyTargetRef {
  /** API group of the target; empty for core. */
  readonly group: GatewayApiGroup;
  /** Kind of the target: Service. */
  readonly kind: GatewayApiKind;
  /** Name of the target. */
  readonly name: string;
  /** Name of a port of the Service. Default: all ports. */
  readonly sectionName?: GatewayApiSectionName;
}

/** Which certificates of the backend are taken. One of caCertificateRefs and wellKnownCACertificates. */
export interface BackendTLSPolicyValidation {
  /** Host that is sent as SNI and, without subjectAltNames, has to stand in the certificate. */
  readonly hostname: GatewayApiPreciseHostname;
  /** ConfigMaps (key ca.crt) with the authorities that are trusted. */
  readonly caCertificateRefs?: readonly GatewayApiLocalObjectReference[];
  /** System: the authorities that the proxy's system trusts; or a set of the controller as domain/name. */
  readonly wellKnownCACertificates?: string;
  /** Names of which one has to stand in the certificate. Default: hostname. */
  readonly subjectAltNames?: readonly BackendTLSPolicySubjectAltName[];
}

/** A name in a certificate. */
export interface BackendTLSPolicySubjectAltName {
  /** What sort of name. */
  readonly type: "Hostname" | "URI";
  /** The host name, for type Hostname. */
  readonly hostname?: GatewayApiHostname;
  /** The URI, for type URI, e.g. spiffe://cluster.local/ns/shop/sa/cart. */
  readonly uri?: string;
}

/** What each ancestor says of the policy. */
export interface BackendTLSPolicyStatus {
  /** One entry per Gateway the policy acts on. */
  readonly ancestors: readonly BackendTLSPolicyAncestorStatus[];
}

/** What one Gateway says of the policy. */
export interface BackendTLSPolicyAncestorStatus {
  /** The Gateway. */
  readonly ancestorRef: GatewayApiParentReference;
  /** Controller that wrote this entry. */
  readonly controllerName: GatewayApiGatewayController;
  /** What it says: Accepted and more. */
  readonly conditions: readonly GatewayApiCondition[];
}

/** How Gateways speak TLS to a Service: which authorities they trust and which host they expect. Direct: it acts on the Service of its own namespace. */
export interface BackendTLSPolicySpec {
  /** Services the policy is for. Several references to one Service need different sections. */
  readonly targetRefs: readonly BackendTLSPolicyTargetRef[];
  /** Which certificates of the backend are taken. */
  readonly validation: BackendTLSPolicyValidation;
  /** Settings of the controller, by name. */
  readonly options?: Readonly<Record<string, GatewayApiAnnotationValue>>;
}

/** API group of a kind; empty for core. */
export type GatewayApiGroup = string;

/** Kind of an object, e.g. Service. */
export type GatewayApiKind = string;

/** Name of a namespace. */
export type GatewayApiNamespace = string;

/** Name of a part of an object, e.g. of a listener. */
export type GatewayApiSectionName = string;

/** A host name; `*.` in front stands for one label or more. */
export type GatewayApiHostname = string;

/** A host name without wildcard. */
export type GatewayApiPreciseHostname = string;

/** A port, from 1 to 65535. */
export type GatewayApiPortNumber = number;

/** Name of a header or query parameter; headers are compared without regard to case. */
export type GatewayApiHeaderName = string;

/** Name of a controller as domain/path, e.g. istio.io/gateway-controller. */
export type GatewayApiGatewayController = string;

/** A length of time: up to four whole numbers with h, m, s or ms, e.g. 10s or 1m30s. */
export type GatewayApiDuration = string;

/** Value of an annotation or option. */
export type GatewayApiAnnotationValue = string;

/** The object a route attaches to, most often a Gateway, or a Service in a mesh. */
export interface GatewayApiParentReference {
  /** API group of the parent. */
  readonly group?: GatewayApiGroup;
  /** Kind of the parent: Gateway, ListenerSet or Service. */
  readonly kind?: GatewayApiKind;
  /** Namespace of the parent. Default: the namespace of the route. The parent decides which namespaces may attach. */
  readonly namespace?: GatewayApiNamespace;
  /** Name of the parent. */
  readonly name: string;
  /** Listener of the Gateway, or port name of the Service. Default: all that fit. */
  readonly sectionName?: GatewayApiSectionName;
  /** Port of the listener or Service. Default: all that fit. */
  readonly port?: GatewayApiPortNumber;
}

/** Objects the route attaches to. Several references to one parent need different sections or ports. */
export type GatewayApiParentReferences = readonly GatewayApiParentReference[];

/** Attach also to the Gateways that are marked as default. Default None. Experimental channel. */
export type GatewayApiUseDefaultGateways = "All" | "None";

/** An object of the same namespace. */
export interface GatewayApiLocalObjectReference {
  /** API group of the object; empty for core. */
  readonly group: GatewayApiGroup;
  /** Kind of the object. */
  readonly kind: GatewayApiKind;
  /** Name of the object. */
  readonly name: string;
}

/** An object, perhaps of another namespace; there a ReferenceGrant has to allow it. */
export interface GatewayApiObjectReference {
  /** API group of the object; empty for core. */
  readonly group: GatewayApiGroup;
  /** Kind of the object, e.g. ConfigMap. */
  readonly kind: GatewayApiKind;
  /** Name of the object. */
  readonly name: string;
  /** Namespace of the object. Default: the namespace of this object. */
  readonly namespace?: GatewayApiNamespace;
}

/** A Secret, perhaps of another namespace; there a ReferenceGrant has to allow it. */
export interface GatewayApiSecretObjectReference {
  /** API group of the object. */
  readonly group?: GatewayApiGroup;
  /** Kind of the object. */
  readonly kind?: GatewayApiKind;
  /** Name of the object. */
  readonly name: string;
  /** Namespace of the object. Default: the namespace of this object. */
  readonly namespace?: GatewayApiNamespace;
}

/** Where traffic is sent: a Service with its port, or another kind that the controller knows. */
export interface GatewayApiBackendObjectReference {
  /** API group of the backend. */
  readonly group?: GatewayApiGroup;
  /** Kind of the backend. */
  readonly kind?: GatewayApiKind;
  /** Name of the backend. */
  readonly name: string;
  /** Namespace of the backend; another one has to allow it by a ReferenceGrant. Default: the namespace of the route. */
  readonly namespace?: GatewayApiNamespace;
  /** Port of the Service. Needed for a Service. */
  readonly port?: GatewayApiPortNumber;
}

/** A backend with its share of the traffic. */
export interface GatewayApiBackendRef {
  /** API group of the backend. */
  readonly group?: GatewayApiGroup;
  /** Kind of the backend. */
  readonly kind?: GatewayApiKind;
  /** Name of the backend. */
  readonly name: string;
  /** Namespace of the backend; another one has to allow it by a ReferenceGrant. Default: the namespace of the route. */
  readonly namespace?: GatewayApiNamespace;
  /** Port of the Service. Needed for a Service. */
  readonly port?: GatewayApiPortNumber;
  /** Share of this backend: its weight over the sum of all. With 0 it gets none. */
  readonly weight?: GatewayApiWeight;
}

/** A share, from 0 to 1000000. */
export type GatewayApiWeight = number;

/** A header with its value. */
export interface GatewayApiHeader {
  /** Name of the header. */
  readonly name: GatewayApiHeaderName;
  /** Value of the header. */
  readonly value: string;
}

/** Changes of headers: set, then add, then remove. */
export interface GatewayApiHeaderModifier {
  /** Headers that get this value, whatever they had. */
  readonly set?: readonly GatewayApiHeader[];
  /** Headers that get this value beside what they had. */
  readonly add?: readonly GatewayApiHeader[];
  /** Headers that are taken away. */
  readonly remove?: readonly string[];
}

/** A share as numerator over denominator. */
export interface GatewayApiFraction {
  /** Part. */
  readonly numerator: number;
  /** Whole. */
  readonly denominator?: number;
}

/** Copies of requests go to another backend; its answers are dropped. */
export interface GatewayApiRequestMirror {
  /** Who gets the copies. */
  readonly backendRef: GatewayApiBackendObjectReference;
  /** Percent of requests that are copied. Default: all. */
  readonly percent?: number;
  /** Share of requests that are copied. Default: all. */
  readonly fraction?: GatewayApiFraction;
}

/** Requests of one client session go to one backend endpoint. Experimental channel. */
export interface GatewayApiSessionPersistence {
  /** Name of the cookie or header. Default: chosen by the controller. */
  readonly sessionName?: string;
  /** Longest life of a session. Default: no limit. */
  readonly absoluteTimeout?: GatewayApiDuration;
  /** Where the session is kept. */
  readonly type?: "Cookie" | "Header";
  /** Settings of the cookie. */
  readonly cookieConfig?: GatewayApiCookieConfig;
}

/** Settings of a session cookie. */
export interface GatewayApiCookieConfig {
  /** Session: ends with the browser. Permanent: lives until absoluteTimeout. */
  readonly lifetimeType?: "Permanent" | "Session";
}

/** Objects by their labels; all conditions have to hold. */
export interface GatewayApiLabelSelector {
  /** Labels that have to be equal. */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** Conditions on labels. */
  readonly matchExpressions?: readonly GatewayApiLabelExpression[];
}

/** A condition on one label. */
export interface GatewayApiLabelExpression {
  /** Key of the label. */
  readonly key: string;
  /** In, NotIn, Exists or DoesNotExist. */
  readonly operator: string;
  /** Values for In and NotIn; none for Exists and DoesNotExist. */
  readonly values?: readonly string[];
}

/** A kind of routes. */
export interface GatewayApiRouteGroupKind {
  /** API group of the routes. */
  readonly group?: GatewayApiGroup;
  /** Kind of the routes, e.g. HTTPRoute. */
  readonly kind: GatewayApiKind;
}

/** One aspect of an object's state. */
export interface GatewayApiCondition {
  /** The aspect, e.g. Accepted. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: "True" | "False" | "Unknown";
  /** Why, as one word for programs. */
  readonly reason: string;
  /** Why, for people. */
  readonly message: string;
  /** Since when the status is as it is. */
  readonly lastTransitionTime: string;
  /** Generation of the object that was looked at. */
  readonly observedGeneration?: number;
}

/** What is said of the object. */
export type GatewayApiConditions = readonly GatewayApiCondition[];

/** What each parent says of the route. */
export interface GatewayApiRouteStatus {
  /** One entry per parent that looked at the route. */
  readonly parents: readonly GatewayApiRouteParentStatus[];
}

/** What one parent says of the route. */
export interface GatewayApiRouteParentStatus {
  /** The parent, as the route names it. */
  readonly parentRef: GatewayApiParentReference;
  /** Controller that wrote this entry. */
  readonly controllerName: GatewayApiGatewayController;
  /** What it says: Accepted, ResolvedRefs and more. */
  readonly conditions: readonly GatewayApiCondition[];
}

/** Object with settings of a controller. */
export interface GatewayClassParametersReference {
  /** API group of the object; empty for core. */
  readonly group: GatewayApiGroup;
  /** Kind of the object. */
  readonly kind: GatewayApiKind;
  /** Name of the object. */
  readonly name: string;
  /** Namespace of the object; needed for kinds that have one. */
  readonly namespace?: GatewayApiNamespace;
}

/** What the controller says of the class. */
export interface GatewayClassStatus {
  /** Accepted, SupportedVersion. */
  readonly conditions?: GatewayApiConditions;
  /** Features the controller has. */
  readonly supportedFeatures?: readonly GatewayClassSupportedFeature[];
}

/** A feature of the controller. */
export interface GatewayClassSupportedFeature {
  /** Name of the feature. */
  readonly name: string;
}

/** A kind of Gateways that one controller builds, e.g. istio. Cluster scope. */
export interface GatewayClassSpec {
  /** Controller that builds Gateways of this class. Cannot be changed. */
  readonly controllerName: GatewayApiGatewayController;
  /** Object with settings of the controller for this class. */
  readonly parametersRef?: GatewayClassParametersReference;
  /** What the class is for, in a few words. */
  readonly description?: string;
}

/** A port with its protocol, host and certificates. */
export interface KubernetesGatewayListener {
  /** Name of the listener; routes name it as sectionName. */
  readonly name: GatewayApiSectionName;
  /** Host that is served. Default: all. Routes attach only where their hosts and this one meet. */
  readonly hostname?: GatewayApiHostname;
  /** Port that is opened. Listeners of several hosts share one. */
  readonly port: GatewayApiPortNumber;
  /** Protocol of the port: HTTP, HTTPS, TLS, TCP, UDP, or one of the controller as domain/name. */
  readonly protocol: string;
  /** TLS of the port; for HTTPS and TLS only. */
  readonly tls?: KubernetesGatewayListenerTls;
  /** Which routes may attach. */
  readonly allowedRoutes?: KubernetesGatewayAllowedRoutes;
}

/** TLS of a listener. */
export interface KubernetesGatewayListenerTls {
  /** Terminate: TLS ends here and certificateRefs are served. Passthrough: the backend ends it; routes go by SNI. */
  readonly mode?: "Terminate" | "Passthrough";
  /** Secrets of type kubernetes.io/tls that are served. */
  readonly certificateRefs?: readonly GatewayApiSecretObjectReference[];
  /** Settings of the controller, by name. */
  readonly options?: Readonly<Record<string, GatewayApiAnnotationValue>>;
}

/** Which routes may attach to a listener. */
export interface KubernetesGatewayAllowedRoutes {
  /** Namespaces whose routes may attach. */
  readonly namespaces?: KubernetesGatewayRouteNamespaces;
  /** Kinds of routes that may attach. Default: those of the protocol. */
  readonly kinds?: readonly GatewayApiRouteGroupKind[];
}

/** Namespaces whose routes may attach. */
export interface KubernetesGatewayRouteNamespaces {
  /** All: every namespace. Same: that of the Gateway. Selector: those that selector takes. */
  readonly from?: "All" | "Selector" | "Same";
  /** Labels of namespaces, for from Selector. */
  readonly selector?: GatewayApiLabelSelector;
}

/** Which ListenerSets may add listeners. */
export interface KubernetesGatewayAllowedListeners {
  /** Namespaces whose ListenerSets may add listeners. */
  readonly namespaces?: KubernetesGatewayListenerNamespaces;
}

/** Namespaces whose ListenerSets may add listeners. */
export interface KubernetesGatewayListenerNamespaces {
  /** All: every namespace. Same: that of the Gateway. Selector: those that selector takes. None: no namespace. */
  readonly from?: "All" | "Selector" | "Same" | "None";
  /** Labels of namespaces, for from Selector. */
  readonly selector?: GatewayApiLabelSelector;
}

/** An address a Gateway should have. */
export interface KubernetesGatewayAddressRequest {
  /** IPAddress, Hostname, NamedAddress, or a type of the controller as domain/name. */
  readonly type?: string;
  /** The address. Default: one of this type, chosen by the controller. */
  readonly value?: string;
}

/** What the objects get that the controller makes for a Gateway. */
export interface KubernetesGatewayInfrastructure {
  /** Labels of these objects. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of these objects. */
  readonly annotations?: Readonly<Record<string, GatewayApiAnnotationValue>>;
  /** Object of the same namespace with settings of the controller for this Gateway. */
  readonly parametersRef?: GatewayApiLocalObjectReference;
}

/** TLS towards clients and backends. */
export interface KubernetesGatewayGatewayTls {
  /** TLS towards backends. */
  readonly backend?: KubernetesGatewayBackendTls;
  /** TLS towards clients: whether their certificates are asked for. */
  readonly frontend?: KubernetesGatewayFrontendTls;
}

/** TLS towards backends. */
export interface KubernetesGatewayBackendTls {
  /** Certificate the Gateway shows to backends that ask for one. */
  readonly clientCertificateRef?: GatewayApiSecretObjectReference;
}

/** TLS towards clients. */
export interface KubernetesGatewayFrontendTls {
  /** For all HTTPS listeners that have no entry in perPort. */
  readonly default: KubernetesGatewayFrontendTlsConfig;
  /** For the listeners of one port each. */
  readonly perPort?: readonly KubernetesGatewayFrontendTlsPort[];
}

/** TLS towards clients of one port. */
export interface KubernetesGatewayFrontendTlsPort {
  /** The port. */
  readonly port: GatewayApiPortNumber;
  /** TLS towards clients of this port. */
  readonly tls: KubernetesGatewayFrontendTlsConfig;
}

/** TLS towards clients. */
export interface KubernetesGatewayFrontendTlsConfig {
  /** How certificates of clients are judged. Default: none is asked for. */
  readonly validation?: KubernetesGatewayFrontendValidation;
}

/** How certificates of clients are judged. */
export interface KubernetesGatewayFrontendValidation {
  /** ConfigMaps (key ca.crt) or Secrets with the authorities that clients' certificates come from. */
  readonly caCertificateRefs: readonly GatewayApiObjectReference[];
  /** AllowValidOnly: clients without a valid certificate are refused. AllowInsecureFallback: they are let in; the backend decides. */
  readonly mode?: "AllowValidOnly" | "AllowInsecureFallback";
}

/** What the controller says of the Gateway. */
export interface KubernetesGatewayStatus {
  /** Addresses it can be reached at. */
  readonly addresses?: readonly KubernetesGatewayStatusAddress[];
  /** Accepted, Programmed and more. */
  readonly conditions?: GatewayApiConditions;
  /** What is said of each listener. */
  readonly listeners?: readonly KubernetesGatewayListenerStatus[];
  /** ListenerSets that add listeners. */
  readonly attachedListenerSets?: number;
}

/** An address a Gateway can be reached at. */
export interface KubernetesGatewayStatusAddress {
  /** IPAddress, Hostname, NamedAddress, or a type of the controller. */
  readonly type?: string;
  /** The address. */
  readonly value: string;
}

/** What is said of one listener. */
export interface KubernetesGatewayListenerStatus {
  /** Name of the listener. */
  readonly name: GatewayApiSectionName;
  /** Kinds of routes it takes. */
  readonly supportedKinds?: readonly GatewayApiRouteGroupKind[];
  /** Routes that are attached. */
  readonly attachedRoutes: number;
  /** Accepted, Programmed, ResolvedRefs and more. */
  readonly conditions: GatewayApiConditions;
}

/** A point where traffic enters the mesh, in the language of Gateway API: listeners with ports, hosts and certificates. The controller of its class makes proxies and a Service for it. */
export interface KubernetesGatewaySpec {
  /** Name of the GatewayClass; it says which controller builds this Gateway. */
  readonly gatewayClassName: string;
  /** Ports with their protocol, hosts and certificates. Names are unique, and so is port + protocol + hostname. */
  readonly listeners: readonly KubernetesGatewayListener[];
  /** Addresses the Gateway should be reached at. Default: chosen by the controller. */
  readonly addresses?: readonly KubernetesGatewayAddressRequest[];
  /** Which ListenerSets may add listeners. Default: none. */
  readonly allowedListeners?: KubernetesGatewayAllowedListeners;
  /** Routes that ask for default Gateways attach to this one. Default None. Experimental channel. */
  readonly defaultScope?: "All" | "None";
  /** What the objects get that the controller makes for this Gateway. */
  readonly infrastructure?: KubernetesGatewayInfrastructure;
  /** TLS towards clients and backends, for the whole Gateway. */
  readonly tls?: KubernetesGatewayGatewayTls;
}

/** Matches, filters and backends. */
export interface GRPCRouteRule {
  /** Name of the rule; policies may name it. */
  readonly name?: GatewayApiSectionName;
  /** Conditions; one of them has to hold. Default: every call. */
  readonly matches?: readonly GRPCRouteMatch[];
  /** What happens to calls and answers. */
  readonly filters?: readonly GRPCRouteFilter[];
  /** Where calls go, by weight. Without any the answer is UNAVAILABLE. */
  readonly backendRefs?: readonly GRPCRouteBackendRef[];
  /** Calls of one client session go to one endpoint. Experimental channel. */
  readonly sessionPersistence?: GatewayApiSessionPersistence;
}

/** Conditions on a call; all of them have to hold. */
export interface GRPCRouteMatch {
  /** Condition on service and method. Default: every one. */
  readonly method?: GRPCRouteMethodMatch;
  /** Conditions on headers. */
  readonly headers?: readonly GRPCRouteHeaderMatch[];
}

/** A condition on service and method; one of the two at least. */
export interface GRPCRouteMethodMatch {
  /** How both are compared. */
  readonly type?: "Exact" | "RegularExpression";
  /** Full name of the service, e.g. shop.v1.Cart. Default: every one. */
  readonly service?: string;
  /** Name of the method, e.g. AddItem. Default: every one. */
  readonly method?: string;
}

/** A condition on a header. */
export interface GRPCRouteHeaderMatch {
  /** How value is compared. */
  readonly type?: "Exact" | "RegularExpression";
  /** Name of the header. */
  readonly name: GatewayApiHeaderName;
  /** Value, or a regular expression in RE2 syntax. */
  readonly value: string;
}

/** One thing that happens to calls or answers; type says which field is set. */
export interface GRPCRouteFilter {
  /** Which filter this is. */
  readonly type: "RequestHeaderModifier" | "ResponseHeaderModifier" | "RequestMirror" | "ExtensionRef";
  /** Changes of the call's headers. */
  readonly requestHeaderModifier?: GatewayApiHeaderModifier;
  /** Changes of the answer's headers. */
  readonly responseHeaderModifier?: GatewayApiHeaderModifier;
  /** Copies of calls go to another backend. */
  readonly requestMirror?: GatewayApiRequestMirror;
  /** A filter of the controller. */
  readonly extensionRef?: GatewayApiLocalObjectReference;
}

/** A backend with its share of the calls and filters of its own. */
export interface GRPCRouteBackendRef {
  /** API group of the backend. */
  readonly group?: GatewayApiGroup;
  /** Kind of the backend. */
  readonly kind?: GatewayApiKind;
  /** Name of the backend. */
  readonly name: string;
  /** Namespace of the backend; another one has to allow it by a ReferenceGrant. Default: the namespace of the route. */
  readonly namespace?: GatewayApiNamespace;
  /** Port of the Service. Needed for a Service. */
  readonly port?: GatewayApiPortNumber;
  /** Share of this backend: its weight over the sum of all. With 0 it gets none. */
  readonly weight?: GatewayApiWeight;
  /** What happens to calls that go to this backend. */
  readonly filters?: readonly GRPCRouteFilter[];
}

/** Where gRPC calls go, in the language of Gateway API: by host, service, method and header, with filters and weights. */
export interface GRPCRouteSpec {
  /** Gateways (or Services, in a mesh) the route attaches to. */
  readonly parentRefs?: GatewayApiParentReferences;
  /** Hosts the route is for. Default: those of its listeners. */
  readonly hostnames?: readonly GatewayApiHostname[];
  /** Rules; of all matches that fit the most precise one wins, not the first. Default: every call, no backend. */
  readonly rules?: readonly GRPCRouteRule[];
  /** Attach also to the Gateways that are marked as default. Default None. Experimental channel. */
  readonly useDefaultGateways?: GatewayApiUseDefaultGateways;
}

/** Matches, filters and backends. */
export interface HTTPRouteRule {
  /** Name of the rule; policies may name it. */
  readonly name?: GatewayApiSectionName;
  /** Conditions; one of them has to hold. Default: every path. */
  readonly matches?: readonly HTTPRouteMatch[];
  /** What happens to requests and responses. */
  readonly filters?: readonly HTTPRouteFilter[];
  /** Where requests go, by weight. Without any, and without a redirect, the answer is 500. */
  readonly backendRefs?: readonly HTTPRouteBackendRef[];
  /** Limits of time. */
  readonly timeouts?: HTTPRouteTimeouts;
  /** Retries of failed requests. Experimental channel. */
  readonly retry?: HTTPRouteRetry;
  /** Requests of one client session go to one endpoint. Experimental channel. */
  readonly sessionPersistence?: GatewayApiSessionPersistence;
}

/** Conditions on a request; all of them have to hold. */
export interface HTTPRouteMatch {
  /** Condition on the path. */
  readonly path?: HTTPRoutePathMatch;
  /** Conditions on headers. */
  readonly headers?: readonly HTTPRouteHeaderMatch[];
  /** Conditions on query parameters. */
  readonly queryParams?: readonly HTTPRouteQueryParamMatch[];
  /** The method. */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH";
}

/** A condition on the path. */
export interface HTTPRoutePathMatch {
  /** Exact: the whole path. PathPrefix: whole segments at the start, /a takes /a/b but not /ab. RegularExpression: RE2 over the whole path. */
  readonly type?: "Exact" | "PathPrefix" | "RegularExpression";
  /** The path. */
  readonly value?: string;
}

/** A condition on a header. */
export interface HTTPRouteHeaderMatch {
  /** How value is compared. */
  readonly type?: "Exact" | "RegularExpression";
  /** Name of the header. */
  readonly name: GatewayApiHeaderName;
  /** Value, or a regular expression in RE2 syntax. */
  readonly value: string;
}

/** A condition on a query parameter. */
export interface HTTPRouteQueryParamMatch {
  /** How value is compared. */
  readonly type?: "Exact" | "RegularExpression";
  /** Name of the parameter, compared exactly. */
  readonly name: GatewayApiHeaderName;
  /** Value, or a regular expression in RE2 syntax. */
  readonly value: string;
}

/** One thing that happens to requests or responses; type says which field is set. */
export interface HTTPRouteFilter {
  /** Which filter this is. */
  readonly type: "RequestHeaderModifier" | "ResponseHeaderModifier" | "RequestMirror" | "RequestRedirect" | "URLRewrite" | "ExtensionRef" | "CORS" | "ExternalAuth";
  /** Changes of the request's headers. */
  readonly requestHeaderModifier?: GatewayApiHeaderModifier;
  /** Changes of the response's headers. */
  readonly responseHeaderModifier?: GatewayApiHeaderModifier;
  /** Copies of requests go to another backend. */
  readonly requestMirror?: GatewayApiRequestMirror;
  /** The answer is a redirect. */
  readonly requestRedirect?: HTTPRouteRequestRedirect;
  /** Host and path that the backend sees. */
  readonly urlRewrite?: HTTPRouteUrlRewrite;
  /** A filter of the controller. */
  readonly extensionRef?: GatewayApiLocalObjectReference;
  /** Answers to browsers that ask across origins. */
  readonly cors?: HTTPRouteCors;
  /** A service decides whether the request is let through. Experimental channel. */
  readonly externalAuth?: HTTPRouteExternalAuth;
}

/** The answer is a redirect. */
export interface HTTPRouteRequestRedirect {
  /** Scheme of the new address. Default: that of the request. */
  readonly scheme?: "http" | "https";
  /** Host of the new address. Default: that of the request. */
  readonly hostname?: GatewayApiPreciseHostname;
  /** Path of the new address. Default: that of the request. */
  readonly path?: HTTPRoutePathModifier;
  /** Port of the new address. Default: that of the scheme when one is set, else that of the listener. */
  readonly port?: GatewayApiPortNumber;
  /** Status of the answer. */
  readonly statusCode?: 301 | 302 | 303 | 307 | 308;
}

/** Host and path that the backend sees. */
export interface HTTPRouteUrlRewrite {
  /** Host the backend sees. Default: as the client sent it. */
  readonly hostname?: GatewayApiPreciseHostname;
  /** Path the backend sees. Default: as the client sent it. */
  readonly path?: HTTPRoutePathModifier;
}

/** A new path. */
export interface HTTPRoutePathModifier {
  /** ReplaceFullPath: the whole path. ReplacePrefixMatch: the part that a PathPrefix match took. */
  readonly type: "ReplaceFullPath" | "ReplacePrefixMatch";
  /** The new path. */
  readonly replaceFullPath?: string;
  /** What takes the place of the matched prefix. */
  readonly replacePrefixMatch?: string;
}

/** Answers to browsers that ask across origins. */
export interface HTTPRouteCors {
  /** Origins that are let in. */
  readonly allowOrigins?: readonly string[];
  /** Whether browsers may send credentials. Default false. */
  readonly allowCredentials?: boolean;
  /** Methods that browsers may use beyond the simple ones. */
  readonly allowMethods?: readonly ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" | "*")[];
  /** Request headers that browsers may send. */
  readonly allowHeaders?: readonly GatewayApiHeaderName[];
  /** Response headers that scripts may read. */
  readonly exposeHeaders?: readonly GatewayApiHeaderName[];
  /** Seconds for which browsers may keep the answer. */
  readonly maxAge?: number;
}

/** A service decides whether a request is let through. Experimental channel. */
export interface HTTPRouteExternalAuth {
  /** Protocol of the service: Envoy's ext_authz over GRPC, or plain HTTP. */
  readonly protocol: "HTTP" | "GRPC";
  /** The service. */
  readonly backendRef: GatewayApiBackendObjectReference;
  /** Settings for protocol GRPC. */
  readonly grpc?: HTTPRouteGrpcAuth;
  /** Settings for protocol HTTP. */
  readonly http?: HTTPRouteHttpAuth;
  /** Whether the body is sent along. Default: no. */
  readonly forwardBody?: HTTPRouteForwardBody;
}

/** Settings of an authorization service over gRPC. */
export interface HTTPRouteGrpcAuth {
  /** Request headers that the service sees. Default: all. */
  readonly allowedHeaders?: readonly string[];
}

/** Settings of an authorization service over HTTP. */
export interface HTTPRouteHttpAuth {
  /** What the service sees before the request's own path. */
  readonly path?: string;
  /** Request headers that the service sees beside Authorization and the basic ones. */
  readonly allowedHeaders?: readonly string[];
  /** Headers of the service's answer that the backend sees. Default: all. */
  readonly allowedResponseHeaders?: readonly string[];
}

/** Whether the body is sent along. */
export interface HTTPRouteForwardBody {
  /** Most bytes that are sent; larger requests are refused. 0: no body. */
  readonly maxSize?: number;
}

/** A backend with its share of the requests and filters of its own. */
export interface HTTPRouteBackendRef {
  /** API group of the backend. */
  readonly group?: GatewayApiGroup;
  /** Kind of the backend. */
  readonly kind?: GatewayApiKind;
  /** Name of the backend. */
  readonly name: string;
  /** Namespace of the backend; another one has to allow it by a ReferenceGrant. Default: the namespace of the route. */
  readonly namespace?: GatewayApiNamespace;
  /** Port of the Service. Needed for a Service. */
  readonly port?: GatewayApiPortNumber;
  /** Share of this backend: its weight over the sum of all. With 0 it gets none. */
  readonly weight?: GatewayApiWeight;
  /** What happens to requests that go to this backend. */
  readonly filters?: readonly HTTPRouteFilter[];
}

/** Limits of time. */
export interface HTTPRouteTimeouts {
  /** From the client's request to the whole answer, all retries included. 0s: no limit. Default: none. */
  readonly request?: GatewayApiDuration;
  /** One attempt at a backend; at most as long as request. 0s: no limit. Default: none. */
  readonly backendRequest?: GatewayApiDuration;
}

/** Retries of failed requests. Experimental channel. */
export interface HTTPRouteRetry {
  /** Statuses that are tried again. */
  readonly codes?: readonly number[];
  /** Most retries of one request. Default: chosen by the controller. */
  readonly attempts?: number;
  /** Least wait before a retry. Default: chosen by the controller. */
  readonly backoff?: GatewayApiDuration;
}

/** Where HTTP requests go, in the language of Gateway API: by host, path, header, query and method, with filters and weights. */
export interface HTTPRouteSpec {
  /** Gateways (or Services, in a mesh) the route attaches to. */
  readonly parentRefs?: GatewayApiParentReferences;
  /** Hosts the route is for. Default: those of its listeners. */
  readonly hostnames?: readonly GatewayApiHostname[];
  /** Rules; of all matches that fit the most precise one wins, not the first. Default: everything under /. */
  readonly rules?: readonly HTTPRouteRule[];
  /** Attach also to the Gateways that are marked as default. Default None. Experimental channel. */
  readonly useDefaultGateways?: GatewayApiUseDefaultGateways;
}

/** Objects that may refer. */
export interface ReferenceGrantFrom {
  /** API group of the objects; empty for core. */
  readonly group: GatewayApiGroup;
  /** Kind of the objects, e.g. HTTPRoute. */
  readonly kind: GatewayApiKind;
  /** Namespace of the objects. */
  readonly namespace: GatewayApiNamespace;
}

/** Objects that may be referred to. */
export interface ReferenceGrantTo {
  /** API group of the objects; empty for core. */
  readonly group: GatewayApiGroup;
  /** Kind of the objects, e.g. Service. */
  readonly kind: GatewayApiKind;
  /** Name of the one object. Default: all of this kind. */
  readonly name?: string;
}

/** Lets objects of other namespaces refer to objects of this one, e.g. an HTTPRoute to a Service, a Gateway to a Secret. */
export interface ReferenceGrantSpec {
  /** Who may refer; each entry counts by itself. */
  readonly from: readonly ReferenceGrantFrom[];
  /** What may be referred to; each entry counts by itself. */
  readonly to: readonly ReferenceGrantTo[];
}

/** Where connections go. */
export interface TCPRouteRule {
  /** Name of the rule; policies may name it. */
  readonly name?: GatewayApiSectionName;
  /** Where connections go, by weight. */
  readonly backendRefs: readonly GatewayApiBackendRef[];
}

/** Where TCP connections of a listener go, in the language of Gateway API. */
export interface TCPRouteSpec {
  /** Gateways (or Services, in a mesh) the route attaches to. */
  readonly parentRefs?: GatewayApiParentReferences;
  /** The rule; exactly one. */
  readonly rules: readonly TCPRouteRule[];
  /** Attach also to the Gateways that are marked as default. Default None. Experimental channel. */
  readonly useDefaultGateways?: GatewayApiUseDefaultGateways;
}

/** Where connections go. */
export interface TLSRouteRule {
  /** Name of the rule; policies may name it. */
  readonly name?: GatewayApiSectionName;
  /** Where connections go, by weight. */
  readonly backendRefs: readonly GatewayApiBackendRef[];
}

/** Where TLS connections go by the host they ask for (SNI), in the language of Gateway API. */
export interface TLSRouteSpec {
  /** Gateways (or Services, in a mesh) the route attaches to. */
  readonly parentRefs?: GatewayApiParentReferences;
  /** Hosts (SNI) the route is for. */
  readonly hostnames: readonly GatewayApiHostname[];
  /** The rule; exactly one. */
  readonly rules: readonly TLSRouteRule[];
  /** Attach also to the Gateways that are marked as default. Default None. Experimental channel. */
  readonly useDefaultGateways?: GatewayApiUseDefaultGateways;
}

/** One port with its hosts. */
export interface GatewayServer {
  /** Name of the server, for statistics; unique in the object. Default: none. */
  readonly name?: string;
  /** Port that is opened. */
  readonly port: GatewayPort;
  /** Address or unix:// path to listen on. Default: all addresses. */
  readonly bind?: string;
  /** Hosts that are served here, as dns.name, `*.suffix` or `*`; with `namespace/` in front only VirtualServices of that namespace may bind (`.` for this object's). */
  readonly hosts: readonly string[];
  /** TLS of the port. Needed for HTTPS and TLS; on HTTP it can only redirect. Default: plaintext. */
  readonly tls?: ServerTls;
  /** Accepted, but not used by any proxy. Default: none. */
  readonly defaultEndpoint?: string;
}

/** A port of a gateway. */
export interface GatewayPort {
  /** Port of the gateway's Service; the proxy listens on the target port. */
  readonly number: PortNumber;
  /** HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP or TLS. */
  readonly protocol: string;
  /** Name of the port; unique in the object for HTTPS. */
  readonly name: string;
  /** Deprecated: not used. The Service says it. Default: none. @deprecated */
  readonly targetPort?: PortNumber;
}

/** Ports that proxies at the edge of the mesh open, and the hosts and certificates they serve there. VirtualServices say where the traffic goes. */
export interface GatewaySpec {
  /** Ports with their hosts. Needed: a Gateway without servers is refused. */
  readonly servers?: readonly GatewayServer[];
  /** Labels of the gateway pods that get this configuration, in any namespace unless the control plane is told to stay in this one. Default: all gateway pods. */
  readonly selector?: Labels;
}

/** Parts of the mesh. */
export interface IstioOperatorComponents {
  /** CRDs and what all parts share. */
  readonly base?: IstioOperatorBase;
  /** The control plane. */
  readonly pilot?: IstioOperatorComponent;
  /** Gateways for traffic into the mesh, told apart by name. */
  readonly ingressGateways?: readonly IstioOperatorGateway[];
  /** Gateways for traffic out of the mesh, told apart by name. */
  readonly egressGateways?: readonly IstioOperatorGateway[];
  /** The node agent that captures traffic in place of an init container. */
  readonly cni?: IstioOperatorComponent;
  /** The node proxy of ambient mode. */
  readonly ztunnel?: IstioOperatorComponent;
  /** What a cluster needs whose control plane is elsewhere. */
  readonly istiodRemote?: IstioOperatorComponent;
}

/** CRDs and what all parts share. */
export interface IstioOperatorBase {
  /** Whether it is installed. Default true. */
  readonly enabled?: boolean | null;
  /** Settings of its Kubernetes objects. */
  readonly k8s?: IstioOperatorK8s;
}

/** A part of the mesh. */
export interface IstioOperatorComponent {
  /** Whether it is installed. */
  readonly enabled?: boolean | null;
  /** Namespace it is installed in. Default: that of the mesh. */
  readonly namespace?: string;
  /** Registry and path of its image. Default: hub of the mesh. */
  readonly hub?: string;
  /** Tag of its image. Default: tag of the mesh. */
  readonly tag?: unknown;
  /** Settings of its Kubernetes objects. */
  readonly k8s?: IstioOperatorK8s;
}

/** A gateway. */
export interface IstioOperatorGateway {
  /** Name of the gateway and its objects. */
  readonly name: string;
  /** Whether it is installed. */
  readonly enabled?: boolean | null;
  /** Namespace it is installed in. Default: that of the mesh. */
  readonly namespace?: string;
  /** Registry and path of its image. Default: hub of the mesh. */
  readonly hub?: string;
  /** Tag of its image. Default: tag of the mesh. */
  readonly tag?: unknown;
  /** Settings of its Kubernetes objects. */
  readonly k8s?: IstioOperatorK8s;
  /** Labels of its pods. */
  readonly label?: Readonly<Record<string, string>>;
}

/** Settings of the Kubernetes objects of a part, as Kubernetes writes them. */
export interface IstioOperatorK8s {
  /** Affinity of its pods. */
  readonly affinity?: Readonly<Record<string, unknown>>;
  /** Environment: a list as Kubernetes writes it, or a map from name to value. */
  readonly env?: unknown;
  /** Its HorizontalPodAutoscaler. */
  readonly hpaSpec?: Readonly<Record<string, unknown>>;
  /** When images are pulled. Default IfNotPresent. */
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | "";
  /** Labels of nodes it may run on. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Its PodDisruptionBudget. */
  readonly podDisruptionBudget?: Readonly<Record<string, unknown>>;
  /** Annotations of its pods. */
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /** Priority class of its pods. */
  readonly priorityClassName?: string;
  /** Readiness probe of its container. */
  readonly readinessProbe?: Readonly<Record<string, unknown>>;
  /** Number of its pods. */
  readonly replicaCount?: number;
  /** Requests and limits of its container. */
  readonly resources?: IstioOperatorResources;
  /** Its Service. */
  readonly service?: IstioOperatorService;
  /** How its pods are replaced. */
  readonly strategy?: Readonly<Record<string, unknown>>;
  /** Taints its pods bear. */
  readonly tolerations?: readonly Readonly<Record<string, unknown>>[];
  /** Annotations of its Service. */
  readonly serviceAnnotations?: Readonly<Record<string, string>>;
  /** Security context of its pods. */
  readonly securityContext?: Readonly<Record<string, unknown>>;
  /** Further volumes. */
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  /** Where they are mounted. */
  readonly volumeMounts?: readonly Readonly<Record<string, unknown>>[];
  /** Changes of single objects at the end. */
  readonly overlays?: readonly IstioOperatorOverlay[];
}

/** A Service, as Kubernetes writes it. */
export interface IstioOperatorService {
  /** ClusterIP, NodePort or LoadBalancer. Default LoadBalancer. */
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName" | "";
  /** Its ports. */
  readonly ports?: readonly IstioOperatorServicePort[];
  /** Its address. */
  readonly clusterIP?: string;
  /** Its addresses. */
  readonly clusterIPs?: readonly string[];
  /** Further addresses. */
  readonly externalIPs?: readonly string[];
  /** Host that it stands for. */
  readonly externalName?: string;
  /** Local keeps the client's address. Default Cluster. */
  readonly externalTrafficPolicy?: "Cluster" | "Local" | "";
  /** Local stays on the node. Default Cluster. */
  readonly internalTrafficPolicy?: "Cluster" | "Local" | "";
  /** Port of health checks. */
  readonly healthCheckNodePort?: number;
  /** Address of the load balancer. */
  readonly loadBalancerIP?: string;
  /** Class of the load balancer. */
  readonly loadBalancerClass?: string;
  /** Clients that may come in. */
  readonly loadBalancerSourceRanges?: readonly string[];
  /** Whether node ports are taken. Default true. */
  readonly allocateLoadBalancerNodePorts?: boolean;
  /** ClientIP keeps a client with one pod. Default None. */
  readonly sessionAffinity?: string;
  /** Settings of it. */
  readonly sessionAffinityConfig?: Readonly<Record<string, unknown>>;
  /** Serve pods that are not ready. Default false. */
  readonly publishNotReadyAddresses?: boolean;
  /** Labels of its pods. */
  readonly selector?: Readonly<Record<string, string>>;
  /** Which endpoints are preferred. */
  readonly trafficDistribution?: string;
  /** Families of its Service, IPv4 and IPv6, in order. Default: the cluster's. */
  readonly ipFamilies?: readonly string[];
  /** SingleStack, PreferDualStack or RequireDualStack. Default: the cluster's. */
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | "";
}

/** A port of a Service. */
export interface IstioOperatorServicePort {
  /** Its name. */
  readonly name?: string;
  /** Its number. */
  readonly port: PortNumber;
  /** Port of the pod. Default: port. */
  readonly targetPort?: number | string;
  /** Port of the nodes. */
  readonly nodePort?: number;
  /** TCP, UDP or SCTP. Default TCP. */
  readonly protocol?: string;
  /** Protocol of the application. */
  readonly appProtocol?: string;
}

/** Changes of one object. */
export interface IstioOperatorOverlay {
  /** Its apiVersion. */
  readonly apiVersion?: string;
  /** Its kind. */
  readonly kind?: string;
  /** Its name. */
  readonly name?: string;
  /** The changes. */
  readonly patches?: readonly IstioOperatorPatch[];
}

/** A change. */
export interface IstioOperatorPatch {
  /** Path as a.[key:value].b. */
  readonly path?: string;
  /** New value; none deletes. */
  readonly value?: unknown;
}

/** Requests and limits. */
export interface IstioOperatorResources {
  /** What is set aside for it. */
  readonly requests?: Readonly<Record<string, number | string>>;
  /** What it may use at most. */
  readonly limits?: Readonly<Record<string, number | string>>;
  /** Devices it uses. */
  readonly claims?: readonly Readonly<Record<string, unknown>>[];
}

/** Settings by the names of Istio's Helm values. */
export interface IstioOperatorValues {
  /** Settings of all parts. */
  readonly global?: IstioOperatorGlobal;
  /** The control plane. */
  readonly pilot?: IstioOperatorPilot;
  /** Injection. */
  readonly sidecarInjectorWebhook?: IstioOperatorInjector;
  /** Gateways. */
  readonly gateways?: IstioOperatorGateways;
  /** CRDs and validation. */
  readonly base?: IstioOperatorBaseValues;
  /** Metrics of proxies. */
  readonly telemetry?: IstioOperatorTelemetry;
  /** The node agent that captures traffic. */
  readonly cni?: IstioOperatorCni;
  /** The node proxy of ambient mode. */
  readonly ztunnel?: unknown;
  /** Settings of the whole mesh; components of the document itself win. */
  readonly meshConfig?: MeshConfigSpec;
  /** Revision of the control plane. */
  readonly revision?: string;
  /** Further names of the revision. */
  readonly revisionTags?: readonly string[];
  /** Revision that validates objects which name none. */
  readonly defaultRevision?: string;
  /** Name of what owns the objects. */
  readonly ownerName?: string;
  /** Built-in preset of the charts. */
  readonly profile?: string;
  /** Behave as this older version where behaviour changed. */
  readonly compatibilityVersion?: string;
  /** What is being tried. */
  readonly experimental?: IstioOperatorExperimental;
  /** Settings of Gateways by class. */
  readonly gatewayClasses?: unknown;
  /** The service that counts for limits of the whole mesh. Of meshctl alone. */
  readonly ratelimit?: IstioOperatorRateLimit;
  /** Deprecated: use pilot.cni. @deprecated */
  readonly istio_cni?: IstioOperatorCniUsage;
  /** Deprecated: use pilot.istiodRemote. @deprecated */
  readonly istiodRemote?: IstioOperatorIstiodRemote;
}

/** The rate limit service. */
export interface IstioOperatorRateLimit {
  /** Install it. Default false. */
  readonly enabled?: boolean | null;
  /** Number of its pods. With one, what was counted is lost when it restarts. Default 2. */
  readonly replicaCount?: number;
  /** Resources of its container. */
  readonly resources?: Readonly<Record<string, unknown>>;
}

/** Settings of all parts. */
export interface IstioOperatorGlobal {
  /** Registry and path of images. Default: hub of the document. */
  readonly hub?: string;
  /** Tag of images. Default: tag of the document. */
  readonly tag?: unknown;
  /** Variant of images: debug or distroless. Default: none. */
  readonly variant?: string;
  /** When images are pulled: Always, IfNotPresent or Never. Default IfNotPresent. */
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never" | "";
  /** Secrets with which images are pulled. */
  readonly imagePullSecrets?: readonly string[];
  /** Namespace of the control plane. Default istio-system. */
  readonly istioNamespace?: string;
  /** What the control plane logs. */
  readonly logging?: IstioOperatorLogging;
  /** Log as JSON. Default false. */
  readonly logAsJson?: boolean | null;
  /** Name of the mesh. Default: its trust domain. */
  readonly meshID?: string;
  /** Network of this cluster. Default: none. */
  readonly network?: string;
  /** Networks of the mesh, by name. */
  readonly meshNetworks?: Readonly<Record<string, MeshNetworksNetwork>>;
  /** This cluster in a mesh of several. */
  readonly multiCluster?: IstioOperatorMultiCluster;
  /** Sidecars. */
  readonly proxy?: IstioOperatorProxy;
  /** The init container that captures traffic. */
  readonly proxy_init?: IstioOperatorProxyInit;
  /** Waypoints of ambient mode. */
  readonly waypoint?: IstioOperatorWaypoint;
  /** Address of the certificate authority. Default: the control plane. */
  readonly caAddress?: string;
  /** Name of the certificate authority. Default: none. */
  readonly caName?: string;
  /** Kubernetes signers that the control plane may approve for. */
  readonly certSigners?: readonly string[];
  /** Who signs the control plane's certificate: istiod, kubernetes, custom or none. Default istiod. */
  readonly pilotCertProvider?: string;
  /** ConfigMap that the root is written to. Default istio-ca-root-cert. */
  readonly trustBundleName?: string;
  /** Take keys from mounted secrets. Default false. */
  readonly mountMtlsCerts?: boolean | null;
  /** Security token service. */
  readonly sts?: IstioOperatorSts;
  /** Deprecated: has no effect. @deprecated */
  readonly sds?: IstioOperatorSds;
  /** Check objects when they are applied. Default true. */
  readonly configValidation?: boolean | null;
  /** The control plane. */
  readonly istiod?: IstioOperatorIstiodValues;
  /** Do not make the injector's ConfigMap. Default false. */
  readonly omitSidecarInjectorConfigMap?: boolean | null;
  /** Webhooks are managed elsewhere. Default false. */
  readonly operatorManageWebhooks?: boolean | null;
  /** PodDisruptionBudgets of all parts. Default on. */
  readonly defaultPodDisruptionBudget?: {
    /** Turn it on. */
    readonly enabled?: boolean | null;
  };
  /** Further search domains of pods. */
  readonly podDNSSearchNamespaces?: readonly string[];
  /** Address of a control plane elsewhere. */
  readonly remotePilotAddress?: string;
  /** The control plane is outside this cluster. Default false. */
  readonly externalIstiod?: boolean | null;
  /** This cluster holds the configuration of a control plane elsewhere. Default false. */
  readonly configCluster?: boolean | null;
  /** Revision of the control plane. */
  readonly revision?: string;
  /** Platform of the cluster: openshift, gcp or none. Default: none. */
  readonly platform?: string;
  /** Capture with nftables in place of iptables. Default false. */
  readonly nativeNftables?: boolean | null;
  /** NetworkPolicies of all parts. Default off. */
  readonly networkPolicy?: {
    /** Turn it on. */
    readonly enabled?: boolean | null;
  };
  /** Which objects are made: all, those of the cluster, or those of namespaces. Default all. */
  readonly resourceScope?: "undefined" | "all" | "cluster" | "namespace";
  /** The proxy agentgateway. */
  readonly agentgateway?: {
    /** Its image. */
    readonly image?: string;
  };
  /** Make the account other clusters read with. Default true. */
  readonly enableReaderRBAC?: boolean | null;
  /** An account of one's own for other clusters. */
  readonly readerServiceAccount?: {
    /** Its name. */
    readonly name?: string;
    /** Its namespace. */
    readonly namespace?: string;
  };
  /** Where spans go by default. */
  readonly tracer?: IstioOperatorTracer;
  /** Deprecated: use k8s.affinity. @deprecated */
  readonly arch?: {
    /** Weight of this architecture. */
    readonly amd64?: number;
    /** Weight of this architecture. */
    readonly ppc64le?: number;
    /** Weight of this architecture. */
    readonly s390x?: number;
    /** Weight of this architecture. */
    readonly arm64?: number;
  };
  /** Deprecated: use k8s.nodeSelector. @deprecated */
  readonly defaultNodeSelector?: Readonly<Record<string, unknown>>;
  /** Deprecated: use k8s.resources. @deprecated */
  readonly defaultResources?: IstioOperatorResources;
  /** Deprecated: use k8s.tolerations. @deprecated */
  readonly defaultTolerations?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.priorityClassName. @deprecated */
  readonly priorityClassName?: string;
  /** Deprecated: has no effect. @deprecated */
  readonly jwtPolicy?: string;
  /** Families of its Service, IPv4 and IPv6, in order. Default: the cluster's. */
  readonly ipFamilies?: readonly string[];
  /** SingleStack, PreferDualStack or RequireDualStack. Default: the cluster's. */
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | "";
}

/** What is logged. */
export interface IstioOperatorLogging {
  /** Levels as scope:level, e.g. default:info. */
  readonly level?: string;
}

/** This cluster in a mesh of several. */
export interface IstioOperatorMultiCluster {
  /** Whether there are several clusters. Default false. */
  readonly enabled?: boolean | null;
  /** Name of this cluster. Default Kubernetes. */
  readonly clusterName?: string;
  /** Suffix of hosts of other clusters. Default global. */
  readonly globalDomainSuffix?: string;
  /** Make the filter for hosts of other clusters. Default true. */
  readonly includeEnvoyFilter?: boolean | null;
}

/** Sidecars. */
export interface IstioOperatorProxy {
  /** Name of the image, or all of it. Default proxy. */
  readonly image?: string;
  /** Whether namespaces with the label inject by default: enabled or disabled. Default enabled. */
  readonly autoInject?: "enabled" | "disabled" | "";
  /** Domain of the cluster. Default cluster.local. */
  readonly clusterDomain?: string;
  /** Log level of Envoy. Default warning. */
  readonly logLevel?: "trace" | "debug" | "info" | "warning" | "warn" | "error" | "critical" | "off" | "";
  /** Log levels of Envoy's components. Default misc:error. */
  readonly componentLogLevel?: string;
  /** File that outlier detection logs to. Default: none. */
  readonly outlierLogPath?: string;
  /** Port of the agent for readiness and metrics. Default 15020. */
  readonly statusPort?: PortNumber;
  /** How traffic reaches the proxy. NONE where nodes cannot redirect. Default REDIRECT. */
  readonly interceptionMode?: "REDIRECT" | "TPROXY" | "NONE";
  /** Destinations that are captured, as CIDRs. Default *. */
  readonly includeIPRanges?: string;
  /** Destinations that are not captured, as CIDRs. */
  readonly excludeIPRanges?: string;
  /** Ports that are captured on the way in. Default *. */
  readonly includeInboundPorts?: string;
  /** Ports that are not captured on the way in. */
  readonly excludeInboundPorts?: string;
  /** Ports that are captured whatever the destination. */
  readonly includeOutboundPorts?: string;
  /** Ports that are not captured on the way out. */
  readonly excludeOutboundPorts?: string;
  /** Requests and limits of the proxy. */
  readonly resources?: IstioOperatorResources;
  /** Startup probe of the proxy. */
  readonly startupProbe?: {
    /** Whether there is one. Default true. */
    readonly enabled?: boolean | null;
    /** Checks until it failed. Default 600. */
    readonly failureThreshold?: number;
  };
  /** Seconds before the first readiness check. Default 0. */
  readonly readinessInitialDelaySeconds?: number;
  /** Seconds between readiness checks. Default 15. */
  readonly readinessPeriodSeconds?: number;
  /** Bad checks until not ready. Default 4. */
  readonly readinessFailureThreshold?: number;
  /** Run privileged. Default false. */
  readonly privileged?: boolean | null;
  /** Hooks of the container. */
  readonly lifecycle?: Readonly<Record<string, unknown>>;
  /** Seccomp profile. */
  readonly seccompProfile?: Readonly<Record<string, unknown>>;
  /** Where spans go by default: zipkin, lightstep, datadog, stackdriver, openCensusAgent or none. Default none. */
  readonly tracer?: string;
  /** Deprecated: has no effect. @deprecated */
  readonly enableCoreDump?: boolean | null;
  /** Deprecated: use meshConfig.defaultConfig.holdApplicationUntilProxyStarts. @deprecated */
  readonly holdApplicationUntilProxyStarts?: boolean | null;
}

/** The init container that captures traffic. */
export interface IstioOperatorProxyInit {
  /** Name of the image. Default proxy. */
  readonly image?: string;
  /** Deprecated: those of the proxy are used. @deprecated */
  readonly resources?: IstioOperatorResources;
  /** Apply rules even when there are some. Default false. */
  readonly forceApplyIptables?: boolean | null;
}

/** Waypoints of ambient mode. */
export interface IstioOperatorWaypoint {
  /** Requests and limits. */
  readonly resources?: IstioOperatorResources;
  /** Affinity of pods. */
  readonly affinity?: Readonly<Record<string, unknown>>;
  /** How pods are spread. */
  readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[];
  /** Labels of nodes. */
  readonly nodeSelector?: Readonly<Record<string, unknown>>;
  /** Taints pods bear. */
  readonly toleration?: readonly Readonly<Record<string, unknown>>[];
}

/** Security token service. */
export interface IstioOperatorSts {
  /** Its port; 0: none. Default 0. */
  readonly servicePort?: number;
}

/** Has no effect. */
export interface IstioOperatorSds {
  /** Has no effect. */
  readonly token?: Readonly<Record<string, unknown>>;
}

/** The control plane. */
export interface IstioOperatorIstiodValues {
  /** Write findings into the status of objects. Default false. */
  readonly enableAnalysis?: boolean | null;
}

/** Where spans go by default. */
export interface IstioOperatorTracer {
  /** A Datadog agent. */
  readonly datadog?: {
    /** Address, as host:port. */
    readonly address?: string;
  };
  /** A Lightstep satellite. */
  readonly lightstep?: {
    /** Address, as host:port. */
    readonly address?: string;
    /** Token that it asks for. */
    readonly accessToken?: string;
  };
  /** A Zipkin collector. */
  readonly zipkin?: {
    /** Address, as host:port. */
    readonly address?: string;
  };
  /** Google's collector. */
  readonly stackdriver?: Readonly<Record<string, unknown>>;
}

/** The control plane. */
export interface IstioOperatorPilot {
  /** Whether it is installed. */
  readonly enabled?: boolean | null;
  /** Whether a HorizontalPodAutoscaler is made. Default true. */
  readonly autoscaleEnabled?: boolean | null;
  /** Fewest pods. Default 1. */
  readonly autoscaleMin?: number;
  /** Most pods. Default 5. */
  readonly autoscaleMax?: number;
  /** How fast pods come and go. */
  readonly autoscaleBehavior?: Readonly<Record<string, unknown>>;
  /** Name of the image, or all of it. Default pilot. */
  readonly image?: string;
  /** Registry and path of the image. */
  readonly hub?: string;
  /** Tag of the image. */
  readonly tag?: unknown;
  /** Variant of the image. */
  readonly variant?: string;
  /** Percent of requests that are traced. Default 1. */
  readonly traceSampling?: number;
  /** Environment of the control plane. */
  readonly env?: Readonly<Record<string, unknown>>;
  /** Environment from other objects. */
  readonly envVarFrom?: readonly Readonly<Record<string, unknown>>[];
  /** Affinity of its pods. */
  readonly affinity?: Readonly<Record<string, unknown>>;
  /** Labels of its pods. */
  readonly podLabels?: Readonly<Record<string, unknown>>;
  /** Labels of its Deployment. */
  readonly deploymentLabels?: Readonly<Record<string, unknown>>;
  /** Annotations of its Service. */
  readonly serviceAnnotations?: Readonly<Record<string, unknown>>;
  /** Annotations of its service account. */
  readonly serviceAccountAnnotations?: Readonly<Record<string, unknown>>;
  /** How long a proxy's connection lives. Default 30m. */
  readonly keepaliveMaxServerConnectionAge?: Duration;
  /** Make ConfigMap istio from meshConfig. Default true. */
  readonly configMap?: boolean | null;
  /** Further root, as PEM, for fetching JWKS. */
  readonly jwksResolverExtraRootCA?: string;
  /** Seccomp profile. */
  readonly seccompProfile?: Readonly<Record<string, unknown>>;
  /** How pods are spread. */
  readonly topologySpreadConstraints?: readonly Readonly<Record<string, unknown>>[];
  /** Further arguments. */
  readonly extraContainerArgs?: readonly unknown[];
  /** Further mounts. */
  readonly volumeMounts?: readonly Readonly<Record<string, unknown>>[];
  /** Further volumes. */
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  /** Whether the node agent captures traffic. */
  readonly cni?: IstioOperatorCniUsage;
  /** Keep pods off nodes whose agent is not ready. */
  readonly taint?: {
    /** Turn it on. Default false. */
    readonly enabled?: boolean | null;
    /** Namespace of the node agent. */
    readonly namespace?: string;
    /** Name of the node agent. */
    readonly name?: string;
  };
  /** Namespace of the node proxy that may ask for others. */
  readonly trustedZtunnelNamespace?: string;
  /** Account of the node proxy that may ask for others. */
  readonly trustedZtunnelName?: string;
  /** A control plane elsewhere. */
  readonly istiodRemote?: IstioOperatorIstiodRemote;
  /** ConfigMap with revoked certificates. */
  readonly crlConfigMapName?: string;
  /** Families of its Service, IPv4 and IPv6, in order. Default: the cluster's. */
  readonly ipFamilies?: readonly string[];
  /** SingleStack, PreferDualStack or RequireDualStack. Default: the cluster's. */
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | "";
  /** Deprecated: use k8s.replicaCount. @deprecated */
  readonly replicaCount?: number;
  /** Deprecated: use k8s.resources. @deprecated */
  readonly resources?: IstioOperatorResources;
  /** Deprecated: use k8s.hpaSpec. @deprecated */
  readonly cpu?: IstioOperatorUtilization;
  /** Deprecated: use k8s.hpaSpec. @deprecated */
  readonly memory?: IstioOperatorUtilization;
  /** Deprecated: use k8s.nodeSelector. @deprecated */
  readonly nodeSelector?: Readonly<Record<string, unknown>>;
  /** Deprecated: use k8s.strategy. @deprecated */
  readonly rollingMaxSurge?: number | string;
  /** Deprecated: use k8s.strategy. @deprecated */
  readonly rollingMaxUnavailable?: number | string;
  /** Deprecated: use k8s.tolerations. @deprecated */
  readonly tolerations?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.podAnnotations. @deprecated */
  readonly podAnnotations?: Readonly<Record<string, unknown>>;
}

/** Load at which pods are added. */
export interface IstioOperatorUtilization {
  /** Percent of what is requested. */
  readonly targetAverageUtilization?: number;
}

/** Whether the node agent captures traffic. */
export interface IstioOperatorCniUsage {
  /** Turn it on. Default false. */
  readonly enabled?: boolean | null;
  /** Who runs it: default or multus. Default default. */
  readonly provider?: string;
  /** Deprecated: set it for the node agent. @deprecated */
  readonly chained?: boolean | null;
}

/** A control plane elsewhere. */
export interface IstioOperatorIstiodRemote {
  /** Address of its injector. */
  readonly injectionURL?: string;
  /** Path of its injector. */
  readonly injectionPath?: string;
  /** Root its injector is trusted by. */
  readonly injectionCABundle?: string;
  /** Turn it on. Default false. */
  readonly enabled?: boolean | null;
  /** Inject with a control plane of this cluster. Default false. */
  readonly enabledLocalInjectorIstiod?: boolean | null;
}

/** Injection. */
export interface IstioOperatorInjector {
  /** Let the agent answer probes of the application. Default true. */
  readonly rewriteAppHTTPProbe?: boolean | null;
  /** Pods that are never injected, by labels. */
  readonly neverInjectSelector?: readonly Readonly<Record<string, unknown>>[];
  /** Pods that are always injected, by labels. */
  readonly alwaysInjectSelector?: readonly Readonly<Record<string, unknown>>[];
  /** Inject in namespaces without label too. Default false. */
  readonly enableNamespacesByDefault?: boolean | null;
  /** Whether the webhook is asked again after others: Never or IfNeeded. Default Never. */
  readonly reinvocationPolicy?: "Never" | "IfNeeded" | "";
  /** Annotations of injected pods. */
  readonly injectedAnnotations?: Readonly<Record<string, unknown>>;
  /** Address of the injector. Default: the control plane's Service. */
  readonly injectionURL?: string;
  /** Further templates, by name. */
  readonly templates?: Readonly<Record<string, unknown>>;
  /** Templates that are used by default. Default [sidecar]. */
  readonly defaultTemplates?: readonly string[];
}

/** Gateways. */
export interface IstioOperatorGateways {
  /** The gateway for traffic into the mesh. */
  readonly "istio-ingressgateway"?: IstioOperatorIngressGateway;
  /** The gateway for traffic out of the mesh. */
  readonly "istio-egressgateway"?: IstioOperatorEgressGateway;
  /** Whether gateways are installed. */
  readonly enabled?: boolean | null;
  /** Security context of pods. */
  readonly securityContext?: unknown;
  /** Seccomp profile. */
  readonly seccompProfile?: unknown;
}

/** A gateway for traffic out of the mesh. */
export interface IstioOperatorEgressGateway {
  /** Whether a HorizontalPodAutoscaler is made. Default true. */
  readonly autoscaleEnabled?: boolean | null;
  /** Fewest pods. Default 1. */
  readonly autoscaleMin?: number;
  /** Most pods. Default 5. */
  readonly autoscaleMax?: number;
  /** Do not make its Service. Default false. */
  readonly customService?: boolean | null;
  /** Whether the gateway is installed. */
  readonly enabled?: boolean | null;
  /** Environment of the proxy. */
  readonly env?: Readonly<Record<string, unknown>>;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Name of its objects. */
  readonly name?: string;
  /** Ports of its Service. */
  readonly ports?: readonly IstioOperatorPort[];
  /** Secrets that are mounted. */
  readonly secretVolumes?: readonly IstioOperatorSecretVolume[];
  /** ConfigMaps that are mounted. */
  readonly configVolumes?: readonly Readonly<Record<string, unknown>>[];
  /** Further containers of its pods. */
  readonly additionalContainers?: readonly Readonly<Record<string, unknown>>[];
  /** Annotations of its Service. */
  readonly serviceAnnotations?: Readonly<Record<string, unknown>>;
  /** Type of its Service. Default LoadBalancer. */
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName" | "";
  /** Run as root. Default false. */
  readonly runAsRoot?: boolean | null;
  /** Template its proxy is made by. Default gateway. */
  readonly injectionTemplate?: string;
  /** Its service account. */
  readonly serviceAccount?: IstioOperatorServiceAccount;
  /** Families of its Service, IPv4 and IPv6, in order. Default: the cluster's. */
  readonly ipFamilies?: readonly string[];
  /** SingleStack, PreferDualStack or RequireDualStack. Default: the cluster's. */
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | "";
  /** Deprecated: use k8s.hpaSpec. @deprecated */
  readonly memory?: IstioOperatorUtilization;
  /** Deprecated: use k8s.hpaSpec. @deprecated */
  readonly cpu?: IstioOperatorUtilization;
  /** Deprecated: use k8s.nodeSelector. @deprecated */
  readonly nodeSelector?: Readonly<Record<string, unknown>>;
  /** Deprecated: use k8s.podAnnotations. @deprecated */
  readonly podAnnotations?: Readonly<Record<string, unknown>>;
  /** Deprecated: use k8s.affinity. @deprecated */
  readonly podAntiAffinityLabelSelector?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.affinity. @deprecated */
  readonly podAntiAffinityTermLabelSelector?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.resources. @deprecated */
  readonly resources?: IstioOperatorResources;
  /** Deprecated: use k8s.tolerations. @deprecated */
  readonly tolerations?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.strategy. @deprecated */
  readonly rollingMaxSurge?: number | string;
  /** Deprecated: use k8s.strategy. @deprecated */
  readonly rollingMaxUnavailable?: number | string;
}

/** A gateway for traffic into the mesh. */
export interface IstioOperatorIngressGateway {
  /** Whether a HorizontalPodAutoscaler is made. Default true. */
  readonly autoscaleEnabled?: boolean | null;
  /** Fewest pods. Default 1. */
  readonly autoscaleMin?: number;
  /** Most pods. Default 5. */
  readonly autoscaleMax?: number;
  /** Do not make its Service. Default false. */
  readonly customService?: boolean | null;
  /** Whether the gateway is installed. */
  readonly enabled?: boolean | null;
  /** Environment of the proxy. */
  readonly env?: Readonly<Record<string, unknown>>;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Name of its objects. */
  readonly name?: string;
  /** Ports of its Service. */
  readonly ports?: readonly IstioOperatorPort[];
  /** Secrets that are mounted. */
  readonly secretVolumes?: readonly IstioOperatorSecretVolume[];
  /** ConfigMaps that are mounted. */
  readonly configVolumes?: readonly Readonly<Record<string, unknown>>[];
  /** Further containers of its pods. */
  readonly additionalContainers?: readonly Readonly<Record<string, unknown>>[];
  /** Annotations of its Service. */
  readonly serviceAnnotations?: Readonly<Record<string, unknown>>;
  /** Type of its Service. Default LoadBalancer. */
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName" | "";
  /** Run as root. Default false. */
  readonly runAsRoot?: boolean | null;
  /** Template its proxy is made by. Default gateway. */
  readonly injectionTemplate?: string;
  /** Its service account. */
  readonly serviceAccount?: IstioOperatorServiceAccount;
  /** Families of its Service, IPv4 and IPv6, in order. Default: the cluster's. */
  readonly ipFamilies?: readonly string[];
  /** SingleStack, PreferDualStack or RequireDualStack. Default: the cluster's. */
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | "";
  /** Deprecated: use k8s.hpaSpec. @deprecated */
  readonly memory?: IstioOperatorUtilization;
  /** Deprecated: use k8s.hpaSpec. @deprecated */
  readonly cpu?: IstioOperatorUtilization;
  /** Deprecated: use k8s.nodeSelector. @deprecated */
  readonly nodeSelector?: Readonly<Record<string, unknown>>;
  /** Deprecated: use k8s.podAnnotations. @deprecated */
  readonly podAnnotations?: Readonly<Record<string, unknown>>;
  /** Deprecated: use k8s.affinity. @deprecated */
  readonly podAntiAffinityLabelSelector?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.affinity. @deprecated */
  readonly podAntiAffinityTermLabelSelector?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.resources. @deprecated */
  readonly resources?: IstioOperatorResources;
  /** Deprecated: use k8s.tolerations. @deprecated */
  readonly tolerations?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.strategy. @deprecated */
  readonly rollingMaxSurge?: number | string;
  /** Deprecated: use k8s.strategy. @deprecated */
  readonly rollingMaxUnavailable?: number | string;
  /** Address of the load balancer. */
  readonly loadBalancerIP?: string;
  /** Clients that may come in. */
  readonly loadBalancerSourceRanges?: readonly string[];
  /** Local keeps the client's address. Default Cluster. */
  readonly externalTrafficPolicy?: "Cluster" | "Local" | "";
  /** Further ports. */
  readonly ingressPorts?: readonly Readonly<Record<string, unknown>>[];
  /** Deprecated: use k8s.replicaCount. @deprecated */
  readonly replicaCount?: number;
}

/** A port of a gateway. */
export interface IstioOperatorPort {
  /** Its name. */
  readonly name?: string;
  /** Its number. */
  readonly port?: PortNumber;
  /** Port of the nodes. */
  readonly nodePort?: number;
  /** Port of the pod. Default: port. */
  readonly targetPort?: number;
  /** Protocol. Default TCP. */
  readonly protocol?: string;
}

/** A secret that is mounted. */
export interface IstioOperatorSecretVolume {
  /** Name of the volume. */
  readonly name?: string;
  /** Name of the secret. */
  readonly secretName?: string;
  /** Where it is mounted. */
  readonly mountPath?: string;
}

/** A service account. */
export interface IstioOperatorServiceAccount {
  /** Its annotations. */
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** CRDs and validation. */
export interface IstioOperatorBaseValues {
  /** Make CRDs from templates. Default true. */
  readonly enableCRDTemplates?: boolean | null;
  /** CRDs that are left out. */
  readonly excludedCRDs?: readonly string[];
  /** Make the CRDs of the mesh. Default true. */
  readonly enableIstioConfigCRDs?: boolean | null;
  /** Check gateways when they are applied. Default false. */
  readonly validateGateway?: boolean | null;
  /** Address of the validator. Default: the control plane's Service. */
  readonly validationURL?: string;
  /** Root the validator is trusted by. */
  readonly validationCABundle?: string;
}

/** Metrics of proxies. */
export interface IstioOperatorTelemetry {
  /** Whether proxies make metrics. Default true. */
  readonly enabled?: boolean | null;
  /** How they are made. */
  readonly v2?: {
    /** Whether they are made. Default true. */
    readonly enabled?: boolean | null;
    /** For Prometheus. Default on. */
    readonly prometheus?: {
      /** Turn it on. */
      readonly enabled?: boolean | null;
    };
    /** For Google. Default off. */
    readonly stackdriver?: {
      /** Turn it on. */
      readonly enabled?: boolean | null;
    };
  };
}

/** What is being tried. */
export interface IstioOperatorExperimental {
  /** Refuse fields that are not stable. Default false. */
  readonly stableValidationPolicy?: boolean | null;
}

/** The node agent that captures traffic. */
export interface IstioOperatorCni {
  /** Whether it is installed. Default false. */
  readonly enabled?: boolean | null;
  /** Registry and path of the image. */
  readonly hub?: string;
  /** Tag of the image. */
  readonly tag?: unknown;
  /** Variant of the image. */
  readonly variant?: string;
  /** Name of the image, or all of it. Default install-cni. */
  readonly image?: string;
  /** When the image is pulled. */
  readonly pullPolicy?: string;
  /** Folder of CNI programs on nodes. Default /opt/cni/bin. */
  readonly cniBinDir?: string;
  /** Folder of CNI configurations on nodes. Default /etc/cni/net.d. */
  readonly cniConfDir?: string;
  /** Configuration it adds itself to. Default: the first. */
  readonly cniConfFileName?: string;
  /** Folder of network namespaces on nodes. Default /var/run/netns. */
  readonly cniNetnsDir?: string;
  /** Namespaces whose pods it leaves alone. Default [kube-system]. */
  readonly excludeNamespaces?: readonly string[];
  /** Affinity of its pods. */
  readonly affinity?: Readonly<Record<string, unknown>>;
  /** Its environment. */
  readonly env?: Readonly<Record<string, unknown>>;
  /** Labels of its DaemonSet. */
  readonly daemonSetLabels?: Readonly<Record<string, unknown>>;
  /** Labels of its pods. */
  readonly podLabels?: Readonly<Record<string, unknown>>;
  /** Cluster role for its account. */
  readonly psp_cluster_role?: string;
  /** What it logs. */
  readonly logging?: IstioOperatorLogging;
  /** What becomes of pods that started before it. */
  readonly repair?: IstioOperatorCniRepair;
  /** Add itself to another configuration. Default true. */
  readonly chained?: boolean | null;
  /** A quota for its priority class. */
  readonly resource_quotas?: {
    /** Turn it on. Default false. */
    readonly enabled?: boolean | null;
    /** Most pods. Default 5000. */
    readonly pods?: number;
  };
  /** Requests and limits. */
  readonly resources?: IstioOperatorResources;
  /** Seccomp profile. */
  readonly seccompProfile?: Readonly<Record<string, unknown>>;
  /** Capture for ambient mode. */
  readonly ambient?: {
    /** Turn it on. Default false. */
    readonly enabled?: boolean | null;
    /** Folder of its configuration. */
    readonly configDir?: string;
    /** Capture DNS. Default true. */
    readonly dnsCapture?: boolean | null;
    /** Capture IPv6. Default true. */
    readonly ipv6?: boolean | null;
    /** Renew rules of pods at start. Default true. */
    readonly reconcileIptablesOnStartup?: boolean | null;
  };
  /** Who runs it: default or multus. Default default. */
  readonly provider?: string;
  /** How many nodes at once are updated. Default 1. */
  readonly rollingMaxUnavailable?: number | string;
  /** Write a configuration of its own. Default false. */
  readonly istioOwnedCNIConfig?: boolean | null;
  /** Name of that file. */
  readonly istioOwnedCNIConfigFileName?: string;
  /** Set AppArmor by annotation. Default false. */
  readonly useAppArmorAnnotation?: boolean | null;
  /** Deprecated: use k8s.podAnnotations. @deprecated */
  readonly podAnnotations?: Readonly<Record<string, unknown>>;
  /** Deprecated: use logging.level. @deprecated */
  readonly logLevel?: string;
  /** Deprecated: has no effect. @deprecated */
  readonly privileged?: boolean | null;
}

/** What becomes of pods that started before the node agent. */
export interface IstioOperatorCniRepair {
  /** Turn it on. Default true. */
  readonly enabled?: boolean | null;
  /** Registry and path of the image. */
  readonly hub?: string;
  /** Tag of the image. */
  readonly tag?: unknown;
  /** Name of the image. */
  readonly image?: string;
  /** Label them. Default false. */
  readonly labelPods?: boolean;
  /** Repair them. Default true. */
  readonly repairPods?: boolean;
  /** Delete them. Default false. */
  readonly deletePods?: boolean;
  /** Key of the label. */
  readonly brokenPodLabelKey?: string;
  /** Value of the label. */
  readonly brokenPodLabelValue?: string;
  /** Init container they are known by. Default istio-validation. */
  readonly initContainerName?: string;
  /** Deprecated: has no effect. @deprecated */
  readonly createEvents?: string;
}

/** What install makes of a mesh: a profile, and what differs from it. Document of kind IstioOperator (install.istio.io/v1alpha1); profiles and --set have the same fields. */
export interface IstioOperatorSpec {
  /** Profile it starts from: default, demo, minimal or empty. Default: default. */
  readonly profile?: string;
  /** Folder with charts of another version. Has no effect: the charts are built in. */
  readonly installPackagePath?: string;
  /** Registry and path of all images. Default docker.io/meshctl. */
  readonly hub?: string;
  /** Tag of all images. Default: the version of the program. */
  readonly tag?: unknown;
  /** Revision of the control plane; several run side by side. Default: none. */
  readonly revision?: string;
  /** Namespace of the control plane. Default istio-system. */
  readonly namespace?: string;
  /** Behave as this older version where behaviour changed, e.g. 1.23. Default: none. */
  readonly compatibilityVersion?: string;
  /** Settings of the whole mesh. */
  readonly meshConfig?: MeshConfigSpec;
  /** Parts of the mesh, each with a switch and its Kubernetes settings. */
  readonly components?: IstioOperatorComponents;
  /** Further settings, by the names of Istio's Helm values. */
  readonly values?: IstioOperatorValues;
  /** Further values that are not checked. */
  readonly unvalidatedValues?: Readonly<Record<string, unknown>>;
  /** Deprecated: has no effect, addons are installed by their own manifests. @deprecated */
  readonly addonComponents?: Readonly<Record<string, unknown>>;
}

/** What happens to traffic that no known service takes. */
export interface MeshConfigOutboundTrafficPolicy {
  /** REGISTRY_ONLY: refused. ALLOW_ANY: let through to where it was going. ALLOW_ANY_DYNAMIC_DNS: HTTP by its host name. Default ALLOW_ANY. */
  readonly mode?: "REGISTRY_ONLY" | "ALLOW_ANY" | "ALLOW_ANY_DYNAMIC_DNS";
  /** TLS to such destinations, for ALLOW_ANY_DYNAMIC_DNS. Default: none. */
  readonly tls?: ClientTls;
}

/** How proxies reach the application. */
export interface MeshConfigInboundTrafficPolicy {
  /** PASSTHROUGH: at the pod's address. LOCALHOST: at 127.0.0.1. Default PASSTHROUGH. */
  readonly mode?: "PASSTHROUGH" | "LOCALHOST";
}

/** Who may see ServiceEntries. */
export interface MeshConfigServiceEntryVisibility {
  /** For those that no policy takes. Default PUBLIC. */
  readonly defaultVisibility?: MeshConfigVisibility;
  /** Whether sidecars follow this too, not only ambient proxies. Default false. */
  readonly applyToSidecars?: boolean;
  /** The first whose rules all match decides. */
  readonly policies?: readonly MeshConfigVisibilityPolicy[];
}

/** NONE: nobody. NAMESPACE: its own namespace. PUBLIC: everybody. */
export type MeshConfigVisibility = "VISIBILITY_UNSPECIFIED" | "NONE" | "NAMESPACE" | "PUBLIC";

/** A visibility for some ServiceEntries. */
export interface MeshConfigVisibilityPolicy {
  /** Who sees them. */
  readonly visibility?: MeshConfigVisibility;
  /** Conditions; all have to hold. */
  readonly matchingRules?: readonly MeshConfigVisibilityRule[];
}

/** A condition on a ServiceEntry. */
export interface MeshConfigVisibilityRule {
  /** Labels of its namespace. */
  readonly namespaceSelector?: MeshConfigLabelSelector;
}

/** Connection pool and outlier detection of services whose DestinationRule says nothing of them. */
export interface MeshConfigDefaultTrafficPolicy {
  /** Limits of connections and requests. */
  readonly connectionPool?: ConnectionPool;
  /** When an endpoint is left out for a while. */
  readonly outlierDetection?: DestinationRuleOutlierDetection;
}

/** How traffic is shared between zones. */
export interface MeshConfigZoneAwareLb {
  /** Turn it on. Default false. */
  readonly enabled?: boolean | null;
  /** Where traffic of a zone goes when its endpoints fail. */
  readonly failover?: readonly MeshConfigZoneFailover[];
}

/** Where traffic of a zone goes when its endpoints fail. */
export interface MeshConfigZoneFailover {
  /** The zone. */
  readonly from?: string;
  /** Where it goes. */
  readonly to?: string;
}

/** How paths are normalized. */
export interface MeshConfigPathNormalization {
  /** NONE: as they came. BASE: by RFC 3986. MERGE_SLASHES: also // to /. DECODE_AND_MERGE_SLASHES: also %2F and %5C decoded. DEFAULT: BASE. Default DEFAULT. */
  readonly normalization?: "DEFAULT" | "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
}

/** TLS of the mesh. */
export interface MeshConfigTlsConfig {
  /** Lowest version that is spoken. Default TLSV1_2. */
  readonly minProtocolVersion?: "TLS_AUTO" | "TLSV1_2" | "TLSV1_3";
  /** Curves of the key exchange. Default: Envoy's. Not for meshMTLS. */
  readonly ecdhCurves?: readonly string[];
  /** Ciphers of TLS 1.2. Default: the six with AES-GCM. */
  readonly cipherSuites?: readonly string[];
}

/** A root that workloads trust. One of pem and spiffeBundleUrl. */
export interface MeshConfigCertificateData {
  /** The certificate as PEM. */
  readonly pem?: string;
  /** Address of a SPIFFE bundle. */
  readonly spiffeBundleUrl?: string;
  /** Signers of Kubernetes that it is for. Default: all. */
  readonly certSigners?: readonly string[];
  /** Trust domains that it is for. Default: the mesh's own and its aliases. */
  readonly trustDomains?: readonly string[];
}

/** A certificate authority outside the cluster. */
export interface MeshConfigCa {
  /** Address, as host:port. */
  readonly address: string;
  /** TLS to it. Default: by the roots of the system. */
  readonly tlsSettings?: ClientTls;
  /** How long a request may take. Default 10s. */
  readonly requestTimeout?: Duration;
  /** The control plane asks it, not the agents. Default true. */
  readonly istiodSide?: boolean;
}

/** Names of extension providers by signal. */
export interface MeshConfigDefaultProviders {
  /** For traces. Default: none. */
  readonly tracing?: readonly string[];
  /** For metrics. Default [prometheus]. */
  readonly metrics?: readonly string[];
  /** For access logs. Default: none. */
  readonly accessLogging?: readonly string[];
}

/** Objects by their labels; all conditions have to hold. */
export interface MeshConfigLabelSelector {
  /** Labels that have to be equal. */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** Conditions on labels. */
  readonly matchExpressions?: readonly MeshConfigLabelExpression[];
}

/** A condition on one label. */
export interface MeshConfigLabelExpression {
  /** Key of the label. */
  readonly key: string;
  /** How values is compared. */
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  /** Values for In and NotIn; none for Exists and DoesNotExist. */
  readonly values?: readonly string[];
}

/** Settings of services by host. */
export interface MeshConfigServiceSettings {
  /** The settings. */
  readonly settings?: MeshConfigServiceSetting;
  /** Hosts of services; * in front is a wildcard. */
  readonly hosts?: readonly string[];
}

/** Settings of services. */
export interface MeshConfigServiceSetting {
  /** Clients reach only endpoints of their own cluster. Default false; true for kube-system and the API server. */
  readonly clusterLocal?: boolean;
}

/** Which services other clusters see, in ambient mode. */
export interface MeshConfigServiceScope {
  /** Labels of the namespaces. */
  readonly namespaceSelector?: MeshConfigLabelSelector;
  /** Labels of the services. */
  readonly servicesSelector?: MeshConfigLabelSelector;
  /** LOCAL: their own cluster. GLOBAL: all clusters. Default LOCAL. */
  readonly scope?: "LOCAL" | "GLOBAL";
}

/** Where configuration is read from. */
export interface MeshConfigConfigSource {
  /** k8s:// for Kubernetes, xds://HOST:PORT for a server, fs:///PATH for files. */
  readonly address?: string;
  /** TLS to the server. Default: none. */
  readonly tlsSettings?: ClientTls;
  /** What is read. Default: all configuration. */
  readonly subscribedResources?: readonly "SERVICE_REGISTRY"[];
}

/** Has no effect. */
export interface MeshConfigCertificate {
  /** Has no effect. */
  readonly secretName?: string;
  /** Has no effect. */
  readonly dnsNames?: readonly string[];
}

/** A service that policies and Telemetry name; one field beside name says of which sort it is. */
export interface MeshConfigExtensionProvider {
  /** Name that policies use; unique. */
  readonly name: string;
  /** A service that decides on requests, over HTTP. */
  readonly envoyExtAuthzHttp?: MeshConfigExtAuthzHttp;
  /** A service that decides on requests and connections, over gRPC. */
  readonly envoyExtAuthzGrpc?: MeshConfigExtAuthzGrpc;
  /** A collector of traces that speaks Zipkin. */
  readonly zipkin?: MeshConfigZipkin;
  /** A collector of traces that speaks OpenTelemetry. */
  readonly opentelemetry?: MeshConfigOpenTelemetry;
  /** A Datadog agent for traces. */
  readonly datadog?: MeshConfigDatadog;
  /** A SkyWalking receiver for traces. */
  readonly skywalking?: MeshConfigSkyWalking;
  /** Google's collector of traces and logs. */
  readonly stackdriver?: MeshConfigStackdriver;
  /** Metrics for Prometheus, at each proxy. */
  readonly prometheus?: MeshConfigEmpty;
  /** Access logs to a file or stream. */
  readonly envoyFileAccessLog?: MeshConfigFileAccessLog;
  /** A service that gets access logs of HTTP over gRPC. */
  readonly envoyHttpAls?: MeshConfigHttpAls;
  /** A service that gets access logs of TCP over gRPC. */
  readonly envoyTcpAls?: MeshConfigTcpAls;
  /** A service that gets access logs as OpenTelemetry. */
  readonly envoyOtelAls?: MeshConfigOtelAls;
  /** A service that gives gateways their certificates, named as sds://NAME. */
  readonly sds?: MeshConfigSdsProvider;
  /** Deprecated: use opentelemetry. A Lightstep collector of traces. @deprecated */
  readonly lightstep?: MeshConfigLightstep;
  /** Deprecated: use opentelemetry. An OpenCensus agent for traces. @deprecated */
  readonly opencensus?: MeshConfigOpenCensus;
}

/** Settings without fields: being there is what counts. */
export interface MeshConfigEmpty {

}

/** Whether and how the body is sent along. */
export interface MeshConfigRequestBody {
  /** Most bytes of the body. Larger requests are refused with 413, or cut with allowPartialMessage. */
  readonly maxRequestBytes?: number;
  /** Send the first maxRequestBytes of larger bodies. Default false. */
  readonly allowPartialMessage?: boolean;
  /** Send the body as bytes, not as text; over gRPC only. Default false. */
  readonly packAsBytes?: boolean;
}

/** A service that decides on requests, over HTTP. */
export interface MeshConfigExtAuthzHttp {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** How long its answer may take. Default 600s. */
  readonly timeout?: Duration;
  /** What the service sees before the request's own path. */
  readonly pathPrefix?: string;
  /** Let requests through when the service fails. Default false. */
  readonly failOpen?: boolean;
  /** Choose the route again after the service changed headers. Default false. */
  readonly clearRouteCache?: boolean;
  /** Status of the answer when the service fails. Default 403. */
  readonly statusOnError?: string;
  /** Request headers that the service sees: exact, PREFIX* or *SUFFIX. */
  readonly includeRequestHeadersInCheck?: readonly string[];
  /** Fixed headers that the service sees. */
  readonly includeAdditionalHeadersInCheck?: Readonly<Record<string, string>>;
  /** Send the body along. Default: no. */
  readonly includeRequestBodyInCheck?: MeshConfigRequestBody;
  /** Headers of its answer that the backend sees when it allows: exact, PREFIX* or *SUFFIX. */
  readonly headersToUpstreamOnAllow?: readonly string[];
  /** Headers of its answer that the client sees when it denies. */
  readonly headersToDownstreamOnDeny?: readonly string[];
  /** Headers of its answer that the client sees when it allows. */
  readonly headersToDownstreamOnAllow?: readonly string[];
  /** Deprecated: use includeRequestHeadersInCheck. @deprecated */
  readonly includeHeadersInCheck?: readonly string[];
}

/** A service that decides on requests and connections, over gRPC. */
export interface MeshConfigExtAuthzGrpc {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** How long its answer may take. Default 600s. */
  readonly timeout?: Duration;
  /** Let requests through when the service fails. Default false. */
  readonly failOpen?: boolean;
  /** Choose the route again after the service changed headers. Default false. */
  readonly clearRouteCache?: boolean;
  /** Status of the answer when the service fails. Default 403. */
  readonly statusOnError?: string;
  /** Send the body along. Default: no. */
  readonly includeRequestBodyInCheck?: MeshConfigRequestBody;
}

/** A collector of traces that speaks Zipkin. */
export interface MeshConfigZipkin {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Longest path in a span. Default 256. */
  readonly maxTagLength?: number;
  /** Use trace ids of 64 bits. Default false: 128. */
  readonly enable64bitTraceId?: boolean;
  /** Path of its API. Default /api/v2/spans. */
  readonly path?: string;
  /** Headers that carry the context: B3, or B3 and W3C. Default USE_B3. */
  readonly traceContextOption?: "USE_B3" | "USE_B3_WITH_W3C_PROPAGATION";
  /** How long a report may take. Default 5s. */
  readonly timeout?: Duration;
  /** Headers of reports. */
  readonly headers?: readonly MeshConfigHttpHeader[];
}

/** A Lightstep collector of traces. */
export interface MeshConfigLightstep {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Token that it asks for. */
  readonly accessToken?: string;
  /** Longest path in a span. Default 256. */
  readonly maxTagLength?: number;
}

/** A Datadog agent for traces. */
export interface MeshConfigDatadog {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Longest path in a span. Default 256. */
  readonly maxTagLength?: number;
}

/** A SkyWalking receiver for traces. */
export interface MeshConfigSkyWalking {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Token that it asks for. */
  readonly accessToken?: string;
}

/** Google's collector of traces and logs. */
export interface MeshConfigStackdriver {
  /** Longest path in a span. Default 256. */
  readonly maxTagLength?: number;
  /** What logs say. */
  readonly logging?: MeshConfigStackdriverLogging;
  /** Deprecated: has no effect. @deprecated */
  readonly debug?: boolean;
  /** Deprecated: has no effect. @deprecated */
  readonly maxNumberOfAttributes?: number | null;
  /** Deprecated: has no effect. @deprecated */
  readonly maxNumberOfAnnotations?: number | null;
  /** Deprecated: has no effect. @deprecated */
  readonly maxNumberOfMessageEvents?: number | null;
}

/** What logs say. */
export interface MeshConfigStackdriverLogging {
  /** Labels with their expressions in CEL. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** An OpenCensus agent for traces. */
export interface MeshConfigOpenCensus {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Headers that carry the context. Default [W3C_TRACE_CONTEXT]. */
  readonly context?: readonly MeshProxyConfigTraceContext[];
  /** Longest path in a span. Default 256. */
  readonly maxTagLength?: number;
}

/** Access logs to a file or stream. */
export interface MeshConfigFileAccessLog {
  /** File, or /dev/stdout and /dev/stderr. Default /dev/stdout. */
  readonly path?: string;
  /** Format. Default: the standard line. */
  readonly logFormat?: MeshConfigFileLogFormat;
  /** Leave out what has no value. Default false: it is a dash. */
  readonly omitEmptyValues?: boolean;
}

/** Format of a log: text or labels. */
export interface MeshConfigFileLogFormat {
  /** A line, in Envoy's operators. */
  readonly text?: string;
  /** JSON with Envoy's operators as values; {} is the standard JSON. */
  readonly labels?: Readonly<Record<string, unknown>>;
}

/** A service that gets access logs of HTTP over gRPC. */
export interface MeshConfigHttpAls {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Name of the log. Default http_envoy_accesslog. */
  readonly logName?: string;
  /** Filter state that is logged. */
  readonly filterStateObjectsToLog?: readonly string[];
  /** Request headers that are logged. */
  readonly additionalRequestHeadersToLog?: readonly string[];
  /** Response headers that are logged. */
  readonly additionalResponseHeadersToLog?: readonly string[];
  /** Response trailers that are logged. */
  readonly additionalResponseTrailersToLog?: readonly string[];
}

/** A service that gets access logs of TCP over gRPC. */
export interface MeshConfigTcpAls {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Name of the log. Default tcp_envoy_accesslog. */
  readonly logName?: string;
  /** Filter state that is logged. */
  readonly filterStateObjectsToLog?: readonly string[];
}

/** A service that gets access logs as OpenTelemetry. */
export interface MeshConfigOtelAls {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Name of the log. Default otel_envoy_accesslog. */
  readonly logName?: string;
  /** Format. Default: the standard line. */
  readonly logFormat?: MeshConfigOtelLogFormat;
}

/** Format of a log. */
export interface MeshConfigOtelLogFormat {
  /** Body, in Envoy's operators. */
  readonly text?: string;
  /** Attributes with Envoy's operators as values. */
  readonly labels?: Readonly<Record<string, unknown>>;
}

/** A collector of traces that speaks OpenTelemetry. */
export interface MeshConfigOpenTelemetry {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Longest path in a span. Default 256. */
  readonly maxTagLength?: number;
  /** Report over HTTP. Default: over gRPC. */
  readonly http?: MeshConfigHttpService;
  /** Settings of reports over gRPC. */
  readonly grpc?: MeshConfigGrpcService;
  /** Where attributes of the resource come from. */
  readonly resourceDetectors?: MeshConfigResourceDetectors;
  /** What names the service in spans: the mesh's own rules, or OpenTelemetry's for Kubernetes. Default ISTIO_CANONICAL. */
  readonly serviceAttributeEnrichment?: "ISTIO_CANONICAL" | "OTEL_SEMANTIC_CONVENTIONS";
  /** Let Dynatrace decide what is traced. Default: by the sampling rate. */
  readonly dynatraceSampler?: MeshConfigDynatraceSampler;
}

/** Reports over HTTP. */
export interface MeshConfigHttpService {
  /** Path of the API. */
  readonly path?: string;
  /** How long a report may take. */
  readonly timeout?: Duration;
  /** Headers of reports. */
  readonly headers?: readonly MeshConfigHttpHeader[];
}

/** Reports over gRPC. */
export interface MeshConfigGrpcService {
  /** How long a report may take. */
  readonly timeout?: Duration;
  /** Metadata of reports. */
  readonly initialMetadata?: readonly MeshConfigHttpHeader[];
}

/** A header. One of value and envName. */
export interface MeshConfigHttpHeader {
  /** Name. */
  readonly name: string;
  /** Value. */
  readonly value?: string;
  /** Variable of the control plane's environment with the value. Has no effect here: write value. */
  readonly envName?: string;
}

/** Where attributes of the resource come from. */
export interface MeshConfigResourceDetectors {
  /** Variable OTEL_RESOURCE_ATTRIBUTES of the proxy. */
  readonly environment?: MeshConfigEmpty;
  /** Files of Dynatrace. */
  readonly dynatrace?: MeshConfigEmpty;
}

/** Let Dynatrace decide what is traced. */
export interface MeshConfigDynatraceSampler {
  /** Tenant. */
  readonly tenant: string;
  /** Id of the cluster there. */
  readonly clusterId: number;
  /** Spans a minute when Dynatrace does not answer. Default 1000. */
  readonly rootSpansPerMinute?: number;
  /** How Dynatrace is asked. Default: as spans are reported. */
  readonly httpService?: MeshConfigDynatraceApi;
}

/** How Dynatrace is asked. */
export interface MeshConfigDynatraceApi {
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
  /** Path, headers and timeout. */
  readonly http?: MeshConfigHttpService;
}

/** A service that gives gateways their certificates. */
export interface MeshConfigSdsProvider {
  /** Name of the secret's source there. */
  readonly name: string;
  /** Host of the service, as [NAMESPACE/]HOST; the mesh has to know it. */
  readonly service: string;
  /** Port of the service. */
  readonly port: PortNumber;
}

/** Settings of the whole mesh: key `mesh` of ConfigMap `istio` in the namespace of the control plane. */
export interface MeshConfigSpec {
  /** Namespace of mesh-wide objects. Default istio-system. */
  readonly rootNamespace?: string;
  /** Trust domain of identities: spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT. Default cluster.local. */
  readonly trustDomain?: string;
  /** Further trust domains whose certificates count as the mesh's own. */
  readonly trustDomainAliases?: readonly string[];
  /** File that proxies write access logs to, e.g. /dev/stdout. Default: no access log. */
  readonly accessLogFile?: string;
  /** Format of access logs, in Envoy's operators; with encoding JSON a JSON map of them. Default: the standard line. */
  readonly accessLogFormat?: string;
  /** Encoding of access logs. Default TEXT. */
  readonly accessLogEncoding?: "TEXT" | "JSON";
  /** Do not log connections that no filter chain takes. Default false. */
  readonly disableEnvoyListenerLog?: boolean;
  /** Send access logs to defaultConfig.envoyAccessLogService. Default false. */
  readonly enableEnvoyAccessLogService?: boolean;
  /** Use mutual TLS to every workload that has a proxy. Default true. */
  readonly enableAutoMtls?: boolean | null;
  /** Report spans to the default tracing provider. Default false. */
  readonly enableTracing?: boolean;
  /** How long a TCP connect may take. Default 10s. */
  readonly connectTimeout?: PositiveDuration;
  /** How long a proxy waits for the client's first bytes to tell the protocol. Default 0s, for ever. */
  readonly protocolDetectionTimeout?: Duration;
  /** Keepalive of all connections to services. Default: none. */
  readonly tcpKeepalive?: TcpKeepalive;
  /** How often names of services with DNS resolution are looked up. Default 60s. */
  readonly dnsRefreshRate?: PositiveDuration;
  /** What happens to traffic that no known service takes. Default ALLOW_ANY. */
  readonly outboundTrafficPolicy?: MeshConfigOutboundTrafficPolicy;
  /** How proxies reach the application. Default PASSTHROUGH. */
  readonly inboundTrafficPolicy?: MeshConfigInboundTrafficPolicy;
  /** Namespaces that see services which say nothing: *, ., ~ or names. Default [*]. */
  readonly defaultServiceExportTo?: readonly string[];
  /** Namespaces that see VirtualServices which say nothing: *, . or names. Default [*]. */
  readonly defaultVirtualServiceExportTo?: readonly string[];
  /** Namespaces that see DestinationRules which say nothing: *, . or names. Default [*]. */
  readonly defaultDestinationRuleExportTo?: readonly string[];
  /** Who may see ServiceEntries. Default: everybody. */
  readonly serviceEntryVisibility?: MeshConfigServiceEntryVisibility;
  /** Retries of routes that say nothing. Default: 2 attempts on connection failures. */
  readonly defaultHttpRetryPolicy?: VirtualServiceRetries;
  /** Connection pool and outlier detection of services whose DestinationRule says nothing of them. */
  readonly defaultTrafficPolicy?: MeshConfigDefaultTrafficPolicy;
  /** How traffic prefers near endpoints. Default: on, for services with outlier detection. */
  readonly localityLbSetting?: DestinationRuleLocalityLb;
  /** How traffic is shared between zones; takes precedence over localityLbSetting. Default: off. */
  readonly zoneAwareLbSetting?: MeshConfigZoneAwareLb;
  /** Whether HTTP/1.1 connections between proxies become HTTP/2. Default DO_NOT_UPGRADE. */
  readonly h2UpgradePolicy?: "DO_NOT_UPGRADE" | "UPGRADE";
  /** How paths are normalized before routes and policies see them. Default BASE. */
  readonly pathNormalization?: MeshConfigPathNormalization;
  /** TLS between workloads of the mesh. */
  readonly meshMTLS?: MeshConfigTlsConfig;
  /** TLS everywhere else: gateways, and services outside the mesh. */
  readonly tlsDefaults?: MeshConfigTlsConfig;
  /** Further roots that workloads trust, beside the mesh's own. */
  readonly caCertificates?: readonly MeshConfigCertificateData[];
  /** A certificate authority outside the cluster that signs for workloads. Default: the control plane signs. */
  readonly ca?: MeshConfigCa;
  /** Settings of all proxies; annotation proxy.istio.io/config of a pod goes on top. */
  readonly defaultConfig?: MeshProxyConfigSpec;
  /** Extension providers where no Telemetry names one. */
  readonly defaultProviders?: MeshConfigDefaultProviders;
  /** Services for logs, metrics, traces and authorization that policies name. */
  readonly extensionProviders?: readonly MeshConfigExtensionProvider[];
  /** Namespaces the control plane looks at; one selector has to take them. Default: all. */
  readonly discoverySelectors?: readonly MeshConfigLabelSelector[];
  /** Settings of services by host. */
  readonly serviceSettings?: readonly MeshConfigServiceSettings[];
  /** Which services other clusters see, in ambient mode. */
  readonly serviceScopeConfigs?: readonly MeshConfigServiceScope[];
  /** Serve the application's metrics together with the proxy's. Default true. */
  readonly enablePrometheusMerge?: boolean | null;
  /** Name of inbound clusters in statistics, with %SERVICE%, %SERVICE_NAME%, %SERVICE_FQDN%, %SERVICE_PORT%, %TARGET_PORT%, %SERVICE_PORT_NAME%. Default: the cluster's name. */
  readonly inboundClusterStatName?: string;
  /** Name of outbound clusters in statistics, with %SERVICE%, %SERVICE_NAME%, %SERVICE_FQDN%, %SERVICE_PORT%, %SERVICE_PORT_NAME%, %SUBSET_NAME%. Default: the cluster's name. */
  readonly outboundClusterStatName?: string;
  /** Port that takes captured outbound connections. Default 15001. */
  readonly proxyListenPort?: PortNumber;
  /** Port that takes captured inbound connections. Default 15006. */
  readonly proxyInboundListenPort?: PortNumber;
  /** Port of an HTTP proxy for applications that use one; 0: none. Default 0. */
  readonly proxyHttpPort?: number;
  /** How long idle HBONE connections are kept, in ambient mode. Default 1h. */
  readonly hboneIdleTimeout?: Duration;
  /** Which Ingress objects are served. OFF: none. DEFAULT: those without class too. STRICT: those of ingressClass. Default STRICT. */
  readonly ingressControllerMode?: "UNSPECIFIED" | "OFF" | "DEFAULT" | "STRICT";
  /** Class of Ingress objects that are served. Default istio. */
  readonly ingressClass?: string;
  /** Service whose address is written into the status of Ingress objects. Default istio-ingressgateway. */
  readonly ingressService?: string;
  /** Value of label istio of the gateway that serves Ingress objects. Default ingressgateway. */
  readonly ingressSelector?: string;
  /** Where configuration is read from. Default: the Kubernetes API. */
  readonly configSources?: readonly MeshConfigConfigSource[];
  /** Deprecated: certificates are always verified; use insecureSkipVerify of a DestinationRule. @deprecated */
  readonly verifyCertificateAtClient?: boolean | null;
  /** Deprecated: has no effect; use cert-manager or another signer. @deprecated */
  readonly certificates?: readonly MeshConfigCertificate[];
}

/** One network. */
export interface MeshNetworksNetwork {
  /** Which endpoints are in the network. */
  readonly endpoints?: readonly MeshNetworksEndpoints[];
  /** Gateways that other networks come in by. */
  readonly gateways?: readonly MeshNetworksGateway[];
}

/** Endpoints of a network. One of fromCidr and fromRegistry. */
export interface MeshNetworksEndpoints {
  /** Those with addresses in this range. */
  readonly fromCidr?: string;
  /** Those of this cluster, by its name. */
  readonly fromRegistry?: string;
}

/** A gateway into the network. One of address and registryServiceName. */
export interface MeshNetworksGateway {
  /** IP address or host name. */
  readonly address?: string;
  /** Host of the gateway's Service. */
  readonly registryServiceName?: string;
  /** Port for mutual TLS by SNI, e.g. 15443. */
  readonly port: PortNumber;
  /** Locality as REGION/ZONE/SUBZONE. */
  readonly locality?: string;
}

/** Networks of a mesh over several: key `meshNetworks` of ConfigMap `istio`. Endpoints of another network are reached through its gateways. */
export interface MeshNetworksSpec {
  /** Networks by name; the name is the value of label topology.istio.io/network. */
  readonly networks?: Readonly<Record<string, MeshNetworksNetwork>>;
}

/** Image of the proxy. */
export interface MeshProxyConfigProxyImage {
  /** Variant of the image: default, debug or distroless. Default: default. */
  readonly imageType?: string;
}

/** How spans are made and where they go. One of zipkin, lightstep, datadog, stackdriver and openCensusAgent. */
export interface MeshProxyConfigTracing {
  /** Percent of requests that are traced, when the caller did not decide. Default 1. */
  readonly sampling?: number;
  /** Further tags of spans, by name. */
  readonly customTags?: Readonly<Record<string, MeshProxyConfigCustomTag>>;
  /** Longest path in a span. Default 256. */
  readonly maxPathTagLength?: number;
  /** Whether spans carry the mesh's own tags. Default true. */
  readonly enableIstioTags?: boolean | null;
  /** TLS to the collector. Default: none. */
  readonly tlsSettings?: ClientTls;
  /** A collector that speaks Zipkin. */
  readonly zipkin?: MeshProxyConfigAddress;
  /** A Datadog agent. */
  readonly datadog?: MeshProxyConfigAddress;
  /** Deprecated: use an extension provider of type opentelemetry. A Lightstep satellite. @deprecated */
  readonly lightstep?: MeshProxyConfigLightstep;
  /** Deprecated: use an extension provider. Google's collector. @deprecated */
  readonly stackdriver?: MeshProxyConfigStackdriver;
  /** Deprecated: use an extension provider of type opentelemetry. An OpenCensus agent. @deprecated */
  readonly openCensusAgent?: MeshProxyConfigOpenCensusAgent;
}

/** An address. */
export interface MeshProxyConfigAddress {
  /** Address, as host:port. */
  readonly address?: string;
}

/** A Lightstep satellite. */
export interface MeshProxyConfigLightstep {
  /** Address, as host:port. */
  readonly address?: string;
  /** Token that it asks for. */
  readonly accessToken?: string;
}

/** Google's collector. */
export interface MeshProxyConfigStackdriver {
  /** Write spans to stdout too. Default false. */
  readonly debug?: boolean;
  /** Most attributes of a span. Default 200. */
  readonly maxNumberOfAttributes?: number | null;
  /** Most annotations of a span. Default 200. */
  readonly maxNumberOfAnnotations?: number | null;
  /** Most message events of a span. Default 200. */
  readonly maxNumberOfMessageEvents?: number | null;
}

/** An OpenCensus agent. */
export interface MeshProxyConfigOpenCensusAgent {
  /** Address as gRPC names it, e.g. dns://authority/host:port. */
  readonly address?: string;
  /** Headers that carry the context. Default [W3C_TRACE_CONTEXT]. */
  readonly context?: readonly MeshProxyConfigTraceContext[];
}

/** Headers that carry the context of a trace. */
export type MeshProxyConfigTraceContext = "UNSPECIFIED" | "W3C_TRACE_CONTEXT" | "GRPC_BIN" | "CLOUD_TRACE_CONTEXT" | "B3";

/** Where the value of a tag comes from. */
export interface MeshProxyConfigCustomTag {
  /** A fixed value. */
  readonly literal?: MeshProxyConfigLiteral;
  /** A variable of the proxy's environment. */
  readonly environment?: MeshProxyConfigTagSource;
  /** A header of the request. */
  readonly header?: MeshProxyConfigTagSource;
}

/** A fixed value. */
export interface MeshProxyConfigLiteral {
  /** The value. */
  readonly value?: string;
}

/** A value by name. */
export interface MeshProxyConfigTagSource {
  /** Name of the variable or header. */
  readonly name?: string;
  /** Value when there is none. Default: the tag is left out. */
  readonly defaultValue?: string;
}

/** Statistics that proxies keep beside the basic ones: names that any of these take. */
export interface MeshProxyConfigStatsMatcher {
  /** Names that start so. */
  readonly inclusionPrefixes?: readonly string[];
  /** Names that end so. */
  readonly inclusionSuffixes?: readonly string[];
  /** Names that match, in RE2 syntax. */
  readonly inclusionRegexps?: readonly string[];
}

/** What becomes of header x-forwarded-client-cert. SANITIZE: it is dropped. FORWARD_ONLY: passed on over mutual TLS. APPEND_FORWARD: passed on with the client's certificate added. SANITIZE_SET: replaced by the client's certificate. ALWAYS_FORWARD_ONLY: passed on always. */
export type MeshProxyConfigForwardClientCert = "UNDEFINED" | "SANITIZE" | "FORWARD_ONLY" | "APPEND_FORWARD" | "SANITIZE_SET" | "ALWAYS_FORWARD_ONLY";

/** What stands before gateways. */
export interface MeshProxyConfigTopology {
  /** Proxies before the gateway whose entries in X-Forwarded-For are believed. Default 0. */
  readonly numTrustedProxies?: number;
  /** What gateways do with x-forwarded-client-cert. Default SANITIZE_SET. */
  readonly forwardClientCertDetails?: MeshProxyConfigForwardClientCert;
  /** Clients come with the PROXY protocol. Default: they do not. */
  readonly proxyProtocol?: MeshProxyConfigEmpty;
}

/** Settings without fields: being there is what counts. */
export interface MeshProxyConfigEmpty {

}

/** A header that is on. */
export interface MeshProxyConfigSwitch {
  /** Turn it off. Default false. */
  readonly disabled?: boolean | null;
}

/** A header that is off. */
export interface MeshProxyConfigOffSwitch {
  /** Turn it on. Default false. */
  readonly enabled?: boolean | null;
}

/** Headers that proxies add on their own. */
export interface MeshProxyConfigProxyHeaders {
  /** What sidecars do with x-forwarded-client-cert. Default APPEND_FORWARD. */
  readonly forwardedClientCert?: MeshProxyConfigForwardClientCert;
  /** Parts of the client's certificate in x-forwarded-client-cert. */
  readonly setCurrentClientCertDetails?: MeshProxyConfigClientCertDetails;
  /** Header x-request-id. Default on. */
  readonly requestId?: MeshProxyConfigSwitch;
  /** Header server. Default istio-envoy. */
  readonly server?: MeshProxyConfigServerHeader;
  /** Header x-envoy-attempt-count. Default on. */
  readonly attemptCount?: MeshProxyConfigSwitch;
  /** Envoy's x-envoy headers for debugging. Default on. */
  readonly envoyDebugHeaders?: MeshProxyConfigSwitch;
  /** Headers that tell the other side who one is. */
  readonly metadataExchangeHeaders?: MeshProxyConfigMetadataExchange;
  /** Keep the letters' case of HTTP/1 headers. Default false. */
  readonly preserveHttp1HeaderCase?: boolean | null;
  /** Header x-forwarded-host when the host is rewritten. Default off. */
  readonly xForwardedHost?: MeshProxyConfigOffSwitch;
  /** Header x-forwarded-port. Default off. */
  readonly xForwardedPort?: MeshProxyConfigOffSwitch;
}

/** Header server. */
export interface MeshProxyConfigServerHeader {
  /** Do not set it. Default false. */
  readonly disabled?: boolean | null;
  /** Its value. Default istio-envoy. */
  readonly value?: string;
}

/** Headers that tell the other side who one is. */
export interface MeshProxyConfigMetadataExchange {
  /** UNDEFINED: always. IN_MESH: only to services of the mesh. Default UNDEFINED. */
  readonly mode?: "UNDEFINED" | "IN_MESH";
}

/** Parts of the client's certificate in x-forwarded-client-cert. */
export interface MeshProxyConfigClientCertDetails {
  /** The subject. Default true. */
  readonly subject?: boolean | null;
  /** The certificate as PEM. Default false. */
  readonly cert?: boolean | null;
  /** The chain as PEM. Default false. */
  readonly chain?: boolean | null;
  /** DNS names. Default true. */
  readonly dns?: boolean | null;
  /** URIs. Default true. */
  readonly uri?: boolean | null;
}

/** Hardware that signs for TLS. */
export interface MeshProxyConfigPrivateKeyProvider {
  /** Intel CryptoMB. */
  readonly cryptomb?: MeshProxyConfigKeyProvider;
  /** Intel QuickAssist. */
  readonly qat?: MeshProxyConfigKeyProvider;
}

/** Hardware that signs for TLS. */
export interface MeshProxyConfigKeyProvider {
  /** How long requests are gathered. At least 1ms. */
  readonly pollDelay?: Duration;
  /** Sign in software when the hardware is missing. Default false. */
  readonly fallback?: boolean | null;
}

/** A service outside the proxy. */
export interface MeshProxyConfigRemoteService {
  /** Address, as host:port. */
  readonly address?: string;
  /** TLS to it. Default: none. */
  readonly tlsSettings?: ClientTls;
  /** Keepalive of the connection. Default: none. */
  readonly tcpKeepalive?: TcpKeepalive;
}

/** Has no effect. */
export interface MeshProxyConfigSds {
  /** Has no effect. */
  readonly enabled?: boolean;
  /** Has no effect. */
  readonly k8sSaJwtPath?: string;
}

/** How the agent of a virtual machine tells whether its application is ready. One of httpGet, tcpSocket, exec and grpc. */
export interface MeshProxyConfigReadinessProbe {
  /** Seconds before the first check. Default 0. */
  readonly initialDelaySeconds?: number;
  /** Seconds until a check counts as failed. Default 1. */
  readonly timeoutSeconds?: number;
  /** Seconds between checks. Default 10. */
  readonly periodSeconds?: number;
  /** Good checks until ready. Default 1. */
  readonly successThreshold?: number;
  /** Bad checks until not ready. Default 3. */
  readonly failureThreshold?: number;
  /** A request that has to be answered with 200 to 399. */
  readonly httpGet?: MeshProxyConfigHttpGet;
  /** A port that has to take a connection. */
  readonly tcpSocket?: MeshProxyConfigTcpSocket;
  /** A command that has to end with 0. */
  readonly exec?: MeshProxyConfigExec;
  /** A gRPC health check. */
  readonly grpc?: MeshProxyConfigGrpcCheck;
}

/** A request. */
export interface MeshProxyConfigHttpGet {
  /** Path. Default /. */
  readonly path?: string;
  /** Port. */
  readonly port: PortNumber;
  /** Host. Default localhost. */
  readonly host?: string;
  /** HTTP or HTTPS. Default HTTP. */
  readonly scheme?: string;
  /** Headers. */
  readonly httpHeaders?: readonly MeshProxyConfigHttpHeader[];
}

/** A header. */
export interface MeshProxyConfigHttpHeader {
  /** Name. */
  readonly name?: string;
  /** Value. */
  readonly value?: string;
}

/** A port. */
export interface MeshProxyConfigTcpSocket {
  /** Host. Default localhost. */
  readonly host?: string;
  /** Port. */
  readonly port: PortNumber;
}

/** A command. */
export interface MeshProxyConfigExec {
  /** Words of the command. */
  readonly command?: readonly string[];
}

/** A gRPC health check. */
export interface MeshProxyConfigGrpcCheck {
  /** Port. */
  readonly port?: PortNumber;
  /** Service that is asked for. Default: the server as a whole. */
  readonly service?: string;
}

/** Limits and timeouts of connections from clients; what is not set follows the profile. */
export interface MeshProxyConfigConnectionSettings {
  /** SIDECAR: no limits of its own. EDGE: what Envoy advises for the edge of a network. Default SIDECAR. */
  readonly profile?: "SIDECAR" | "EDGE";
  /** Buffer of one client connection. Default: 1 MiB; EDGE 32 KiB. */
  readonly listenerPerConnectionBufferLimitBytes?: number | null;
  /** Buffer of one upstream connection. Default: 1 MiB; EDGE 32 KiB. */
  readonly clusterPerConnectionBufferLimitBytes?: number | null;
  /** How long a connection may have no request. Default 1h. */
  readonly httpIdleTimeout?: Duration;
  /** Longest life of a connection. Default: no limit. */
  readonly httpMaxConnectionDuration?: Duration;
  /** Time between the two GOAWAY frames of HTTP/2. Default 5s. */
  readonly httpDrainTimeout?: Duration;
  /** Time until the whole request is in. Default: no limit; EDGE 5m. */
  readonly httpRequestTimeout?: Duration;
  /** Time until the request's headers are in. Default: no limit. */
  readonly httpRequestHeadersTimeout?: Duration;
  /** How long a request may have no activity. Default 5m. */
  readonly httpStreamIdleTimeout?: Duration;
  /** Longest life of a request. Default: no limit. */
  readonly httpMaxStreamDuration?: Duration;
  /** Most requests at once on an HTTP/2 connection. Default: Envoy's; EDGE 100. */
  readonly httpMaxConcurrentStreams?: number | null;
  /** HTTP/2 window of a request, in bytes. */
  readonly http2InitialStreamWindowSize?: number | null;
  /** HTTP/2 window of a connection, in bytes. */
  readonly http2InitialConnectionWindowSize?: number | null;
  /** Headers with _ in their name: let through, refused with 400, or dropped. Default: let through; EDGE refused. */
  readonly httpHeadersWithUnderscoresAction?: "HEADERS_WITH_UNDERSCORES_UNSPECIFIED" | "HEADERS_WITH_UNDERSCORES_ALLOW" | "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST" | "HEADERS_WITH_UNDERSCORES_DROP_HEADER";
  /** Make // of a path one /. Default false; EDGE true. */
  readonly httpMergeSlashes?: boolean | null;
  /** Paths with %2F or %5C: kept, refused with 400, redirected or forwarded with them unescaped. Default: kept; EDGE redirected. */
  readonly httpPathWithEscapedSlashesAction?: "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED" | "KEEP_UNCHANGED" | "REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD";
  /** Most connections of one listener. Default: no limit. */
  readonly listenerConnectionLimit?: number | null;
  /** Most client connections of the proxy. Default: no limit. */
  readonly globalDownstreamConnectionLimit?: number | null;
}

/** Settings that a proxy reads when it starts: defaultConfig of the mesh configuration, or annotation proxy.istio.io/config of a pod, field by field on top of it. */
export interface MeshProxyConfigSpec {
  /** Worker threads; 0 uses all cores. Default: by the CPU limit. */
  readonly concurrency?: number | null;
  /** Address of the control plane, as host:port. Default istiod.NAMESPACE.svc:15012. */
  readonly discoveryAddress?: string;
  /** How long connections are drained when a listener goes. Default 45s. */
  readonly drainDuration?: Duration;
  /** How long a proxy lives on when its pod ends. Default 5s. */
  readonly terminationDrainDuration?: Duration;
  /** Start the application only when the proxy is ready. Default false. */
  readonly holdApplicationUntilProxyStarts?: boolean | null;
  /** Environment variables of the proxy; those that start with ISTIO_META_ are also told to the control plane. */
  readonly proxyMetadata?: Readonly<Record<string, string>>;
  /** Image of the proxy. */
  readonly image?: MeshProxyConfigProxyImage;
  /** Name of the mesh, for telemetry of several meshes in one place. */
  readonly meshId?: string;
  /** How spans are made and where they go, for proxies that no Telemetry says more of. */
  readonly tracing?: MeshProxyConfigTracing;
  /** Statistics that proxies keep beside the basic ones. */
  readonly proxyStatsMatcher?: MeshProxyConfigStatsMatcher;
  /** Headers that proxies add on their own. */
  readonly proxyHeaders?: MeshProxyConfigProxyHeaders;
  /** What stands before gateways: trusted proxies, PROXY protocol. */
  readonly gatewayTopology?: MeshProxyConfigTopology;
  /** Limits and timeouts of connections from clients. */
  readonly connectionSettings?: MeshProxyConfigConnectionSettings;
  /** How connections to the pod reach the proxy. REDIRECT: by NAT, the client's address is lost. TPROXY: the address stays. NONE: not at all. Default REDIRECT. */
  readonly interceptionMode?: "REDIRECT" | "TPROXY" | "NONE";
  /** Port of the agent for readiness and metrics. Default 15020. */
  readonly statusPort?: PortNumber;
  /** Port of Envoy's admin interface on loopback. Default 15000. */
  readonly proxyAdminPort?: PortNumber;
  /** Longest name of a statistic. Default 189. */
  readonly statNameLength?: number;
  /** Folder that the agent writes the bootstrap to. Default ./etc/istio/proxy. */
  readonly configPath?: string;
  /** Path of the Envoy binary. Default /usr/local/bin/envoy. */
  readonly binaryPath?: string;
  /** Bootstrap file to use instead of the generated one. */
  readonly customConfigFile?: string;
  /** Template of the bootstrap to use instead of the built-in one. */
  readonly proxyBootstrapTemplatePath?: string;
  /** Envoy's runtime settings from the start on. */
  readonly runtimeValues?: Readonly<Record<string, string>>;
  /** Name of the proxy's service in traces. Default: by tracingServiceName. */
  readonly serviceCluster?: string;
  /** What names the service in traces. APP_LABEL_AND_NAMESPACE: label app and the namespace. CANONICAL_NAME_ONLY: the canonical name. CANONICAL_NAME_AND_NAMESPACE: both. Default APP_LABEL_AND_NAMESPACE. */
  readonly tracingServiceName?: "APP_LABEL_AND_NAMESPACE" | "CANONICAL_NAME_ONLY" | "CANONICAL_NAME_AND_NAMESPACE";
  /** How the proxy and the control plane prove who they are. Default MUTUAL_TLS. */
  readonly controlPlaneAuthPolicy?: "NONE" | "MUTUAL_TLS";
  /** Address of a statsd listener, as IP:port. Default: none. */
  readonly statsdUdpAddress?: string;
  /** Service that gets access logs over gRPC. Default: none. */
  readonly envoyAccessLogService?: MeshProxyConfigRemoteService;
  /** Service that gets metrics over gRPC. Default: none. */
  readonly envoyMetricsService?: MeshProxyConfigRemoteService;
  /** How the agent of a virtual machine tells whether its application is ready. Default: always ready. */
  readonly readinessProbe?: MeshProxyConfigReadinessProbe;
  /** Further roots of the mesh, as PEM. */
  readonly caCertificatesPem?: readonly string[];
  /** Hardware that signs for TLS. Default: none. */
  readonly privateKeyProvider?: MeshProxyConfigPrivateKeyProvider;
  /** How often access logs are written out. Default 1s. */
  readonly fileFlushInterval?: Duration;
  /** Kilobytes of access log from which they are written out at once. Default 64. */
  readonly fileFlushMinSizeKb?: number;
  /** Compress answers to scrapes for clients that take it. Default true. */
  readonly statsCompression?: boolean | null;
  /** Deprecated: has no effect, every label of a metric is kept. @deprecated */
  readonly extraStatTags?: readonly string[];
  /** Deprecated: use tracing.zipkin.address. @deprecated */
  readonly zipkinAddress?: string;
  /** Deprecated: use envoyMetricsService.address. @deprecated */
  readonly envoyMetricsServiceAddress?: string;
  /** Deprecated: has no effect, configuration is pushed. @deprecated */
  readonly discoveryRefreshDelay?: Duration;
  /** Deprecated: has no effect, the locality comes from the node. @deprecated */
  readonly availabilityZone?: string;
  /** Deprecated: has no effect, certificates always come over SDS. @deprecated */
  readonly sds?: MeshProxyConfigSds;
}

/** `meshctl addons list -o json`: every addon, sorted by name. */
export type AddonsListOutputSpec = readonly ({
  /** Name, as `meshctl addons install` takes it. */
  readonly name: string;
  /** What it is for. */
  readonly summary: string;
  /** How it stands in the cluster. */
  readonly state: "ready" | "not ready" | "not installed";
  /** Image that runs; of an addon that is not installed the one that would. */
  readonly image: string;
})[];

/** `meshctl admin log -o json`: levels of the control plane's log. */
export type AdminLogOutputSpec = readonly ({
  /** Name of the part. */
  readonly scope_name: string;
  /** From what on it says something. */
  readonly log_level: "debug" | "info" | "warn" | "error" | "none";
  /** Always none: stacks are part of errors. */
  readonly stack_trace_level: string;
  /** What the part does. */
  readonly description: string;
  /** Pod of the control plane. */
  readonly istiod: string;
})[];

/** `meshctl analyze -o json`: findings, istioctl's keys with ours beside them. */
export type AnalyzeOutputSpec = readonly OutputFinding[];

/** `meshctl auth can -o json`: who may call a workload. */
export type AuthCanOutputSpec = readonly ({
  /** Port of the workload. */
  readonly port: number;
  /** HTTP method; absent: a connection that is no HTTP. */
  readonly method?: string;
  /** Path; absent as the method is. */
  readonly path?: string;
  /** Identity of the caller without spiffe://; absent: it has none. */
  readonly principal?: string;
  /** As of authz check. */
  readonly decision: "allow" | "deny" | "ask" | "reset";
  /** HTTP status of the refusal. */
  readonly status?: number;
  /** Policy that decided, as KIND namespace/name; absent: none did. */
  readonly policy?: string;
})[];

/** `meshctl authz affected -o json`: the workloads that a policy is for. */
export type AuthzAffectedOutputSpec = readonly ({
  /** The policy, as KIND namespace/name. */
  readonly policy: string;
  /** As name.namespace. */
  readonly workload: string;
  /** Its pods. */
  readonly pods: number;
  /** What enforces it; none: nothing does. */
  readonly proxy: "sidecar" | "gateway" | "none";
  /** What follows from the policy there. */
  readonly effect: string;
})[];

/** One call decided. */
export interface AuthzCheckOutputDecision {
  /** Who is called, as name.namespace. */
  readonly to: string;
  /** Port of the workload. */
  readonly port: number;
  /** Let in, refused, left to the external authorizer, or refused by mutual TLS before any policy. */
  readonly decision: "allow" | "deny" | "ask" | "reset";
  /** HTTP status of the refusal. */
  readonly status?: number;
  /** What policies said, in the order in which they are asked. */
  readonly reasons: readonly ({
    /** Action of the policies; JWT: the token was judged. */
    readonly action: "ALLOW" | "DENY" | "LOG" | "CUSTOM" | "JWT";
    /** What follows; none: no rule matched and nothing had to. */
    readonly effect: "allow" | "deny" | "ask" | "note" | "none";
    /** Said by policies that are only tried out. */
    readonly dryRun?: boolean;
    /** Policy whose rule it is, as KIND namespace/name. */
    readonly policy?: string;
    /** The rule in it. */
    readonly field?: string;
    /** File that it stands in. */
    readonly file?: string;
    /** Line of the rule. */
    readonly line?: number;
    /** Of a token that is refused: what is wrong with it. */
    readonly why?: string;
  })[];
  /** Every rule of the workload; only of authz explain. */
  readonly rules?: readonly ({
    /** Action of its policy. */
    readonly action: "CUSTOM" | "AUDIT" | "DENY" | "ALLOW";
    /** Its policy is only tried out. */
    readonly dryRun?: boolean;
    /** Policy whose rule it is, as KIND namespace/name. */
    readonly policy?: string;
    /** The rule in it. */
    readonly field?: string;
    /** File that it stands in. */
    readonly file?: string;
    /** Line of the rule. */
    readonly line?: number;
    /** Whether the call is what it is about. */
    readonly matches: boolean;
    /** Why it does not match; empty when it does. */
    readonly missed: readonly {
      /** Part of the rule: from[0], to[1]. Conditions of `when` belong to each part. */
      readonly part: string;
      /** What is asked, by the name that `when` has for it, or request.host, request.method, request.path. */
      readonly attribute: string;
      /** One of these is wanted. */
      readonly wanted?: readonly string[];
      /** None of these may be. */
      readonly unwanted?: readonly string[];
      /** What the call has; absent: nothing. */
      readonly got?: string;
    }[];
  })[];
}

/** `meshctl ca create -o json`: files that were written, in order. Keys are never printed. */
export type CaCreateOutputSpec = readonly {
  /** Its path. */
  readonly file: string;
  /** Subject of the certificate, or whose key it is. */
  readonly holds: string;
  /** When the certificate ends, ISO time; empty for keys. */
  readonly notAfter: string;
}[];

/** A certificate of an authority. */
export interface CaStatusOutputcertificate {
  /** Its subject. */
  readonly subject: string;
  /** Serial number, hexadecimal. */
  readonly serial: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** When it ends, ISO time. */
  readonly notAfter: string;
}

/** `meshctl ca status -o json`: who signs in the mesh, whom it trusts, and what each proxy holds of that. */
export interface CaStatusOutputSpec {
  /** Who signs workloads in place of the control plane, in words; then there is no `secret` and no `authority`. */
  readonly signer?: string;
  /** Secret of the control plane that the authority is in. */
  readonly secret?: string;
  /** The certificate that signs. */
  readonly authority?: CaStatusOutputcertificate;
  /** Roots that everybody is to trust; with `signer` those that every proxy trusts. */
  readonly roots: readonly CaStatusOutputcertificate[];
  /** Revocation lists; absent when there are none. */
  readonly revocations?: {
    /** What proxies look up: `leaf`, the peer's own certificate, or `chain`, those above it too. */
    readonly scope: string;
    /** By authority. */
    readonly lists: readonly {
      /** Subject of the authority. */
      readonly issuer: string;
      /** Serial numbers, hexadecimal. */
      readonly revoked: readonly string[];
      /** When the list ends, and every certificate of the authority with it, ISO time. */
      readonly nextUpdate: string;
    }[];
  };
  /** A rotation that goes on; absent when none does. */
  readonly rotation?: {
    /** What is next: `trust`, `sign`, `retire` or `finish`. */
    readonly phase: string;
    /** The authority that is to sign. */
    readonly next: CaStatusOutputcertificate;
  };
  /** Every proxy, by name. */
  readonly proxies: readonly {
    /** Name of its pod. */
    readonly name: string;
    /** Namespace of its pod. */
    readonly namespace: string;
    /** Subjects of the roots that it trusts. */
    readonly trusts: readonly string[];
    /** Who signed its certificate; empty when it has none. */
    readonly issuer: string;
    /** Serial number of its certificate, hexadecimal. */
    readonly serial: string;
    /** When its certificate ends, ISO time. */
    readonly notAfter: string;
    /** What is wrong with it; empty when nothing is. */
    readonly problems: readonly string[];
  }[];
  /** What is wrong beside the proxies; empty when nothing is. */
  readonly problems: readonly string[];
}

/** `meshctl check-inject -o json`: what webhooks and the injector make of a pod. */
export interface CheckInjectOutputSpec {
  /** Pod, or what makes pods. */
  readonly kind: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Webhook configurations that inject. */
  readonly webhooks: readonly {
    /** Its name. */
    readonly webhook: string;
    /** Control plane that it calls. */
    readonly revision: string;
    /** Whether it is called for the pod. */
    readonly injected: boolean;
    /** Labels that it matches, or that it asks for. */
    readonly reason: string;
  }[];
  /** What comes of it. */
  readonly outcome: "injected" | "not-injected" | "unknown";
  /** The rule that decided. */
  readonly reason: string;
}

/** What a check came to. */
export interface CheckOutputCheck {
  /** Name of the check. */
  readonly name: string;
  /** Of several clusters: which was looked at. */
  readonly cluster?: string;
  /** What it is about. */
  readonly category: string;
  /** What has to hold. */
  readonly affirmation: string;
  /** Whether it holds; a warning does not make the command fail. */
  readonly status: "ok" | "warning" | "error" | "skipped";
  /** What was found, or why it was skipped. */
  readonly message?: string;
  /** What to do when it does not hold. */
  readonly hint?: string;
  /** Where the check is explained; an external check may name none. */
  readonly page?: string;
}

/** `meshctl check -o json`. */
export interface CheckOutputSpec {
  /** Every check, in the order in which they ran. */
  readonly checks: readonly CheckOutputCheck[];
}

/** Which object made a resource. */
export interface OutputSource {
  /** Kind namespace/name. */
  readonly object: string;
  /** Field of the object that decided; absent: the whole of it. */
  readonly field?: string;
  /** File it is written in. */
  readonly file?: string;
  /** Line of the field, or of its nearest parent. */
  readonly line?: number;
  /** Objects that wanted to decide it, with the reason why they do not. */
  readonly lost?: readonly string[];
  /** Parts that another object or field decided, by name. */
  readonly parts?: Readonly<Record<string, string>>;
}

/** Something to tell the user. */
export interface OutputFinding {
  /** Code of the condition; its page is docs/codes/CODE.md. */
  readonly code: string;
  /** Address of the code's page. */
  readonly documentationUrl: string;
  /** How bad it is. */
  readonly level: "Info" | "Warning" | "Error";
  /** What is wrong. */
  readonly message: string;
  /** The object, as Kind namespace/name. */
  readonly origin?: string;
  /** The place, as file:line. */
  readonly reference?: string;
  /** The cluster, when there are several. */
  readonly cluster?: string;
  /** What to do. */
  readonly hint?: string;
  /** Kind of the object. */
  readonly kind?: string;
  /** Namespace of the object; empty for cluster scope. */
  readonly namespace?: string;
  /** Name of the object. */
  readonly name?: string;
  /** Path of the field in the object; empty for the object itself. */
  readonly path: readonly OutputPathStep[];
  /** File it is in. */
  readonly file?: string;
  /** Line, from 1. */
  readonly line?: number;
  /** Column, from 1. */
  readonly column?: number;
  /** Other places it is about, in the order in which to read them. */
  readonly related?: readonly OutputRelated[];
}

/** A key, or an index of a list. */
export type OutputPathStep = number | string;

/** Another place that a finding is about. */
export interface OutputRelated {
  /** What stands there. */
  readonly message: string;
  /** The object, as Kind namespace/name. */
  readonly origin?: string;
  /** The place, as file:line. */
  readonly reference?: string;
  /** Path of the field in the object. */
  readonly path: readonly OutputPathStep[];
  /** File it is in. */
  readonly file?: string;
  /** Line, from 1. */
  readonly line?: number;
  /** Column, from 1. */
  readonly column?: number;
}

/** Findings, by place. */
export type OutputFindings = readonly OutputFinding[];

/** A message of Envoy's API, in proto JSON. */
export type OutputEnvoyMessage = Readonly<Record<string, unknown>>;

/** What the mesh makes of a service. */
export interface DescribePodOutputServiceView {
  /** Kind namespace/name of the object it comes from. */
  readonly service: string;
  /** Its full host. */
  readonly host: string;
  /** Its ports. */
  readonly ports: readonly DescribePodOutputServicePort[];
  /** The DestinationRule that callers of its namespace follow; absent: none. */
  readonly destinationRule?: DescribePodOutputDestinationRuleOfService;
  /** The VirtualService that rules its host in the mesh; absent: none. */
  readonly virtualService?: DescribePodOutputVirtualServiceOfService;
  /** Gateways whose VirtualServices send to it. */
  readonly gateways: readonly DescribePodOutputGatewayOfService[];
}

/** A port of a service. */
export interface DescribePodOutputServicePort {
  /** Number. */
  readonly number: number;
  /** Name; empty when it has none. */
  readonly name: string;
  /** Protocol by appProtocol or the name; auto: told by the bytes. */
  readonly protocol: string;
}

/** The DestinationRule that callers of its namespace follow; absent: none. */
export interface DescribePodOutputDestinationRuleOfService {
  /** Kind namespace/name. */
  readonly object: string;
  /** Its subsets. */
  readonly subsets: readonly DescribePodOutputSubsetOfService[];
  /** Settings of the traffic policy that it has. */
  readonly settings: readonly string[];
  /** Rules that lost against it, and why. */
  readonly notFollowed: readonly string[];
}

/** A subset. */
export interface DescribePodOutputSubsetOfService {
  /** Name. */
  readonly name: string;
  /** Labels of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether the pod is in it; absent: no pod is described. */
  readonly has?: boolean;
}

/** The VirtualService that rules its host in the mesh; absent: none. */
export interface DescribePodOutputVirtualServiceOfService {
  /** Kind namespace/name. */
  readonly object: string;
  /** Destinations of its http rules that are this service. */
  readonly routes: readonly DescribePodOutputRouteOfService[];
  /** VirtualServices that lost against it, and why. */
  readonly notFollowed: readonly string[];
}

/** One destination of a rule. */
export interface DescribePodOutputRouteOfService {
  /** Name of the rule, or its place from 0. */
  readonly rule: string;
  /** Subset; empty: all endpoints. */
  readonly subset: string;
  /** Share of the rule's requests, in percent. */
  readonly weight: number;
  /** Whether the pod is among its endpoints; absent: no pod is described. */
  readonly reaches?: boolean;
}

/** Where a service is reached from outside. */
export interface DescribePodOutputGatewayOfService {
  /** Gateway as namespace/name. */
  readonly gateway: string;
  /** Host there. */
  readonly host: string;
  /** Kind namespace/name of the VirtualService that sends it on. */
  readonly virtualService: string;
}

/** A port of a container. */
export interface DescribePodOutputPodPort {
  /** Number. */
  readonly number: number;
  /** Name; empty when it has none. */
  readonly name: string;
}

/** What a port takes. */
export interface DescribePodOutputPortMtls {
  /** Port; 0: all that no policy names. */
  readonly port: number;
  /** STRICT, PERMISSIVE or DISABLE. */
  readonly mode: string;
  /** PeerAuthentication that says so; absent: the default. */
  readonly policy?: string;
}

/** A policy and what it does. */
export interface DescribePodOutputPolicyAction {
  /** Kind namespace/name. */
  readonly policy: string;
  /** ALLOW, DENY, AUDIT or CUSTOM. */
  readonly action: string;
}

/** `meshctl describe pod -o json`: what the mesh makes of a pod. */
export interface DescribePodOutputSpec {
  /** Pod, as name.namespace. */
  readonly pod: string;
  /** What stands before the application. */
  readonly proxy: "sidecar" | "gateway" | "none";
  /** Revision of the control plane that gave it its proxy; empty: unknown. */
  readonly revision: string;
  /** Ports that its containers declare. */
  readonly ports: readonly DescribePodOutputPodPort[];
  /** Mutual TLS by port; port 0 stands for all that no policy names. Empty without a sidecar. */
  readonly mtls: readonly DescribePodOutputPortMtls[];
  /** AuthorizationPolicies that hold for it. */
  readonly authorization: readonly DescribePodOutputPolicyAction[];
  /** RequestAuthentications that hold for it. */
  readonly tokens: readonly string[];
  /** What keeps the mesh from working for it. */
  readonly warnings: readonly string[];
  /** Services that select it. */
  readonly services: readonly DescribePodOutputServiceView[];
}

/** What the mesh makes of a service. */
export interface DescribeServiceOutputServiceView {
  /** Kind namespace/name of the object it comes from. */
  readonly service: string;
  /** Its full host. */
  readonly host: string;
  /** Its ports. */
  readonly ports: readonly DescribeServiceOutputServicePort[];
  /** The DestinationRule that callers of its namespace follow; absent: none. */
  readonly destinationRule?: DescribeServiceOutputDestinationRuleOfService;
  /** The VirtualService that rules its host in the mesh; absent: none. */
  readonly virtualService?: DescribeServiceOutputVirtualServiceOfService;
  /** Gateways whose VirtualServices send to it. */
  readonly gateways: readonly DescribeServiceOutputGatewayOfService[];
}

/** A port of a service. */
export interface DescribeServiceOutputServicePort {
  /** Number. */
  readonly number: number;
  /** Name; empty when it has none. */
  readonly name: string;
  /** Protocol by appProtocol or the name; auto: told by the bytes. */
  readonly protocol: string;
}

/** The DestinationRule that callers of its namespace follow; absent: none. */
export interface DescribeServiceOutputDestinationRuleOfService {
  /** Kind namespace/name. */
  readonly object: string;
  /** Its subsets. */
  readonly subsets: readonly DescribeServiceOutputSubsetOfService[];
  /** Settings of the traffic policy that it has. */
  readonly settings: readonly string[];
  /** Rules that lost against it, and why. */
  readonly notFollowed: readonly string[];
}

/** A subset. */
export interface DescribeServiceOutputSubsetOfService {
  /** Name. */
  readonly name: string;
  /** Labels of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether the pod is in it; absent: no pod is described. */
  readonly has?: boolean;
}

/** The VirtualService that rules its host in the mesh; absent: none. */
export interface DescribeServiceOutputVirtualServiceOfService {
  /** Kind namespace/name. */
  readonly object: string;
  /** Destinations of its http rules that are this service. */
  readonly routes: readonly DescribeServiceOutputRouteOfService[];
  /** VirtualServices that lost against it, and why. */
  readonly notFollowed: readonly string[];
}

/** One destination of a rule. */
export interface DescribeServiceOutputRouteOfService {
  /** Name of the rule, or its place from 0. */
  readonly rule: string;
  /** Subset; empty: all endpoints. */
  readonly subset: string;
  /** Share of the rule's requests, in percent. */
  readonly weight: number;
  /** Whether the pod is among its endpoints; absent: no pod is described. */
  readonly reaches?: boolean;
}

/** Where a service is reached from outside. */
export interface DescribeServiceOutputGatewayOfService {
  /** Gateway as namespace/name. */
  readonly gateway: string;
  /** Host there. */
  readonly host: string;
  /** Kind namespace/name of the VirtualService that sends it on. */
  readonly virtualService: string;
}

/** `meshctl describe service -o json`: what the mesh makes of each service of the name. */
export type DescribeServiceOutputSpec = readonly DescribeServiceOutputServiceView[];

/** `meshctl edges -o json`: who called whom. */
export interface EdgesOutputSpec {
  /** Edges, busiest first. */
  readonly edges: readonly ({
    /** Who called. */
    readonly from: {
      /** Name; `unknown` outside of the mesh. */
      readonly workload: string;
      /** Its namespace. */
      readonly namespace: string;
      /** Its cluster, by the name that the mesh has for it; absent in a mesh of one, or where nobody told it. */
      readonly cluster?: string;
    };
    /** Who was called. */
    readonly to: {
      /** Name; `unknown` outside of the mesh. */
      readonly workload: string;
      /** Its namespace. */
      readonly namespace: string;
      /** Its cluster, by the name that the mesh has for it; absent in a mesh of one, or where nobody told it. */
      readonly cluster?: string;
    };
    /** Host that was called. */
    readonly service: string;
    /** http, grpc or tcp. */
    readonly protocol: string;
    /** How it was secured; unknown where only the client's proxy told of it. */
    readonly security: "mutual_tls" | "none" | "unknown";
    /** SPIFFE identity of the caller. */
    readonly client?: string;
    /** SPIFFE identity of the called. */
    readonly server?: string;
    /** Requests; 0 for TCP. */
    readonly requests: number;
    /** Requests per second; absent without a window. */
    readonly rps?: number;
    /** Share of requests that did not fail; absent without requests. */
    readonly success?: number;
    /** Median latency in milliseconds. */
    readonly p50?: number;
    /** 95th percentile of latency in milliseconds. */
    readonly p95?: number;
    /** 99th percentile of latency in milliseconds. */
    readonly p99?: number;
    /** How often each response code came; `grpc 14` for a status of gRPC. */
    readonly codes: Readonly<Record<string, number>>;
    /** Of TCP. */
    readonly tcp?: {
      /** Connections that were opened. */
      readonly opened: number;
      /** Bytes to the client. */
      readonly sentBytes: number;
      /** Bytes from the client. */
      readonly receivedBytes: number;
    };
  })[];
}

/** `meshctl envoy-stats -o json`: what Envoy's admin interface answers: counters and gauges, or with `--type clusters` clusters with their hosts. */
export interface EnvoyStatsOutputSpec {
  /** Counters and gauges by name; the last entry holds histograms. */
  readonly stats?: readonly Readonly<Record<string, unknown>>[];
  /** Clusters with their hosts and what was counted of each. */
  readonly cluster_statuses?: readonly Readonly<Record<string, unknown>>[];
  readonly [key: string]: unknown;
}

/** `meshctl explain CODE -o json`. */
export interface ExplainCodeOutputSpec {
  /** The code. */
  readonly code: string;
  /** Its name. */
  readonly name: string;
  /** Its level. */
  readonly level: "Info" | "Warning" | "Error";
  /** Its page, in Markdown. */
  readonly page: string;
}

/** A kind or configuration. */
export interface ExplainListOutputEntry {
  /** Its name here. */
  readonly name: string;
  /** Served versions. */
  readonly apiVersions?: readonly string[];
  /** Name in paths. */
  readonly plural?: string;
  /** Short names. */
  readonly shortNames?: readonly string[];
  /** What it is for. */
  readonly description: string;
}

/** `meshctl explain -o json`: everything that can be explained. */
export type ExplainListOutputSpec = readonly ExplainListOutputEntry[];

/** A field. */
export interface ExplainOutputField {
  /** Name of the field. */
  readonly name: string;
  /** JSON type, name of a definition, []T or map of T. */
  readonly type: string;
  /** Whether it has to be there. */
  readonly required: boolean;
  /** What holds without it. */
  readonly default?: string;
  /** Values it may have. */
  readonly enum?: readonly (number | string)[];
  /** Whether it is deprecated. */
  readonly deprecated?: boolean;
  /** What it is for. */
  readonly description: string;
}

/** `meshctl explain KIND[.field]… -o json`. */
export interface ExplainOutputSpec {
  /** Name of the kind or configuration here. */
  readonly name: string;
  /** Kind at the API server; absent for a configuration. */
  readonly kind?: string;
  /** Served versions, the preferred one first. */
  readonly apiVersions?: readonly string[];
  /** Name in paths. */
  readonly plural?: string;
  /** Short names. */
  readonly shortNames?: readonly string[];
  /** Whether objects have a namespace. */
  readonly namespaced?: boolean;
  /** What was asked for. */
  readonly path: string;
  /** JSON type, name of a definition, []T or map of T. */
  readonly type: string;
  /** Whether it has to be there. */
  readonly required: boolean;
  /** What holds without it. */
  readonly default?: string;
  /** Values it may have. */
  readonly enum?: readonly (number | string)[];
  /** Whether it is deprecated. */
  readonly deprecated?: boolean;
  /** What it is for. */
  readonly description: string;
  /** What a value has to be beyond its type. */
  readonly limits?: readonly string[];
  /** Fields below. */
  readonly fields: readonly ExplainOutputField[];
  /** A whole object. */
  readonly example?: Readonly<Record<string, unknown>>;
}

/** `meshctl graph -o json`: who called whom, or may by configuration. */
export interface GraphOutputSpec {
  /** Whether it was seen or may be. */
  readonly source: "observed" | "configured";
  /** Nodes by id. */
  readonly nodes: readonly ({
    /** `namespace/name`, or the host of a service whose workload nobody knows. */
    readonly id: string;
    /** What it is. */
    readonly kind: "workload" | "service";
    /** Name. */
    readonly name: string;
    /** Namespace. */
    readonly namespace?: string;
  })[];
  /** Edges. */
  readonly edges: readonly ({
    /** Id of the caller's node. */
    readonly from: string;
    /** Id of the called's node. */
    readonly to: string;
    /** Host that is called. */
    readonly service: string;
    /** http, grpc or tcp. */
    readonly protocol?: string;
    /** How it was secured. */
    readonly security?: "mutual_tls" | "none" | "unknown";
    /** Requests that were counted. */
    readonly requests?: number;
    /** Requests per second. */
    readonly rps?: number;
    /** Share that did not fail. */
    readonly success?: number;
    /** 99th percentile of latency in milliseconds. */
    readonly p99?: number;
    /** By configuration: policies allow only a part of it. */
    readonly limited?: boolean;
  })[];
}

/** `meshctl images bundle -o json`: the archive that was written. */
export interface ImagesBundleOutputSpec {
  /** Its path as given by --out. */
  readonly archive: string;
  /** Bytes. */
  readonly size: number;
  /** What is in it. */
  readonly images: readonly {
    /** Its name. */
    readonly name: string;
    /** Of its manifest. */
    readonly digest: string;
  }[];
}

/** `meshctl images list -o json`: images that the settings need, by name. */
export interface ImagesListOutputSpec {
  /** By name. */
  readonly images: readonly {
    /** As pods name it. */
    readonly image: string;
    /** Workloads that run it; `sidecars` for what injection adds. */
    readonly usedBy: readonly string[];
    /** Of its manifest; null when nobody was asked who knows it. */
    readonly digest: unknown;
    /** With --nodes: where it is. Nodes that do not tell are in neither list. */
    readonly nodes?: {
      /** Nodes that have it. */
      readonly with: readonly string[];
      /** Nodes that do not. */
      readonly without: readonly string[];
    };
  }[];
}

/** `meshctl images load -o json`: what was given to the container runtime. */
export interface ImagesLoadOutputSpec {
  /** The program that took them. */
  readonly with: string;
  /** Names of the images. */
  readonly images: readonly string[];
}

/** `meshctl images push -o json`: what the registry has now. */
export interface ImagesPushOutputSpec {
  /** What --set hub takes. */
  readonly hub: string;
  /** In the order of the archives. */
  readonly images: readonly {
    /** As the archive names it. */
    readonly source: string;
    /** As the registry names it. */
    readonly name: string;
    /** Of its manifest. */
    readonly digest: string;
    /** Blobs that were sent. */
    readonly uploaded: number;
    /** Blobs that the registry had. */
    readonly skipped: number;
    /** Bytes that were sent. */
    readonly bytes: number;
    /** False when the tag meant this image already. */
    readonly changed: boolean;
  }[];
}

/** `meshctl images verify -o json`: what the images turned out to be. */
export interface ImagesVerifyOutputSpec {
  /** In the order of the sources. */
  readonly images: readonly {
    /** Its name. */
    readonly name: string;
    /** Of its manifest. */
    readonly digest: string;
    /** Operating system and architecture, e.g. linux/amd64. */
    readonly platform: string;
    /** Whom its processes run as; empty: root. */
    readonly user: string;
    /** Compressed bytes of its layers. */
    readonly size: number;
    /** How many. */
    readonly layers: number;
    /** Its labels. */
    readonly labels: Readonly<Record<string, string>>;
    /** The list of materials; null when there is none. */
    readonly sbom: unknown;
    /** What is wrong, in words; empty when nothing is. */
    readonly problems: readonly string[];
  }[];
}

/** One workload and the decision about it. */
export interface InjectExplainOutputExplained {
  /** Kind of the workload. */
  readonly kind: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Where it was read; absent for one of the cluster. */
  readonly file?: string;
  /** Whether a pod that runs has a sidecar. */
  readonly hasSidecar?: boolean;
  /** unknown: its Namespace is not known, and it says nothing itself. */
  readonly outcome: "injected" | "not-injected" | "unknown";
  /** What decided, in words. */
  readonly reason: string;
  /** The rule that decided. */
  readonly rule: string;
  /** The revision whose injector is called; absent when none is. */
  readonly revision?: string;
  /** What is odd about it. */
  readonly warnings: readonly string[];
  /** The rules that were asked, in order; the last one decided. */
  readonly steps: readonly InjectExplainOutputStep[];
}

/** One rule, as it was applied. */
export interface InjectExplainOutputStep {
  /** Name of the rule. */
  readonly rule: string;
  /** Labels and webhooks are read by the API server, the rest by the injector. */
  readonly stage: "labels" | "webhook" | "injector";
  /** next: the rule says nothing; call: the injector is asked. */
  readonly outcome: "next" | "call" | "inject" | "skip" | "unknown";
  /** Why, in words. */
  readonly because: string;
  /** What would turn the outcome of the step around. */
  readonly change?: InjectExplainOutputChange;
}

/** What would turn the outcome of the step around. */
export interface InjectExplainOutputChange {
  /** In words. */
  readonly words: string;
  /** As data; empty where it is no matter of one field. */
  readonly edits: readonly InjectExplainOutputEdit[];
}

/** One field to change. */
export interface InjectExplainOutputEdit {
  /** The object to change. */
  readonly on: "namespace" | "pod" | "injector";
  /** The field. */
  readonly path: readonly string[];
  /** Its new value; absent: the field goes. */
  readonly value?: string;
}

/** `meshctl inject explain -o json`: the decision about each workload. */
export type InjectExplainOutputSpec = readonly InjectExplainOutputExplained[];

/** One webhook configuration. */
export interface InjectListOutputInjector {
  /** Name of the MutatingWebhookConfiguration. */
  readonly name: string;
  /** Revision of the control plane that it calls. */
  readonly revision: string;
  /** Tag that it is for; absent for a revision's own. */
  readonly tag?: string;
  /** NAMESPACE/NAME of the Service it calls, or its address. */
  readonly service: string;
  /** Policy of the injector's settings; absent when they cannot be read. */
  readonly policy?: string;
  /** Namespaces whose pods it injects unless they say otherwise. */
  readonly namespaces: readonly string[];
}

/** A namespace that nobody injects though it asks. */
export interface InjectListOutputUnserved {
  /** Its name. */
  readonly namespace: string;
  /** Why not. */
  readonly because: string;
}

/** `meshctl inject list -o json`: injectors and whom they serve. */
export interface InjectListOutputSpec {
  /** Webhook configurations that inject, sorted by name. */
  readonly injectors: readonly InjectListOutputInjector[];
  /** Namespaces that ask for a revision without an injector. */
  readonly unserved: readonly InjectListOutputUnserved[];
}

/** One workload. */
export interface InjectReportWorkload {
  /** Where it was read. */
  readonly file: string;
  /** Its kind. */
  readonly kind: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Whether it has a sidecar now. */
  readonly injected: boolean;
  /** Whether its text is another now. */
  readonly changed: boolean;
  /** Why. */
  readonly reason: string;
  /** What is odd about it. */
  readonly warnings: readonly string[];
}

/** `meshctl inject --report json`: what was done to which workload. The YAML itself goes to stdout or --output. */
export interface InjectReportSpec {
  /** Where the settings are from: bundled, a file, or a ConfigMap as namespace/name. */
  readonly configuration?: {
    /** Mesh configuration. */
    readonly mesh: string;
    /** Values. */
    readonly values: string;
    /** Injector configuration. */
    readonly config: string;
    /** Revision of the control plane. */
    readonly revision: string;
  };
  /** Every workload, in order. */
  readonly workloads: readonly InjectReportWorkload[];
  /** Documents without workloads: as they were. */
  readonly otherDocuments: number;
  /** FILE:LINE of documents that were written anew, without comments. */
  readonly rewritten: readonly string[];
}

/** One line of `meshctl logs -o json`: a request or a connection as a proxy logged it. What Envoy wrote as missing is absent. */
export interface LogsOutputSpec {
  /** Namespace of the pod whose proxy wrote it. */
  readonly namespace: string;
  /** Name of that pod. */
  readonly pod: string;
  /** Which way it went at that proxy. */
  readonly direction?: "inbound" | "outbound";
  /** The other side: the service that was called, with its port, or the caller. */
  readonly peer?: string;
  /** Pod of the other side, as name.namespace. */
  readonly peerPod?: string;
  /** When it began, as it was written. */
  readonly startTime?: string;
  /** HTTP method. */
  readonly method?: string;
  /** HTTP path with query. */
  readonly path?: string;
  /** HTTP version. */
  readonly protocol?: string;
  /** HTTP status; 0 when no answer was begun. */
  readonly status?: number;
  /** Short response flags of Envoy. */
  readonly flags: readonly string[];
  /** What each of them means. */
  readonly flagTexts: readonly string[];
  /** Response code details. */
  readonly details?: string;
  /** Why the connection was ended. */
  readonly terminationDetails?: string;
  /** Why there was no connection to the upstream. */
  readonly transportFailure?: string;
  /** Why there was no connection of the caller. */
  readonly downstreamTransportFailure?: string;
  /** Bytes of the request's body, or from the caller. */
  readonly bytesReceived?: number;
  /** Bytes of the answer's body, or to the caller. */
  readonly bytesSent?: number;
  /** Milliseconds in all. */
  readonly duration?: number;
  /** Milliseconds, as the upstream told. */
  readonly upstreamServiceTime?: number;
  /** x-forwarded-for. */
  readonly forwardedFor?: string;
  /** user-agent. */
  readonly userAgent?: string;
  /** x-request-id. */
  readonly requestId?: string;
  /** Host that was asked for. */
  readonly authority?: string;
  /** Address that was called. */
  readonly upstreamHost?: string;
  /** Envoy's cluster. */
  readonly upstreamCluster?: string;
  /** Own address of that connection. */
  readonly upstreamLocalAddress?: string;
  /** Address that the caller connected to. */
  readonly localAddress?: string;
  /** Address of the caller. */
  readonly remoteAddress?: string;
  /** Server name of TLS. */
  readonly serverName?: string;
  /** Name of the route. */
  readonly routeName?: string;
  /** Identity of the caller. */
  readonly peerPrincipal?: string;
  /** Status of gRPC. */
  readonly grpcStatus?: string;
  /** Trace that it belongs to. */
  readonly traceId?: string;
  /** What else the format writes, by its operator. */
  readonly others: Readonly<Record<string, string>>;
}

/** `meshctl metrics -o json`: what workloads served. */
export type MetricsOutputSpec = readonly {
  /** As it was named. */
  readonly workload: string;
  /** Requests per second; absent where nobody knows since when was counted. */
  readonly totalRps?: number;
  /** Requests per second that were answered 4xx, 5xx or not at all. */
  readonly errorRps?: number;
  /** Milliseconds within which half was answered; absent: nothing was served. */
  readonly p50Ms?: number;
  /** Milliseconds within which 90 of 100 were answered. */
  readonly p90Ms?: number;
  /** Milliseconds within which 99 of 100 were answered. */
  readonly p99Ms?: number;
}[];

/** `meshctl mtls report -o json`: how much of a mesh is secured by mutual TLS. */
export interface MtlsReportOutputSpec {
  /** Every workload. */
  readonly workloads: readonly ({
    /** As name.namespace. */
    readonly workload: string;
    /** Of a mesh of several clusters: its own. */
    readonly cluster?: string;
    /** Its pods. */
    readonly pods: number;
    /** What stands before the application. */
    readonly proxy: "sidecar" | "gateway" | "none";
    /** Its ports; empty for gateways and without a proxy. */
    readonly ports: readonly ({
      /** Port of the workload; 0: all that no Service names. */
      readonly port: number;
      /** What it takes. */
      readonly mode: "STRICT" | "PERMISSIVE" | "DISABLE";
      /** PeerAuthentication that says so, as KIND namespace/name; absent: the default. */
      readonly policy?: string;
      /** The field in it. */
      readonly field?: string;
      /** File that it stands in. */
      readonly file?: string;
      /** Line of the field. */
      readonly line?: number;
      /** Workloads that see the Service, by what they send. */
      readonly clients: {
        /** By mutual TLS. */
        readonly mtls: number;
        /** Plain text, or TLS of their own. */
        readonly plain: number;
      };
    })[];
  })[];
  /** Sums. */
  readonly totals: {
    /** Ports that take mutual TLS alone. */
    readonly strict: number;
    /** Ports that take both. */
    readonly permissive: number;
    /** Ports that take none. */
    readonly disable: number;
    /** Workloads without a proxy. */
    readonly withoutProxy: number;
  };
  /** Of a cluster: what proxies saw since they started. */
  readonly observed?: readonly {
    /** As name.namespace. */
    readonly pod: string;
    /** Requests and connections by mutual TLS. */
    readonly mtls: number;
    /** Those without. */
    readonly plain: number;
  }[];
  /** Of a cluster: pods by the roots that they trust. */
  readonly trust?: readonly {
    /** SHA-256 of each root. */
    readonly roots: readonly string[];
    /** Subjects of the roots. */
    readonly subjects: readonly string[];
    /** As name.namespace. */
    readonly pods: readonly string[];
  }[];
  /** Of a cluster: pods whose certificates others refuse. */
  readonly mistrusted?: readonly {
    /** As name.namespace. */
    readonly pods: readonly string[];
    /** Who issued their certificates. */
    readonly issuer: string;
    /** Pods that trust no root of it. */
    readonly refusedBy: readonly string[];
  }[];
}

/** `meshctl orphans -o json`: objects that installations left behind, in the order in which they should go. */
export type OrphansOutputSpec = readonly {
  /** Its kind. */
  readonly kind: string;
  /** Its namespace; empty for what is in none. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Why nobody needs it. */
  readonly reason: string;
}[];

/** What a check came to. */
export interface PrecheckOutputCheck {
  /** Name of the check. */
  readonly name: string;
  /** What it is about. */
  readonly category: string;
  /** What has to hold. */
  readonly affirmation: string;
  /** Whether it holds; a warning does not make the command fail. */
  readonly status: "ok" | "warning" | "error" | "skipped";
  /** What was found, or why it was skipped. */
  readonly message?: string;
  /** What to do when it does not hold. */
  readonly hint?: string;
  /** Where the check is explained; an external check may name none. */
  readonly page?: string;
}

/** `meshctl precheck -o json`. */
export interface PrecheckOutputSpec {
  /** Every check, in the order in which they ran. */
  readonly checks: readonly PrecheckOutputCheck[];
}

/** `meshctl profile dump -o json`: every setting with its value. With --helm-values or --config-path the values alone. */
export interface ProfileDumpOutputSpec {
  /** As in a file for -f. */
  readonly apiVersion: "install.istio.io/v1alpha1";
  /** As in a file for -f. */
  readonly kind: "IstioOperator";
  /** The settings: it holds to schemas/istio-operator.schema.json. */
  readonly spec: Readonly<Record<string, unknown>>;
}

/** `meshctl profile list -o json`: the bundled profiles, by name. */
export type ProfileListOutputSpec = readonly {
  /** What --profile takes. */
  readonly name: string;
  /** What it is for. */
  readonly summary: string;
}[];

/** `meshctl profile show -o json`: one profile. */
export interface ProfileShowOutputSpec {
  /** What --profile takes. */
  readonly name: string;
  /** What it is for. */
  readonly summary: string;
  /** Parts of the mesh that it installs, in words. */
  readonly installs: readonly string[];
  /** What it sets on top of profile default, as the spec of an IstioOperator. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** `meshctl proxy-config all -o json`: what Envoy answers to /config_dump, with endpoints; `--file` reads it. */
export interface ProxyConfigAllOutputSpec {
  /** One entry for each kind of configuration. */
  readonly configs: readonly OutputEnvoyMessage[];
  readonly [key: string]: unknown;
}

/** `meshctl proxy-config bootstrap`: what the proxy started with, as Envoy has it. */
export type ProxyConfigBootstrapOutputSpec = Readonly<Record<string, unknown>>;

/** `meshctl proxy-config clusters -o json`: clusters as Envoy has them. */
export type ProxyConfigClustersOutputSpec = readonly OutputEnvoyMessage[];

/** `meshctl proxy-config ecds -o json`: filters that are configured apart from their listeners, as Envoy has them. */
export type ProxyConfigEcdsOutputSpec = readonly OutputEnvoyMessage[];

/** `meshctl proxy-config eds -o json`: endpoints of each cluster, as the control plane sent them. */
export type ProxyConfigEdsOutputSpec = readonly OutputEnvoyMessage[];

/** A cluster with its hosts. */
export interface ProxyConfigEndpointsOutputClusterStatus {
  /** Name of the cluster. */
  readonly name: string;
  /** Its hosts. */
  readonly host_statuses?: readonly OutputEnvoyMessage[];
  readonly [key: string]: unknown;
}

/** `meshctl proxy-config endpoints -o json`: clusters with their hosts, as Envoy's admin interface tells them. */
export type ProxyConfigEndpointsOutputSpec = readonly ProxyConfigEndpointsOutputClusterStatus[];

/** `meshctl proxy-config listeners -o json`: listeners as Envoy has them. */
export type ProxyConfigListenersOutputSpec = readonly OutputEnvoyMessage[];

/** The loggers of one proxy. */
export interface ProxyConfigLogOutputProxyLoggers {
  /** Pod, as name.namespace. */
  readonly name: string;
  /** Level of each logger. */
  readonly loggers: Readonly<Record<string, string>>;
}

/** `meshctl proxy-config log -o json`: the loggers of each proxy, after the changes. */
export type ProxyConfigLogOutputSpec = readonly ProxyConfigLogOutputProxyLoggers[];

/** `meshctl proxy-config routes -o json`: tables of routes as Envoy has them. */
export type ProxyConfigRoutesOutputSpec = readonly OutputEnvoyMessage[];

/** `meshctl proxy-config secret -o json`: secrets as Envoy has them. */
export type ProxyConfigSecretOutputSpec = readonly OutputEnvoyMessage[];

/** One proxy. */
export interface ProxyStatusOutputProxy {
  /** Pod of the proxy. */
  readonly name: string;
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Cluster the pod is in. */
  readonly cluster: string;
  /** Control plane pod it is connected to; empty for none. */
  readonly istiod: string;
  /** Revision of that control plane; of a proxy that is not connected the one that made it. */
  readonly revision: string;
  /** Version of the proxy. */
  readonly version: string;
  /** The worst of its types. */
  readonly status: "SYNCED" | "STALE" | "NACK" | "NOT CONNECTED";
  /** State by type of configuration: cluster, listener, endpoint, route and others. */
  readonly types: Readonly<Record<string, ProxyStatusOutputTypeState>>;
  /** When its stream to the control plane began; absent when it is not connected. */
  readonly connectedAt?: string;
  /** When the certificate that it came with ends; absent for one that came with a token. */
  readonly certificateExpires?: string;
  /** Of a proxy that is not in sync, with --why: what it does not run as it should. */
  readonly why?: readonly ProxyStatusOutputReason[];
}

/** How one type of configuration stands. */
export interface ProxyStatusOutputTypeState {
  /** SYNCED, STALE, NACK or another word of the control plane. */
  readonly status: string;
  /** When it was last acknowledged; empty for never. */
  readonly ackedAt?: string;
  /** Why it was refused. */
  readonly lastError?: string;
  /** When it was refused. */
  readonly refusedAt?: string;
  /** Resources that are not acknowledged as they are now: the first of pendingCount. */
  readonly pending?: readonly string[];
  /** How many resources are not acknowledged as they are now. */
  readonly pendingCount?: number;
}

/** A resource that a proxy does not run as it should. */
export interface ProxyStatusOutputReason {
  /** Type of configuration: CDS, LDS, EDS, RDS, ECDS or SDS. */
  readonly type: string;
  /** Name of the resource. */
  readonly name: string;
  /** How it stands in Envoy. */
  readonly state: "differs" | "missing" | "extra" | "warming" | "unknown";
  /** Envoy's words for why it did not take it. */
  readonly refused?: string;
  /** Objects and fields that what differs comes from. */
  readonly from: readonly string[];
}

/** One proxy, compared with what it would be sent now. */
export interface ProxyStatusOutputComparison {
  /** Pod of the proxy. */
  readonly name: string;
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Cluster the pod is in. */
  readonly cluster: string;
  /** Control plane pod it is connected to; empty for none. */
  readonly istiod: string;
  /** Revision of that control plane; of a proxy that is not connected the one that made it. */
  readonly revision: string;
  /** Version of the proxy. */
  readonly version: string;
  /** The worst of its types. */
  readonly status: "SYNCED" | "STALE" | "NACK" | "NOT CONNECTED";
  /** State by type of configuration: cluster, listener, endpoint, route and others. */
  readonly types: Readonly<Record<string, ProxyStatusOutputTypeState>>;
  /** When its stream to the control plane began; absent when it is not connected. */
  readonly connectedAt?: string;
  /** When the certificate that it came with ends; absent for one that came with a token. */
  readonly certificateExpires?: string;
  /** When Envoy last took a table of routes. */
  readonly routesLoadedAt?: string;
  /** Whether it runs what it should and refused nothing. */
  readonly matches: boolean;
  /** Each type; empty for a proxy that is connected to no control plane. */
  readonly comparison: readonly ProxyStatusOutputTypeComparison[];
}

/** One type of configuration. */
export interface ProxyStatusOutputTypeComparison {
  /** CDS, LDS, EDS, RDS, ECDS or SDS. */
  readonly type: string;
  /** Whether Envoy has all of it as it would be sent. */
  readonly matches: boolean;
  /** How many resources there are. */
  readonly resources: number;
  /** Resources that are not in Envoy as they would be sent. */
  readonly different: readonly ProxyStatusOutputDifferent[];
}

/** One resource that is not as it would be sent. */
export interface ProxyStatusOutputDifferent {
  /** Name of the resource. */
  readonly name: string;
  /** How it stands in Envoy. */
  readonly state: "differs" | "missing" | "extra" | "warming";
  /** Envoy's words for why it did not take it. */
  readonly refused?: string;
  /** Where it differs: the first of count. */
  readonly differences: readonly ProxyStatusOutputPlace[];
  /** In how many places it differs. */
  readonly count: number;
  /** Objects that made a resource that is there on one side only. */
  readonly from?: readonly string[];
}

/** A place in a resource. */
export interface ProxyStatusOutputPlace {
  /** Path of the field. */
  readonly path: string;
  /** JSON of what would be sent; absent: nothing stands there. */
  readonly istiod?: string;
  /** JSON of what Envoy has; absent: nothing stands there. */
  readonly envoy?: string;
  /** Which object made a resource. */
  readonly why?: OutputSource;
}

/** A flag. */
export interface ReferenceOutputFlag {
  /** `--output`, or `-x` for one that has no long form. */
  readonly name: string;
  /** Its form of one letter. */
  readonly short?: string;
  /** What its value is called; absent for switches. */
  readonly value?: string;
  /** The value may be left out, and is part of the same word when given. */
  readonly valueOptional?: boolean;
  /** What it does. */
  readonly summary: string;
  /** What holds when it is not given, as it would be written. */
  readonly default?: string;
  /** The values that there are. */
  readonly choices?: readonly string[];
  /** It may be given several times. */
  readonly repeatable?: boolean;
}

/** `meshctl reference -o json`, also docs/reference/commands.json: every command. */
export interface ReferenceOutputSpec {
  /** Name of the program. */
  readonly program: string;
  /** Version of the program. */
  readonly version: string;
  /** What an exit code means, by the code. */
  readonly exitCodes: Readonly<Record<string, string>>;
  /** Flags of every command. */
  readonly globalFlags: readonly ReferenceOutputFlag[];
  /** Commands, by name. */
  readonly commands: readonly {
    /** The words behind meshctl. */
    readonly name: string;
    /** Other names of the last word. */
    readonly aliases?: readonly string[];
    /** What it does. */
    readonly summary: string;
    /** Its command line. */
    readonly usage: string;
    /** What stands behind it. */
    readonly arguments: readonly {
      /** What it is called. */
      readonly name: string;
      /** The command needs it. */
      readonly required: boolean;
      /** There may be several. */
      readonly repeatable: boolean;
      /** What it is. */
      readonly summary: string;
    }[];
    /** Flags of its own. */
    readonly flags: readonly ReferenceOutputFlag[];
    /** How it is used. */
    readonly examples: readonly {
      /** The line. */
      readonly line: string;
      /** What it is for. */
      readonly summary: string;
    }[];
  }[];
}

/** `meshctl remote-clusters -o json`: what each pod of the control plane reads. */
export type RemoteClustersOutputSpec = readonly {
  /** Name of the cluster, or of the registry. */
  readonly name: string;
  /** Secret that it is reached by; empty for the control plane's own cluster. */
  readonly secret: string;
  /** synced when everything of it is known; away when that was so and its API server does not answer now. */
  readonly status: string;
  /** Pod of the control plane. */
  readonly istiod: string;
  /** Revision of that pod. */
  readonly revision: string;
}[];

/** `meshctl revision list -o json`: control planes of the cluster, sorted by revision. */
export type RevisionListOutputSpec = readonly {
  /** Name of the revision; `default` for the one without a name. */
  readonly revision: string;
  /** Version that is installed; empty when it is not known. */
  readonly version: string;
  /** Whether all its pods are of the newest template and available. */
  readonly isReady: boolean;
  /** Tags that name it. */
  readonly tags: readonly string[];
  /** Namespaces that ask for its proxies, by its name or by that of a tag. */
  readonly namespaces: readonly string[];
  /** Running pods with a proxy that it made. */
  readonly proxies: number;
}[];

/** `meshctl stat -o json`: what proxies counted. */
export interface StatOutputSpec {
  /** Rows by name. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** `meshctl tag list -o json`: tags, and revisions without one, sorted by revision and tag. */
export type TagListOutputSpec = readonly {
  /** Name of the tag; empty for a revision without one. */
  readonly tag: string;
  /** Revision that it names. */
  readonly revision: string;
  /** Namespaces that ask by the tag; for a revision without one those that ask for it. */
  readonly namespaces: readonly string[];
}[];

/** A line of `meshctl tap -o json`: one request. */
export interface TapOutputSpec {
  /** When its headers came, ISO 8601. */
  readonly time: string;
  /** Pod whose proxy told of it. */
  readonly pod: string;
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Whether it came to the pod or from it. */
  readonly direction: "inbound" | "outbound";
  /** HTTP method. */
  readonly method: string;
  /** Host that is called. */
  readonly authority: string;
  /** Path with its query. */
  readonly path: string;
  /** Status of the answer; absent where nothing was answered. */
  readonly status?: number;
  /** Status of gRPC. */
  readonly grpcStatus?: number;
  /** Milliseconds from the request's headers to those of the answer. */
  readonly durationMs?: number;
  /** SPIFFE identity of the client. */
  readonly client?: string;
  /** x-request-id. */
  readonly requestId?: string;
  /** Who sent it, as address:port. */
  readonly source: string;
  /** With --headers; without values that give access. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  /** With --headers; without values that give access. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

/** A line of `meshctl top -o json`: who called whom within one interval. */
export interface TopOutputSpec {
  /** When it was asked, ISO 8601. */
  readonly at: string;
  /** Length of the interval. */
  readonly seconds: number;
  /** Edges, busiest first. */
  readonly edges: readonly ({
    /** Who called. */
    readonly from: {
      /** Name; `unknown` outside of the mesh. */
      readonly workload: string;
      /** Its namespace. */
      readonly namespace: string;
    };
    /** Who was called. */
    readonly to: {
      /** Name; `unknown` outside of the mesh. */
      readonly workload: string;
      /** Its namespace. */
      readonly namespace: string;
    };
    /** Host that was called. */
    readonly service: string;
    /** http, grpc or tcp. */
    readonly protocol: string;
    /** How it was secured; unknown where only the client's proxy told of it. */
    readonly security: "mutual_tls" | "none" | "unknown";
    /** SPIFFE identity of the caller. */
    readonly client?: string;
    /** SPIFFE identity of the called. */
    readonly server?: string;
    /** Requests; 0 for TCP. */
    readonly requests: number;
    /** Requests per second; absent without a window. */
    readonly rps?: number;
    /** Share of requests that did not fail; absent without requests. */
    readonly success?: number;
    /** Median latency in milliseconds. */
    readonly p50?: number;
    /** 95th percentile of latency in milliseconds. */
    readonly p95?: number;
    /** 99th percentile of latency in milliseconds. */
    readonly p99?: number;
    /** How often each response code came; `grpc 14` for a status of gRPC. */
    readonly codes: Readonly<Record<string, number>>;
    /** Of TCP. */
    readonly tcp?: {
      /** Connections that were opened. */
      readonly opened: number;
      /** Bytes to the client. */
      readonly sentBytes: number;
      /** Bytes from the client. */
      readonly receivedBytes: number;
    };
  })[];
}

/** How it ends. */
export interface TraceRouteOutputEnding {
  /** At an application, answered by a proxy, outside of the mesh, or nowhere. */
  readonly kind: "delivered" | "answered" | "left" | "failed";
  /** The same for people. */
  readonly text: string;
  /** Of one that failed: what is not there. */
  readonly missing?: "listener" | "chain" | "route" | "cluster" | "endpoint" | "port" | "leave" | "server chain" | "permission";
}

/** One decision. */
export interface TraceRouteOutputStep {
  /** What is decided. */
  readonly step: "listener" | "chain" | "virtual host" | "route" | "cluster" | "endpoints" | "tls" | "authorization" | "application";
  /** Proxy that decides, as name.namespace. */
  readonly proxy: string;
  /** Of a mesh of several clusters: where the proxy stands. */
  readonly cluster?: string;
  /** What was chosen; empty: nothing fits. */
  readonly chosen: string;
  /** What else is to be said of it. */
  readonly note?: string;
  /** Which object made a resource. */
  readonly source?: OutputSource;
  /** Candidates that lost. */
  readonly rejected?: readonly {
    /** Its name; empty when it has none. */
    readonly name: string;
    /** Why it lost. */
    readonly miss: {
      /** The first condition that did not hold. */
      readonly condition: string;
      /** What it asked for. */
      readonly wanted: string;
      /** What there was; absent: nothing. */
      readonly got?: string;
    };
  }[];
}

/** `meshctl trace-route -o json`: the way of one request through a mesh. */
export interface TraceRouteOutputSpec {
  /** Who asks, as name.namespace. */
  readonly from: string;
  /** HTTP method; TCP for a connection of other bytes. */
  readonly method: string;
  /** What is asked for. */
  readonly url: string;
  /** Decisions up to where the request may part. */
  readonly steps: readonly TraceRouteOutputStep[];
  /** Where it may go, with shares; empty when a proxy answers itself. */
  readonly branches: readonly {
    /** Part of the requests. */
    readonly share: number;
    /** Cluster that they go to. */
    readonly cluster: string;
    /** Decisions from there on. */
    readonly steps: readonly TraceRouteOutputStep[];
    /** How it ends. */
    readonly ends: TraceRouteOutputEnding;
  }[];
  /** How it ends. */
  readonly ends: TraceRouteOutputEnding;
  /** The same request as it was really sent (--live). */
  readonly live?: {
    /** By which it is found in logs. */
    readonly requestId: string;
    /** Status of the answer. */
    readonly status?: number;
    /** Of a connection of bytes: how many came back. */
    readonly bytes?: number;
    /** Of a connection of bytes: the other side ended it. */
    readonly closed?: boolean;
    /** Why no answer came. */
    readonly error?: string;
    /** Lines of access logs that tell of it. */
    readonly lines: readonly {
      /** Whose log, as name.namespace. */
      readonly proxy: string;
      /** Where it stands, if not in the client's cluster. */
      readonly cluster?: string;
      /** The line. */
      readonly text: string;
    }[];
    /** It went the way of the walk. */
    readonly agrees: boolean;
    /** Where it did not. */
    readonly differences: readonly string[];
  };
}

/** `meshctl trace -o json`: one trace with its spans, or a list of traces. */
export interface TraceOutputSpec {
  /** Id of the trace. */
  readonly traceId?: string;
  /** ISO time of its first span. */
  readonly start?: string;
  /** Milliseconds from the first to the last. */
  readonly durationMs?: number;
  /** Who has spans in it, sorted. */
  readonly services?: readonly string[];
  /** Its spans. */
  readonly spans?: readonly ({
    /** Id of the span. */
    readonly id: string;
    /** Id of the span that it belongs to; absent for the first. */
    readonly parent?: string;
    /** Who made it, as name.namespace. */
    readonly service: string;
    /** Which side of a call it is. */
    readonly kind: "client" | "server" | "other";
    /** What was called. */
    readonly operation: string;
    /** Milliseconds after the trace began. */
    readonly startMs: number;
    /** Milliseconds that it took. */
    readonly durationMs: number;
    /** HTTP status. */
    readonly status?: number;
    /** HTTP method. */
    readonly method?: string;
    /** What was asked for. */
    readonly url?: string;
    /** Short response flags of Envoy. */
    readonly flags: readonly string[];
    /** It is marked as failed. */
    readonly error: boolean;
    /** x-request-id. */
    readonly requestId?: string;
    /** Steps from the first span. */
    readonly depth: number;
    /** It names a parent that the trace does not have. */
    readonly orphan: boolean;
  })[];
  /** Traces, newest first, when more than one was asked for. */
  readonly traces?: readonly {
    /** Id of the trace. */
    readonly traceId: string;
    /** ISO time of its first span. */
    readonly start: string;
    /** Milliseconds from the first to the last. */
    readonly durationMs: number;
    /** Who has spans in it, sorted. */
    readonly services: readonly string[];
    /** How many spans. */
    readonly spans: number;
    /** How many of them are marked as failed. */
    readonly errors: number;
  }[];
}

/** `meshctl translate -o json`: what proxies of a mesh in files are to run, sorted by namespace and name. */
export type TranslateOutputSpec = readonly ({
  /** Pod, as name.namespace. */
  readonly proxy: string;
  /** What it is: beside a workload, or a gateway. */
  readonly type: "sidecar" | "router";
  /** Where it can send to, in the order of a push. */
  readonly clusters: readonly Readonly<Record<string, unknown>>[];
  /** Addresses of the clusters that the control plane serves. */
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
  /** xds: what it accepts. */
  readonly listeners?: readonly OutputEnvoyMessage[];
  /** xds: tables of routes. */
  readonly routes?: readonly OutputEnvoyMessage[];
  /** Settings of WasmPlugins and TrafficExtensions. */
  readonly extensions?: readonly Readonly<Record<string, unknown>>[];
  /** Certificates of a gateway, keys left out. */
  readonly secrets?: readonly Readonly<Record<string, unknown>>[];
  /** ir: what leaves the workload. */
  readonly outboundListeners?: readonly Readonly<Record<string, unknown>>[];
  /** ir: what the workload receives. */
  readonly inbound?: Readonly<Record<string, unknown>>;
  /** ir: what a gateway receives. */
  readonly gatewayListeners?: readonly Readonly<Record<string, unknown>>[];
  /** ir: tables of routes. */
  readonly routeTables?: readonly Readonly<Record<string, unknown>>[];
  /** ir: what the agent answers DNS queries from. */
  readonly names?: readonly Readonly<Record<string, unknown>>[];
})[];

/** One workload. */
export interface UninjectReportWorkload {
  /** Where it was read. */
  readonly file: string;
  /** Its kind. */
  readonly kind: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Whether it has a sidecar now. */
  readonly injected: boolean;
  /** Whether its text is another now. */
  readonly changed: boolean;
  /** Why. */
  readonly reason: string;
  /** What is odd about it. */
  readonly warnings: readonly string[];
}

/** `meshctl uninject --report json`: what was done to which workload. */
export interface UninjectReportSpec {
  /** Every workload, in order. */
  readonly workloads: readonly UninjectReportWorkload[];
  /** Documents without workloads: as they were. */
  readonly otherDocuments: number;
  /** FILE:LINE of documents that were written anew, without comments. */
  readonly rewritten: readonly string[];
}

/** `meshctl validate -o json`: findings, as those of analyze. */
export type ValidateOutputSpec = readonly OutputFinding[];

/** A version. */
export interface VersionOutputVersion {
  /** The version. */
  readonly version: string;
}

/** A part of the control plane. */
export interface VersionOutputComponent {
  /** Name of the part. */
  readonly Component: string;
  /** Its revision. */
  readonly Revision: string;
  /** Its version. */
  readonly Info: VersionOutputVersion;
}

/** A connected proxy. */
export interface VersionOutputProxy {
  /** Pod and namespace, as pod.namespace. */
  readonly ID: string;
  /** Version that it says it has. */
  readonly IstioVersion: string;
  /** sidecar or router. */
  readonly Type?: string;
}

/** `meshctl version -o json`. */
export interface VersionOutputSpec {
  /** This program. */
  readonly clientVersion: VersionOutputVersion;
  /** Control plane, one entry per running pod; absent when no cluster was asked. */
  readonly meshVersion?: readonly VersionOutputComponent[];
  /** Connected proxies, one entry each; absent when no control plane could be asked. */
  readonly dataPlaneVersion?: readonly VersionOutputProxy[];
}

/** `meshctl wait -o json`: how far an object has got. */
export interface WaitOutputSpec {
  /** Kind namespace/name. */
  readonly resource: string;
  /** Generation that is waited for; absent: it is to be gone. */
  readonly generation?: number;
  /** Proxies that run what it makes for them. */
  readonly live: number;
  /** All proxies. */
  readonly proxies: number;
  /** The first of those that do not. */
  readonly behind: readonly {
    /** name.namespace, or all of one pod of the control plane. */
    readonly proxy: string;
    /** Pod of the control plane that serves it. */
    readonly istiod: string;
    /** What it has not confirmed, or refused. */
    readonly reason: string;
  }[];
}

/** `meshctl why -o json`: failures, each with what caused it. */
export type WhyOutputSpec = readonly ({
  /** The proxy that tells of it, as name.namespace. */
  readonly proxy: string;
  /** What the proxy tells. */
  readonly failure: {
    /** A line of its access log, a request that nobody sent, or a number that grew. */
    readonly from: "line" | "walk" | "counter";
    /** The line, or what stands for it. */
    readonly text: string;
    /** When, as the log has it. */
    readonly time?: string;
    /** HTTP status; 0: no answer was begun. */
    readonly status?: number;
    /** Envoy's response flags. */
    readonly flags: readonly string[];
    /** Envoy's response code details. */
    readonly details?: string;
    /** HTTP method. */
    readonly method?: string;
    /** Host that the request names. */
    readonly host?: string;
    /** Path with its query. */
    readonly path?: string;
    /** Upstream cluster. */
    readonly cluster?: string;
    /** Address that the request went to. */
    readonly upstream?: string;
    /** Its x-request-id. */
    readonly requestId?: string;
  };
  /** The likeliest first; empty when nothing speaks for one. */
  readonly causes: readonly ({
    /** Which sort of cause. */
    readonly code: string;
    /** How much speaks for it: nothing else would look like this, it fits, or it may be. */
    readonly certainty: "certain" | "likely" | "possible";
    /** What is at fault: Kind namespace/name. */
    readonly object: string;
    /** Its field. */
    readonly field?: string;
    /** File that it stands in. */
    readonly file?: string;
    /** Line of the field. */
    readonly line?: number;
    /** What is wrong. */
    readonly says: string;
    /** What speaks for it. */
    readonly evidence: readonly {
      /** Who says it. */
      readonly from: string;
      /** What. */
      readonly says: string;
    }[];
    /** What to do. */
    readonly fix: string;
    /** The proxy at which it is seen, as name.namespace. */
    readonly proxy: string;
  })[];
})[];

/** What the control plane answers to `/debug/about`: itself. */
export interface AboutAnswerSpec {
  /** Version. */
  readonly version: string;
  /** Its pod. */
  readonly instance: string;
  /** Its revision. */
  readonly revision: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Id of its cluster. */
  readonly cluster: string;
  /** Version of Node.js. */
  readonly node: string;
  /** When it started, ISO 8601. */
  readonly startedAt: string;
  /** Resident memory. */
  readonly memoryBytes: number;
  /** Ports that it listens on, by what they are for. */
  readonly ports: Readonly<Record<string, number>>;
}

/** What the control plane answers to `/debug/authority`: who signs, and who is trusted. */
export interface AuthorityAnswerSpec {
  /** Trust domain. */
  readonly trustDomain: string;
  /** Whether it signs workloads. */
  readonly signs: boolean;
  /** Its certificates. */
  readonly certificates: readonly {
    /** root: is trusted; intermediate; signing: signs workloads; several with commas. */
    readonly role: string;
    /** Subject. */
    readonly subject: string;
    /** Serial number, hexadecimal. */
    readonly serial: string;
    /** SHA-256, hexadecimal. */
    readonly fingerprint: string;
    /** ISO 8601. */
    readonly notBefore: string;
    /** ISO 8601. */
    readonly notAfter: string;
  }[];
}

/** What `meshctl dashboard mesh` answers its page to `lost`: running pods with a proxy that no instance of the control plane knows. */
export type LostAnswerSpec = readonly {
  /** Its name. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
}[];

/** What `meshctl dashboard mesh` answers its page to `observed`: who calls whom since it was asked last. */
export interface ObservedAnswerSpec {
  /** Whether it was seen or may be. */
  readonly source: "observed" | "configured";
  /** Nodes by id. */
  readonly nodes: readonly ({
    /** `namespace/name`, or the host of a service whose workload nobody knows. */
    readonly id: string;
    /** What it is. */
    readonly kind: "workload" | "service";
    /** Name. */
    readonly name: string;
    /** Namespace. */
    readonly namespace?: string;
  })[];
  /** Edges. */
  readonly edges: readonly ({
    /** Id of the caller's node. */
    readonly from: string;
    /** Id of the called's node. */
    readonly to: string;
    /** Host that is called. */
    readonly service: string;
    /** http, grpc or tcp. */
    readonly protocol?: string;
    /** How it was secured. */
    readonly security?: "mutual_tls" | "none" | "unknown";
    /** Requests that were counted. */
    readonly requests?: number;
    /** Requests per second. */
    readonly rps?: number;
    /** Share that did not fail. */
    readonly success?: number;
    /** 99th percentile of latency in milliseconds. */
    readonly p99?: number;
    /** By configuration: policies allow only a part of it. */
    readonly limited?: boolean;
  })[];
  /** Length of the interval; absent the first time. */
  readonly seconds?: number;
}

/** Mode of mutual TLS. */
export interface PeerAuthenticationMutualTls {
  /** STRICT: only mutual TLS. PERMISSIVE: mutual TLS or plaintext. DISABLE: no mutual TLS. UNSET: as the next wider policy says. Default UNSET. */
  readonly mode?: "UNSET" | "DISABLE" | "PERMISSIVE" | "STRICT";
}

/** Whether workloads take plaintext, mutual TLS or both. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads. */
export interface PeerAuthenticationSpec {
  /** Workloads of this namespace that the policy holds for. Default: all of the namespace; in the root namespace all of the mesh. */
  readonly selector?: LabelSelector;
  /** Mode for all ports. Default: that of the namespace, then of the mesh, then PERMISSIVE. */
  readonly mtls?: PeerAuthenticationMutualTls;
  /** Mode by port of the workload (the container's port, not the service's), in place of mtls. Only with a selector. Default: mtls for every port. */
  readonly portLevelMtls?: Readonly<Record<string, PeerAuthenticationMutualTls>>;
}

/** The file .meshctl.yaml of a project: how `meshctl analyze` checks the files below its folder. Flags on the command line come before it. */
export interface ProjectFileSpec {
  /** Files and folders to check when the command line names none, from the project file's folder on. */
  readonly paths?: readonly string[];
  /** Files that are left out, as patterns from the project file's folder on: * stands for any text, ? for one character. Default: none. */
  readonly exclude?: readonly string[];
  /** Namespace of objects that name none. Default: default. */
  readonly namespace?: string;
  /** Checks that run besides the default ones. Default: none. */
  readonly profiles?: readonly ("default" | "security")[];
  /** Findings of this level and above make the exit code 1. Default: Error. */
  readonly failureThreshold?: "Info" | "Warning" | "Error";
  /** Findings below this level are not printed. Default: Info. */
  readonly outputThreshold?: "Info" | "Warning" | "Error";
  /** A check that had to be skipped makes the exit code 1. Default: false. */
  readonly strict?: boolean;
  /** The files are the whole mesh: what they name and do not hold does not exist. Default: false, names that may stand elsewhere are not judged. */
  readonly complete?: boolean;
  /** Reports to make, each FORMAT or FORMAT=FILE. Default: text on standard output. */
  readonly output?: readonly string[];
  /** File of findings that are known and do not count. Written by `meshctl analyze --write-baseline`. Default: none. */
  readonly baseline?: string;
  /** File with the mesh configuration, in place of the one in the files or the cluster. Default: none. */
  readonly meshConfigFile?: string;
  /** DNS suffix of the cluster's services. Default: what the control plane was told, else cluster.local. */
  readonly clusterDomain?: string;
  /** Findings that nobody wants to hear of. */
  readonly suppressions?: readonly {
    /** The code of the findings. */
    readonly code: string;
    /** Only of these objects: `Kind namespace/name`, with * for any text. Default: of all. */
    readonly object?: string;
    /** Only in these files, as a pattern from the project file's folder on. Default: in all. */
    readonly path?: string;
    /** Why they are left as they are. */
    readonly reason: string;
    /** Last day on which this counts; afterwards the findings are told again. Default: for ever. */
    readonly until?: string;
  }[];
}

/** Choice of a proxy image. */
export interface ProxyConfigProxyImage {
  /** Variant of the image, as a suffix of its tag: `default`, `debug` or `distroless`. Default: what the installation says. */
  readonly imageType?: string;
}

/** Settings of the proxies of a mesh, a namespace or selected workloads that are fixed when a proxy starts. A change takes effect when the pods are made anew. */
export interface ProxyConfigSpec {
  /** Workloads of this namespace that the settings hold for. Default: all of the namespace; in the root namespace all of the mesh. */
  readonly selector?: LabelSelector;
  /** Worker threads of the proxy. 0: one per CPU of the machine. Default: what the mesh configuration says, else from the CPU limit of the container. */
  readonly concurrency?: number | null;
  /** Environment variables of the proxy container by name; those of the mesh configuration and of wider ProxyConfigs stay unless named here. Default: none. */
  readonly environmentVariables?: Readonly<Record<string, string>>;
  /** Which proxy image is injected. Default: that of the installation. */
  readonly image?: ProxyConfigProxyImage;
}

/** One limit: which requests it counts, what they are counted by, and how many may pass: in each proxy (local) or in the whole mesh (global). */
export interface RateLimitPolicyLimit {
  /** Tells limits of the policy apart, in metrics of the rate limit service and in its counts. */
  readonly name: string;
  /** Requests that it counts. Default: all. */
  readonly match?: RateLimitPolicyMatch;
  /** Requests are counted apart by the values of these. Requests without a value are counted together. Default: all are counted together. */
  readonly keys?: readonly RateLimitPolicyKey[];
  /** Each proxy counts for itself, each of its ports apart. Without match and keys it counts connections too, where bytes are passed on. Needed where global is not given. */
  readonly local?: RateLimitPolicyTokenBucket;
  /** The rate limit service counts for all proxies together. Without match, and without keys or by REMOTE_ADDRESS alone, it counts connections too, where bytes are passed on. Needed where local is not given. */
  readonly global?: RateLimitPolicyQuota;
}

/** Requests for which everything that is given here holds. Of a list one value has to hold: whole, or with `*` as its first or last character the rest as end or beginning, or `*` alone for any value. */
export interface RateLimitPolicyMatch {
  /** Host of the request, without port and in any case. Default: any. */
  readonly hosts?: RateLimitPolicyValues;
  /** HTTP methods. Default: any. */
  readonly methods?: RateLimitPolicyValues;
  /** Paths, without query. Default: any. */
  readonly paths?: RateLimitPolicyValues;
  /** Names of routes: http[].name of a VirtualService, the name of a rule of an HTTPRoute or GRPCRoute; NAMESPACE.ROUTE.INDEX for rules without one. Gateways route requests; the sidecars before servers do not. Default: any. */
  readonly routes?: RateLimitPolicyValues;
  /** Values of headers, by name. Default: any. */
  readonly headers?: Readonly<Record<string, RateLimitPolicyValues>>;
  /** Identities of callers by mutual TLS, without spiffe://, as in AuthorizationPolicy. Default: any. */
  readonly principals?: RateLimitPolicyValues;
  /** Values of claims, by name, of the token that a RequestAuthentication accepted. Only claims that are texts. Default: any. */
  readonly claims?: Readonly<Record<string, RateLimitPolicyValues>>;
}

/** Values of which one has to hold. */
export type RateLimitPolicyValues = readonly string[];

/** What requests are counted by. */
export interface RateLimitPolicyKey {
  /** The value of this header; requests without it have a value of their own. Needed unless claim or source is given. */
  readonly header?: string;
  /** The value of this claim, a text, of the token that a RequestAuthentication accepted. Needed unless header or source is given. */
  readonly claim?: string;
  /** PRINCIPAL: who calls, by mutual TLS. REMOTE_ADDRESS: the client's address, as x-forwarded-for gives it where the gateway trusts that. Needed unless header or claim is given. */
  readonly source?: "PRINCIPAL" | "REMOTE_ADDRESS";
}

/** A bucket of tokens; each request takes one. */
export interface RateLimitPolicyTokenBucket {
  /** How many tokens the bucket holds, and begins with: the largest burst. */
  readonly maxTokens: number;
  /** How many tokens come in each interval. Default: maxTokens. */
  readonly tokensPerFill?: number;
  /** In which time that many tokens come, spread over it. At least 50ms. */
  readonly fillInterval: PositiveDuration;
  /** With keys: how many values have a bucket of their own; of more, the one that was longest unused is forgotten. Default 10000. */
  readonly maxDynamicDescriptors?: number;
}

/** How many requests pass in each unit of time. Units begin together, by UTC: a day at midnight, a month on its first. */
export interface RateLimitPolicyQuota {
  /** Number of requests. */
  readonly requestsPerUnit: number;
  /** In which time. */
  readonly unit: "SECOND" | "MINUTE" | "HOUR" | "DAY" | "MONTH" | "YEAR";
}

/** How many requests workloads take. A request over a limit is answered with 429. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads. A kind of meshctl's own: Istio has none. */
export interface RateLimitPolicySpec {
  /** Workloads of this namespace whose requests are counted. Default: all of the namespace; in the root namespace all of the mesh. Excludes targetRefs. */
  readonly selector?: LabelSelector;
  /** Gateways of Gateway API, and Services by the pods behind them (of this namespace), whose requests are counted, instead of selector. Default: as selector says. */
  readonly targetRefs?: TargetRefs;
  /** Limits, each counted for itself. A request passes when every limit that it falls under has room for it. */
  readonly limits: readonly RateLimitPolicyLimit[];
  /** Status of the answer to a request over a limit. Default 429. */
  readonly status?: number;
  /** Percent of the requests over a limit that are refused; 0 only counts them, as a dry run. Default 100. */
  readonly enforcedPercent?: number;
  /** DRAFT_VERSION_03: answers carry x-ratelimit-limit, x-ratelimit-remaining and x-ratelimit-reset, those of the limit that is nearest to its end. Default DRAFT_VERSION_03. */
  readonly xRatelimitHeaders?: "OFF" | "DRAFT_VERSION_03";
  /** Requests under a global limit are refused with 500 while the rate limit service does not answer. Default: they pass. */
  readonly failureModeDeny?: boolean;
  /** How long a request waits for the rate limit service. Default 100ms. */
  readonly timeout?: PositiveDuration;
}

/** One issuer, its keys, and where its tokens are found. */
export interface RequestAuthenticationJwtRule {
  /** Issuer (claim iss) that the tokens have to name. Needed. */
  readonly issuer?: string;
  /** Audiences (claim aud) of which a token has to carry one. Default: any. */
  readonly audiences?: readonly string[];
  /** Address of the issuer's keys, fetched by the control plane. Default: found by OpenID discovery below the issuer. Excludes jwks. */
  readonly jwksUri?: string;
  /** Deprecated: use jwksUri. Old spelling of jwksUri. Default: none. @deprecated */
  readonly jwks_uri?: string;
  /** The keys themselves (a JSON Web Key Set). Excludes jwksUri. Default: fetched from jwksUri. */
  readonly jwks?: string;
  /** Headers that tokens are taken from. Default: Authorization with prefix `Bearer `; not looked at when another place is named. */
  readonly fromHeaders?: readonly RequestAuthenticationTokenHeader[];
  /** Query parameters that tokens are taken from. Default: access_token; not looked at when another place is named. */
  readonly fromParams?: readonly string[];
  /** Cookies that tokens are taken from. Default: none. */
  readonly fromCookies?: readonly string[];
  /** Header that gets the verified payload, in base64url; the same header of the client is removed. Default: none. */
  readonly outputPayloadToHeader?: string;
  /** Headers that get single claims of the verified token (text, numbers, booleans). Default: none. */
  readonly outputClaimToHeaders?: readonly RequestAuthenticationClaimHeader[];
  /** Leave the token in the request for the workload. Default false. */
  readonly forwardOriginalToken?: boolean;
  /** How long fetching the keys may take. Default 5s. */
  readonly timeout?: PositiveDuration;
  /** Claims that are lists written as one string with spaces, besides scope and permission; conditions compare with each part. Default: none. */
  readonly spaceDelimitedClaims?: readonly string[];
}

/** A header that carries a token. */
export interface RequestAuthenticationTokenHeader {
  /** Name of the header. */
  readonly name: string;
  /** What stands before the token, e.g. `Bearer `. Default: nothing. */
  readonly prefix?: string;
}

/** A claim that is copied to a header. */
export interface RequestAuthenticationClaimHeader {
  /** Name of the header: letters, digits, dash and underscore. */
  readonly header: string;
  /** Name of the claim, dots for nested ones. */
  readonly claim: string;
}

/** Which JSON Web Tokens workloads accept. A request with an invalid token is refused with 401; one without token passes, unless an AuthorizationPolicy asks for one. */
export interface RequestAuthenticationSpec {
  /** Workloads of this namespace that it holds for. Default: all of the namespace; in the root namespace all of the mesh. Excludes targetRefs. */
  readonly selector?: LabelSelector;
  /** Deprecated: use targetRefs. One object that it is attached to. Default: none. @deprecated */
  readonly targetRef?: TargetRef;
  /** Gateways and Services (of this namespace) that it is attached to, instead of selector. Default: as selector says. */
  readonly targetRefs?: TargetRefs;
  /** Issuers whose tokens are accepted. Default: none, so that tokens are not looked at. */
  readonly jwtRules?: readonly RequestAuthenticationJwtRule[];
}

/** A port of the service. */
export interface ServiceEntryPort {
  /** Port that clients dial. */
  readonly number: PortNumber;
  /** Name of the port, unique in the object. */
  readonly name: string;
  /** HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS. Default: found out by looking at the traffic. */
  readonly protocol?: string;
  /** Port on the endpoints. Default: number. */
  readonly targetPort?: PortNumber;
}

/** Adds a service to what the mesh knows: something outside it, or workloads inside that Kubernetes does not know. */
export interface ServiceEntrySpec {
  /** DNS names of the service, `*.suffix` allowed. HTTP is matched by Host header, TLS by server name, other TCP by address. */
  readonly hosts: readonly string[];
  /** Virtual addresses (IP or CIDR) that clients dial. TCP services without one share their port. Default: none, or one given by the control plane. */
  readonly addresses?: readonly string[];
  /** Ports of the service, names and numbers unique. Default: none, so that nothing can be called. */
  readonly ports?: readonly ServiceEntryPort[];
  /** MESH_EXTERNAL: outside, no mutual TLS of the mesh. MESH_INTERNAL: part of the mesh. Default MESH_EXTERNAL. */
  readonly location?: "MESH_EXTERNAL" | "MESH_INTERNAL";
  /** NONE: the address that the client dialled. STATIC: the endpoints given here. DNS: all addresses of the endpoints' (or host's) names. DNS_ROUND_ROBIN: the first address at each new connection. DYNAMIC_DNS: the requested name, for wildcard hosts. Default NONE. */
  readonly resolution?: "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "DYNAMIC_DNS";
  /** Addresses behind the service. Excludes workloadSelector. Default: the hosts themselves (DNS), or what the client dialled (NONE). */
  readonly endpoints?: readonly WorkloadEntrySpec[];
  /** Selects pods and WorkloadEntries of this namespace as endpoints; with resolution STATIC (or DNS). Excludes endpoints. Default: no workload is selected. */
  readonly workloadSelector?: WorkloadSelector;
  /** Namespaces that see this object: a name, `.` for its own, `*` for all, `~` for none. Default: all, unless the mesh configuration says otherwise. */
  readonly exportTo?: ExportTo;
  /** Names of which the server's certificate must carry one, where the proxy starts TLS. Default: any identity that the DestinationRule allows. */
  readonly subjectAltNames?: readonly string[];
}

/** A port that the sidecar opens. */
export interface SidecarPort {
  /** Number of the port, from 1 to 65535. Needed, except for unix:// binds. */
  readonly number?: PortNumber;
  /** HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS. Default: found out by looking at the traffic. */
  readonly protocol?: string;
  /** Name of the port. Needed by ingress; for statistics in egress. */
  readonly name?: string;
  /** Deprecated: not used. Default: none. @deprecated */
  readonly targetPort?: PortNumber;
}

/** A port for traffic to the workload. */
export interface SidecarIngress {
  /** Port that is opened. */
  readonly port: SidecarPort;
  /** Address to listen on. Default: the pod's. */
  readonly bind?: string;
  /** How traffic gets to the port. Default DEFAULT. */
  readonly captureMode?: SidecarCaptureMode;
  /** Where the traffic goes: 127.0.0.1:PORT, [::1]:PORT, 0.0.0.0:PORT or [::]:PORT (the pod's address) or unix:///path. Default: the port that was dialled, on the pod's address. */
  readonly defaultEndpoint?: string;
  /** TLS of the port (SIMPLE or MUTUAL by file); only where mutual TLS of the mesh is off for it. Default: mutual TLS of the mesh. */
  readonly tls?: ServerTls;
  /** Limits on connections to the application on this port. Default: inboundConnectionPool. */
  readonly connectionPool?: ConnectionPool;
}

/** Hosts that the workload sees, on one port or on all. */
export interface SidecarEgress {
  /** Port that is opened. Default: the ports of the hosts. */
  readonly port?: SidecarPort;
  /** Address or unix:// path to listen on. Default: the hosts' addresses. */
  readonly bind?: string;
  /** How traffic gets to the port. Default DEFAULT. */
  readonly captureMode?: SidecarCaptureMode;
  /** Hosts as namespace/name: namespace may be `*`, `.` (this one) or `~` (none), name may be `*` or `*.suffix`. */
  readonly hosts: readonly string[];
}

/** DEFAULT: as the environment has it. IPTABLES: redirected. NONE: dialled by the application itself. */
export type SidecarCaptureMode = "DEFAULT" | "IPTABLES" | "NONE";

/** What happens to traffic that no known service takes. */
export interface SidecarOutboundTrafficPolicy {
  /** REGISTRY_ONLY: refused. ALLOW_ANY: let through as it is. Default: REGISTRY_ONLY when this object is set. */
  readonly mode?: "REGISTRY_ONLY" | "ALLOW_ANY";
  /** Deprecated: use a DestinationRule with a tunnel. Service that unknown traffic is sent to. Default: none. @deprecated */
  readonly egressProxy?: Destination;
}

/** What the sidecars of a namespace see of the mesh, and the ports they open. Makes their configuration smaller. */
export interface SidecarSpec {
  /** Workloads of this namespace that it holds for. Default: all of the namespace; in the root namespace it is the default of every namespace without one. */
  readonly workloadSelector?: WorkloadSelector;
  /** Ports for traffic to the workload. Default: those of its services. */
  readonly ingress?: readonly SidecarIngress[];
  /** Ports and hosts for traffic from the workload. Default: everything the namespace sees. */
  readonly egress?: readonly SidecarEgress[];
  /** What happens to traffic that no known service takes. Default: as the mesh configuration says. */
  readonly outboundTrafficPolicy?: SidecarOutboundTrafficPolicy;
  /** Limits on connections from the proxy to the application. Default: those of a DestinationRule for the service, else none. */
  readonly inboundConnectionPool?: ConnectionPool;
}

/** CLIENT: at the side that calls, gateways too. SERVER: at the side that is called. Default CLIENT_AND_SERVER. */
export type TelemetryMode = "CLIENT_AND_SERVER" | "CLIENT" | "SERVER";

/** The side of a call. */
export interface TelemetryModeMatch {
  /** CLIENT: at the side that calls, gateways too. SERVER: at the side that is called. Default CLIENT_AND_SERVER. */
  readonly mode?: TelemetryMode;
}

/** Settings of traces. */
export interface TelemetryTracing {
  /** Which side of a call it holds for. Default: both. */
  readonly match?: TelemetryModeMatch;
  /** Where spans go; one provider is used. Default: that of the wider Telemetry or mesh configuration. */
  readonly providers?: readonly ProviderRef[];
  /** Share of new traces that are sampled, in percent. Default 1. */
  readonly randomSamplingPercentage?: number | null;
  /** Keep trace headers going, but report no spans. Default false. */
  readonly disableSpanReporting?: boolean | null;
  /** Further tags of spans, by name; tags of a wider Telemetry are left out when any are named here. Default: those of the wider Telemetry. */
  readonly customTags?: Readonly<Record<string, TelemetryCustomTag>>;
  /** Let the request id carry the sampling decision. Default true. */
  readonly useRequestIdForTraceSampling?: boolean | null;
  /** Add the mesh's own tags (istio.*) to spans. Default true. */
  readonly enableIstioTags?: boolean | null;
  /** Do not send trace headers on. Default false. */
  readonly disableContextPropagation?: boolean | null;
}

/** Value of a tag: one of literal, environment, header and formatter. */
export interface TelemetryCustomTag {
  /** A fixed value. Default: another source is used. */
  readonly literal?: TelemetryTagValue;
  /** From an environment variable of the proxy. Default: another source is used. */
  readonly environment?: TelemetryTagSource;
  /** From a request header. Default: another source is used. */
  readonly header?: TelemetryTagSource;
  /** From an access log format, e.g. %RESPONSE_CODE%. Default: another source is used. */
  readonly formatter?: TelemetryTagValue;
}

/** A value. */
export interface TelemetryTagValue {
  /** The value, or the format that makes it. */
  readonly value: string;
}

/** Where a value comes from. */
export interface TelemetryTagSource {
  /** Name of the variable or header. */
  readonly name: string;
  /** Value when it is not there. Default: the tag is left out. */
  readonly defaultValue?: string;
}

/** Settings of metrics. */
export interface TelemetryMetrics {
  /** Who produces the metrics, e.g. prometheus. Default: those of the wider Telemetry or mesh configuration. */
  readonly providers?: readonly ProviderRef[];
  /** Changes to metrics, in order; later ones win. Default: none. */
  readonly overrides?: readonly TelemetryMetricOverride[];
  /** How often open TCP connections report, at least 1ms. Default 5s. */
  readonly reportingInterval?: PositiveDuration;
}

/** A change to metrics. */
export interface TelemetryMetricOverride {
  /** Which metrics, on which side of a call. Default: all, on both. */
  readonly match?: TelemetryMetricMatch;
  /** Do not produce them. Default false. */
  readonly disabled?: boolean | null;
  /** Changes to labels, by label name. Default: none. */
  readonly tagOverrides?: Readonly<Record<string, TelemetryTagOverride>>;
}

/** Which metrics: metric or customMetric, and the side of the call. */
export interface TelemetryMetricMatch {
  /** One of the standard metrics, or ALL_METRICS. Excludes customMetric. Default: all. */
  readonly metric?: "ALL_METRICS" | "REQUEST_COUNT" | "REQUEST_DURATION" | "REQUEST_SIZE" | "RESPONSE_SIZE" | "TCP_OPENED_CONNECTIONS" | "TCP_CLOSED_CONNECTIONS" | "TCP_SENT_BYTES" | "TCP_RECEIVED_BYTES" | "GRPC_REQUEST_MESSAGES" | "GRPC_RESPONSE_MESSAGES";
  /** A metric by its own name. Excludes metric. Default: as metric says. */
  readonly customMetric?: string;
  /** CLIENT: at the side that calls, gateways too. SERVER: at the side that is called. Default CLIENT_AND_SERVER. */
  readonly mode?: TelemetryMode;
}

/** A change to a label. */
export interface TelemetryTagOverride {
  /** UPSERT: set the label to value. REMOVE: leave the label out. Default UPSERT. */
  readonly operation?: "UPSERT" | "REMOVE";
  /** Expression (CEL) that gives the value. Needed with UPSERT, refused with REMOVE. */
  readonly value?: string;
}

/** Settings of access logs. */
export interface TelemetryAccessLogging {
  /** Which side of a call it holds for. Default: both. */
  readonly match?: TelemetryModeMatch;
  /** Where logs go, e.g. `envoy` for the proxy's standard output. Default: those of the wider Telemetry or mesh configuration. */
  readonly providers?: readonly ProviderRef[];
  /** Write no log. Default false. */
  readonly disabled?: boolean | null;
  /** Which requests are logged. Default: all. */
  readonly filter?: TelemetryLogFilter;
}

/** A condition on requests. */
export interface TelemetryLogFilter {
  /** Expression (CEL) that is true for requests to log, e.g. `response.code >= 400`. Default: all are logged. */
  readonly expression?: string;
}

/** Which metrics, access logs and traces proxies produce. In the root namespace without selector it holds for the mesh, else for its namespace or the selected workloads. */
export interface TelemetrySpec {
  /** Workloads of this namespace that it holds for. Default: all of the namespace; in the root namespace all of the mesh. Excludes targetRefs. */
  readonly selector?: LabelSelector;
  /** Deprecated: use targetRefs. One object that it is attached to. Default: none. @deprecated */
  readonly targetRef?: TargetRef;
  /** Gateways and Services (of this namespace) that it is attached to, instead of selector. Default: as selector says. */
  readonly targetRefs?: TargetRefs;
  /** Traces; settings that a wider Telemetry makes stay unless named here. Default: as the wider Telemetry or mesh configuration says. */
  readonly tracing?: readonly TelemetryTracing[];
  /** Metrics; settings that a wider Telemetry makes stay unless named here. Default: as the wider Telemetry or mesh configuration says. */
  readonly metrics?: readonly TelemetryMetrics[];
  /** Access logs; replace those of a wider Telemetry. Default: as the wider Telemetry or mesh configuration says. */
  readonly accessLogging?: readonly TelemetryAccessLogging[];
}

/** A WebAssembly module. */
export interface TrafficExtensionWasm {
  /** Where the module comes from: `oci://` (also when no scheme is given), `http://`, `https://`, or `file://` in the proxy container. */
  readonly url: string;
  /** SHA-256 of the module (or of the OCI image's manifest) in 64 lower-case hex digits; anything else that is fetched is refused. Default: taken as it comes. */
  readonly sha256?: string;
  /** When a module is fetched again: IfNotPresent (not while a copy is there) or Always (at each change of the object). Default (UNSPECIFIED_POLICY): IfNotPresent, for the tag `latest` Always. */
  readonly imagePullPolicy?: "UNSPECIFIED_POLICY" | "IfNotPresent" | "Always";
  /** Name of a Secret of this namespace with the registry's credentials, as for pods. Default: none, the registry is asked without. */
  readonly imagePullSecret?: string;
  /** Accepted, but not used: signatures of images are not checked. Default: none. */
  readonly verificationKey?: string;
  /** Configuration that the module gets when it starts, as JSON. Default: none. */
  readonly pluginConfig?: Readonly<Record<string, unknown>>;
  /** Name by which the module finds its code in the binary (root ID). Default: empty. */
  readonly pluginName?: string;
  /** What happens to traffic while the module cannot be fetched or has crashed: FAIL_CLOSE (requests are refused), FAIL_OPEN (the module is passed over) or FAIL_RELOAD (a new VM is started, up to a limit). Default FAIL_CLOSE. */
  readonly failStrategy?: "FAIL_CLOSE" | "FAIL_OPEN" | "FAIL_RELOAD";
  /** Environment of the VM that runs the module. Default: empty. */
  readonly vmConfig?: WasmVm;
  /** Filter chain the module belongs to: HTTP or NETWORK. Default (UNSPECIFIED_PLUGIN_TYPE): HTTP. */
  readonly type?: "UNSPECIFIED_PLUGIN_TYPE" | "HTTP" | "NETWORK";
}

/** A Lua script. */
export interface TrafficExtensionLua {
  /** The script: functions `envoy_on_request` and `envoy_on_response`. At most 65,536 characters. */
  readonly inlineCode: string;
}

/** Adds a WebAssembly module or a Lua script to the filter chain of proxies. */
export interface TrafficExtensionSpec {
  /** Workloads of this namespace whose proxies run the extension. Default: all of the namespace; in the root namespace all of the mesh. */
  readonly selector?: LabelSelector;
  /** Gateways and services (of this namespace) whose proxies run the extension, instead of selector. Default: as selector says. */
  readonly targetRefs?: TargetRefs;
  /** Where in the chain the extension stands: before the AUTHN, AUTHZ or STATS filters of the mesh. Default (UNSPECIFIED): at the end, before the router. */
  readonly phase?: "UNSPECIFIED" | "AUTHN" | "AUTHZ" | "STATS";
  /** Order among the extensions of a phase: higher ones come first; at the same priority by age, then name. Default 0. */
  readonly priority?: number | null;
  /** Traffic that passes through the extension: one of the entries has to match. Default: all traffic. */
  readonly match?: readonly TrafficMatch[];
  /** A WebAssembly module. Needed unless lua is set. */
  readonly wasm?: TrafficExtensionWasm;
  /** A Lua script. Needed unless wasm is set. */
  readonly lua?: TrafficExtensionLua;
}

/** One HTTP rule: when it matches, and what happens then (one of route, redirect, directResponse and delegate). */
export interface VirtualServiceHttpRoute {
  /** Name of the rule, for access logs and metrics. Default: none. */
  readonly name?: string;
  /** Conditions of which one has to hold. Default: every request matches. */
  readonly match?: readonly VirtualServiceHttpMatch[];
  /** Where requests go; with several, by weight. Needed unless redirect, directResponse or delegate is set. */
  readonly route?: readonly VirtualServiceHttpDestination[];
  /** Answer with a redirect instead of forwarding. Default: requests are forwarded. */
  readonly redirect?: VirtualServiceHttpRedirect;
  /** Answer with a fixed response instead of forwarding. Default: requests are forwarded. */
  readonly directResponse?: VirtualServiceDirectResponse;
  /** Take the rules from another VirtualService, below this rule's match. Excludes route. Default: the rule stands for itself. */
  readonly delegate?: VirtualServiceDelegate;
  /** Change path or host before forwarding. Default: as the client sent them. */
  readonly rewrite?: VirtualServiceHttpRewrite;
  /** How long a request may take, retries included. Default: no limit. */
  readonly timeout?: PositiveDuration;
  /** When and how often a failed request is tried again. Default: 2 attempts on connection failures. */
  readonly retries?: VirtualServiceRetries;
  /** Delays and errors put in on purpose, to test clients. Default: none. */
  readonly fault?: VirtualServiceFault;
  /** Service that gets a copy of the requests; its answers are thrown away. Default: none. */
  readonly mirror?: Destination;
  /** Several services that get a copy. Excludes mirror. Default: none. */
  readonly mirrors?: readonly VirtualServiceMirror[];
  /** Share of requests that mirror copies. Default: all. */
  readonly mirrorPercentage?: Percent;
  /** Deprecated: use mirrorPercentage. Whole percent of requests that mirror copies. Default: all. @deprecated */
  readonly mirrorPercent?: number | null;
  /** Deprecated: use mirrorPercentage. Old spelling of mirrorPercent. Default: all. @deprecated */
  readonly mirror_percent?: number | null;
  /** Cross-origin rules that the proxy answers for the service. Default: left to the service. */
  readonly corsPolicy?: VirtualServiceCorsPolicy;
  /** Changes to request and response headers, for all destinations of the rule. Default: none. */
  readonly headers?: VirtualServiceHeaders;
}

/** Conditions on a request. All that are given have to hold. */
export interface VirtualServiceHttpMatch {
  /** Name of the match; joined to the rule's name in logs. Default: none. */
  readonly name?: string;
  /** Path of the request, without the query. Case counts unless ignoreUriCase is set. Default: any. */
  readonly uri?: StringMatch;
  /** URI scheme: http or https. Default: any. */
  readonly scheme?: StringMatch;
  /** HTTP method, e.g. GET; case counts. Default: any. */
  readonly method?: StringMatch;
  /** Host (or :authority) header. Default: any. */
  readonly authority?: StringMatch;
  /** Conditions by header name in lower case. An empty condition asks that the header is there. Default: none. */
  readonly headers?: Readonly<Record<string, StringMatch>>;
  /** Like headers, but the condition must not hold: an empty one asks that the header is not there. Default: none. */
  readonly withoutHeaders?: Readonly<Record<string, StringMatch>>;
  /** Conditions by name of a query parameter; an empty one asks that it is there. Default: none. */
  readonly queryParams?: Readonly<Record<string, StringMatch>>;
  /** Compare the path without regard to case, for exact and prefix. Default false. */
  readonly ignoreUriCase?: boolean;
  /** Port that the client addressed. Default: any. */
  readonly port?: PortNumber;
  /** Labels of client workloads that the rule holds for. Not used at gateways. Default: all clients. */
  readonly sourceLabels?: Labels;
  /** Namespace of client workloads that the rule holds for. Not used at gateways. Default: all. */
  readonly sourceNamespace?: string;
  /** Gateways that this match holds for, of those of the object (or mesh). Default: all of those. */
  readonly gateways?: readonly string[];
  /** Prefix of the proxy's own statistics for this route. Default: no statistics of its own. */
  readonly statPrefix?: string;
}

/** A destination with its share of the requests. */
export interface VirtualServiceHttpDestination {
  /** Service that the requests go to. */
  readonly destination: Destination;
  /** Share in relation to the other weights of the rule; they need not add up to 100. Default 0, or all when it stands alone. */
  readonly weight?: number;
  /** Header changes for this destination alone, besides those of the rule. Default: none. */
  readonly headers?: VirtualServiceHeaders;
}

/** Changes to headers. */
export interface VirtualServiceHeaders {
  /** Changes before the request is forwarded. Default: none. */
  readonly request?: VirtualServiceHeaderOperations;
  /** Changes before the response is returned. Default: none. */
  readonly response?: VirtualServiceHeaderOperations;
}

/** What to do to headers. */
export interface VirtualServiceHeaderOperations {
  /** Headers that get this value, replacing others. Default: none. */
  readonly set?: Readonly<Record<string, string>>;
  /** Headers that get this value besides others. Default: none. */
  readonly add?: Readonly<Record<string, string>>;
  /** Headers that are taken out. Default: none. */
  readonly remove?: readonly string[];
}

/** A redirect. What is not given stays as it was in the request. */
export interface VirtualServiceHttpRedirect {
  /** New path (and query), whatever part of the old one matched. Excludes prefixRewrite. Default: the request's. */
  readonly uri?: string;
  /** New host. Default: the request's. */
  readonly authority?: string;
  /** New port. Excludes derivePort. Default: the request's, or that of the new scheme. */
  readonly port?: PortNumber;
  /** Take the port from the new scheme (FROM_PROTOCOL_DEFAULT: 80, 443) or from the request (FROM_REQUEST_PORT). Excludes port. Default: FROM_PROTOCOL_DEFAULT. */
  readonly derivePort?: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT";
  /** New scheme: http or https. Default: the request's. */
  readonly scheme?: string;
  /** Status: 301, 302, 303, 307 or 308. Default 301. */
  readonly redirectCode?: number;
  /** Replaces the part of the path that the prefix condition matched; every uri condition of the rule has to be a prefix. Excludes uri. Default: the path stays. */
  readonly prefixRewrite?: string;
}

/** A fixed answer. */
export interface VirtualServiceDirectResponse {
  /** HTTP status, 200 to 599. */
  readonly status: number;
  /** Body of the answer, up to 1 MiB. Default: none. */
  readonly body?: VirtualServiceResponseBody;
}

/** A body: string or bytes. */
export interface VirtualServiceResponseBody {
  /** The body as text. Default: empty. */
  readonly string?: string;
  /** The body in base64. Default: string is used. */
  readonly bytes?: string;
}

/** Names the VirtualService that has the rules. */
export interface VirtualServiceDelegate {
  /** Name of a VirtualService without hosts and gateways. Needed. */
  readonly name?: string;
  /** Its namespace. Default: that of this object. */
  readonly namespace?: string;
}

/** Changes to a request before it is forwarded. */
export interface VirtualServiceHttpRewrite {
  /** Replaces the path, or the prefix that was matched. Excludes uriRegexRewrite. Default: the path stays. */
  readonly uri?: string;
  /** Replaces the Host header. Default: the host stays. */
  readonly authority?: string;
  /** Replaces parts of the path. Excludes uri. Default: the path stays. */
  readonly uriRegexRewrite?: VirtualServiceRegexRewrite;
}

/** A replacement by regular expression. */
export interface VirtualServiceRegexRewrite {
  /** What to replace, in RE2 syntax. Needed. */
  readonly match?: string;
  /** What to put there; \1 stands for the first group. Needed. */
  readonly rewrite?: string;
}

/** When and how often a failed request is tried again. */
export interface VirtualServiceRetries {
  /** Most retries of one request; 0 turns retries off. Default 2. */
  readonly attempts?: number;
  /** How long one try may take. Default: the rule's timeout. */
  readonly perTryTimeout?: PositiveDuration;
  /** Conditions, comma separated: names that Envoy knows, or status codes. Default connect-failure,refused-stream,unavailable,cancelled. */
  readonly retryOn?: string;
  /** Whether a retry may go to another locality. Default: as the mesh's load balancing decides. */
  readonly retryRemoteLocalities?: boolean | null;
  /** Whether a retry avoids hosts already tried. Default true. */
  readonly retryIgnorePreviousHosts?: boolean | null;
  /** Base pause before a retry, at least 1ms; doubles each time, with jitter. Default 25ms. */
  readonly backoff?: PositiveDuration;
}

/** Failures put in on purpose. */
export interface VirtualServiceFault {
  /** Hold requests back before they are forwarded. Default: none is held back. */
  readonly delay?: VirtualServiceDelay;
  /** Answer with an error instead of forwarding. Default: none. */
  readonly abort?: VirtualServiceAbort;
}

/** A delay of requests. */
export interface VirtualServiceDelay {
  /** How long a request is held back, at least 1ms. Needed. */
  readonly fixedDelay?: PositiveDuration;
  /** Accepted, but not implemented by any proxy. Use fixedDelay. Default: none. */
  readonly exponentialDelay?: PositiveDuration;
  /** Share of requests. Default: none, so that nothing is delayed. */
  readonly percentage?: Percent;
  /** Deprecated: use percentage. Whole percent of requests. Default: as percentage says. @deprecated */
  readonly percent?: number;
}

/** An error instead of the real answer: one of httpStatus, grpcStatus and http2Error. */
export interface VirtualServiceAbort {
  /** HTTP status of the error, 200 to 599. Needed unless grpcStatus is set. */
  readonly httpStatus?: number;
  /** Status of gRPC, by name (UNAVAILABLE) or number. Needed unless httpStatus is set. */
  readonly grpcStatus?: string;
  /** Accepted, but not implemented by any proxy. Default: none. */
  readonly http2Error?: string;
  /** Share of requests. Default: none, so that nothing is aborted. */
  readonly percentage?: Percent;
}

/** A service that gets a copy of the requests. */
export interface VirtualServiceMirror {
  /** Service that the copies go to. */
  readonly destination: Destination;
  /** Share of requests that are copied. Default: all. */
  readonly percentage?: Percent;
}

/** Cross-origin resource sharing. */
export interface VirtualServiceCorsPolicy {
  /** Origins that may call; the one that matched is echoed. Default: none. */
  readonly allowOrigins?: readonly StringMatch[];
  /** Deprecated: use allowOrigins. Exact origins that may call. Default: none. @deprecated */
  readonly allowOrigin?: readonly string[];
  /** Methods that may be used. Default: none are named to browsers. */
  readonly allowMethods?: readonly string[];
  /** Request headers that may be sent. Default: none are named to browsers. */
  readonly allowHeaders?: readonly string[];
  /** Response headers that scripts may read. Default: those that browsers always allow. */
  readonly exposeHeaders?: readonly string[];
  /** How long a browser may keep the answer to a preflight. Default: the browser's own. */
  readonly maxAge?: PositiveDuration;
  /** Whether requests may carry credentials. Default: not said, which browsers take as no. */
  readonly allowCredentials?: boolean | null;
  /** What to do with preflights of other origins: forward them to the service, or answer them without CORS headers. Default FORWARD. */
  readonly unmatchedPreflights?: "UNSPECIFIED" | "FORWARD" | "IGNORE";
}

/** One rule for TLS traffic. */
export interface VirtualServiceTlsRoute {
  /** Conditions of which one has to hold. */
  readonly match: readonly VirtualServiceTlsMatch[];
  /** Where connections go; with several, by weight. Needed. */
  readonly route?: readonly VirtualServiceTcpDestination[];
}

/** Conditions on a TLS connection. All that are given have to hold. */
export interface VirtualServiceTlsMatch {
  /** Server names, one of many; each has to be one of the object's hosts or below its wildcard. */
  readonly sniHosts: readonly string[];
  /** Addresses or CIDR ranges of which the client dialled one. Default: any. */
  readonly destinationSubnets?: readonly string[];
  /** Port that the client dialled. Default: any. */
  readonly port?: PortNumber;
  /** Labels of client workloads that the rule holds for. Not used at gateways. Default: all clients. */
  readonly sourceLabels?: Labels;
  /** Gateways that this match holds for, of those of the object (or mesh). Default: all of those. */
  readonly gateways?: readonly string[];
  /** Namespace of client workloads that the rule holds for. Not used at gateways. Default: all. */
  readonly sourceNamespace?: string;
}

/** One rule for TCP traffic. */
export interface VirtualServiceTcpRoute {
  /** Conditions of which one has to hold. Default: every connection. */
  readonly match?: readonly VirtualServiceTcpMatch[];
  /** Where connections go; with several, by weight. Needed. */
  readonly route?: readonly VirtualServiceTcpDestination[];
}

/** Conditions on a TCP connection. All that are given have to hold. */
export interface VirtualServiceTcpMatch {
  /** Addresses or CIDR ranges of which the client dialled one. Default: any. */
  readonly destinationSubnets?: readonly string[];
  /** Port that the client dialled. Default: any. */
  readonly port?: PortNumber;
  /** Accepted, but not used by any proxy. Default: any. */
  readonly sourceSubnet?: string;
  /** Labels of client workloads that the rule holds for. Not used at gateways. Default: all clients. */
  readonly sourceLabels?: Labels;
  /** Gateways that this match holds for, of those of the object (or mesh). Default: all of those. */
  readonly gateways?: readonly string[];
  /** Namespace of client workloads that the rule holds for. Not used at gateways. Default: all. */
  readonly sourceNamespace?: string;
}

/** A destination with its share of the connections. */
export interface VirtualServiceTcpDestination {
  /** Service that the connections go to. */
  readonly destination: Destination;
  /** Share in relation to the other weights of the rule. Default 0, or all when it stands alone. */
  readonly weight?: number;
}

/** Rules that say where requests for a host go: matching, weights, rewrites, redirects, faults, retries and timeouts. */
export interface VirtualServiceSpec {
  /** Hosts whose traffic the rules decide: names of services, DNS names, `*` and `*.suffix` wildcards, or IP addresses at gateways. A name without dots is completed with the namespace of this object. Needed unless another VirtualService delegates to this one. */
  readonly hosts?: readonly string[];
  /** Gateways, as name or namespace/name, whose traffic the rules hold for. `mesh` stands for all sidecars. Default: [mesh]. */
  readonly gateways?: readonly string[];
  /** Rules for HTTP and gRPC traffic. The first that matches decides; requests that none matches get 404. Default: none. */
  readonly http?: readonly VirtualServiceHttpRoute[];
  /** Rules for TLS that is passed through, by its server name. The first that matches decides. Default: none. */
  readonly tls?: readonly VirtualServiceTlsRoute[];
  /** Rules for other TCP traffic. The first that matches decides. Default: none. */
  readonly tcp?: readonly VirtualServiceTcpRoute[];
  /** Namespaces that see this object: a name, `.` for its own, `*` for all, `~` for none. Default: all, unless the mesh configuration says otherwise. */
  readonly exportTo?: ExportTo;
}

/** Adds a WebAssembly module to the filter chain of proxies. */
export interface WasmPluginSpec {
  /** Workloads of this namespace whose proxies run the module. Default: all of the namespace; in the root namespace all of the mesh. */
  readonly selector?: LabelSelector;
  /** Deprecated: use targetRefs. The gateway whose proxies run the module. Default: none. @deprecated */
  readonly targetRef?: TargetRef;
  /** Gateways and services (of this namespace) whose proxies run the module, instead of selector. Default: as selector says. */
  readonly targetRefs?: TargetRefs;
  /** Where the module comes from: `oci://` (also when no scheme is given), `http://`, `https://`, or `file://` in the proxy container. */
  readonly url: string;
  /** SHA-256 of the module (or of the OCI image's manifest) in 64 lower-case hex digits; anything else that is fetched is refused. Default: taken as it comes. */
  readonly sha256?: string;
  /** When a module is fetched again: IfNotPresent (not while a copy is there) or Always (at each change of the object). Default (UNSPECIFIED_POLICY): IfNotPresent, for the tag `latest` Always. */
  readonly imagePullPolicy?: "UNSPECIFIED_POLICY" | "IfNotPresent" | "Always";
  /** Name of a Secret of this namespace with the registry's credentials, as for pods. Default: none, the registry is asked without. */
  readonly imagePullSecret?: string;
  /** Accepted, but not used: signatures of images are not checked. Default: none. */
  readonly verificationKey?: string;
  /** Configuration that the module gets when it starts, as JSON. Default: none. */
  readonly pluginConfig?: Readonly<Record<string, unknown>>;
  /** Name by which the module finds its code in the binary (root ID). Default: empty. */
  readonly pluginName?: string;
  /** What happens to traffic while the module cannot be fetched or has crashed: FAIL_CLOSE (requests are refused), FAIL_OPEN (the module is passed over) or FAIL_RELOAD (a new VM is started, up to a limit). Default FAIL_CLOSE. */
  readonly failStrategy?: "FAIL_CLOSE" | "FAIL_OPEN" | "FAIL_RELOAD";
  /** Environment of the VM that runs the module. Default: empty. */
  readonly vmConfig?: WasmVm;
  /** Filter chain the module belongs to: HTTP or NETWORK. Default (UNSPECIFIED_PLUGIN_TYPE): HTTP. */
  readonly type?: "UNSPECIFIED_PLUGIN_TYPE" | "HTTP" | "NETWORK";
  /** Where in the chain the module stands: before the AUTHN, AUTHZ or STATS filters of the mesh. Default (UNSPECIFIED_PHASE): at the end, before the router. */
  readonly phase?: "UNSPECIFIED_PHASE" | "AUTHN" | "AUTHZ" | "STATS";
  /** Order among the modules of a phase: higher ones come first; at the same priority by age, then name. Default 0. */
  readonly priority?: number | null;
  /** Traffic that passes through the module: one of the entries has to match. Default: all traffic. */
  readonly match?: readonly TrafficMatch[];
}

/** IP address, `unix://` path or DNS name. */
export type WorkloadEntryAddress = string;

/** Port by name. */
export type WorkloadEntryPorts = Readonly<Record<string, PortNumber>>;

/** Labels as key and value. */
export type WorkloadEntryLabels = Readonly<Record<string, string>>;

/** One workload that Kubernetes does not know, such as a virtual machine, as an endpoint of the services whose ServiceEntry selects its labels. */
export interface WorkloadEntrySpec {
  /** Where the workload is reached, without a port: an IP address, `unix:///path` of a socket, or a DNS name (only for services that resolve by DNS). Needed unless `network` is set: then the gateway of that network is used. */
  readonly address?: WorkloadEntryAddress;
  /** Port on this workload for each port name of the service. Not allowed with a `unix://` address. Default: the service's own (its target port). */
  readonly ports?: WorkloadEntryPorts;
  /** Labels of the endpoint: ServiceEntries, subsets and policies select by them. Default: none, so that no selector matches. */
  readonly labels?: WorkloadEntryLabels;
  /** Network the address is in; endpoints of one network reach each other directly, others go through that network's gateway. Default: the network of the mesh, taken as directly reachable. */
  readonly network?: string;
  /** Where the workload runs, as `region/zone/subzone`, for locality load balancing. Default: none, so that it is never preferred. */
  readonly locality?: string;
  /** Share of the traffic in relation to the other endpoints. Default 1. */
  readonly weight?: number;
  /** Service account whose identity the workload's proxy has; clients check it in mutual TLS. Must be in the namespace of the object. Default: no identity is known. */
  readonly serviceAccount?: string;
}

/** Labels and annotations of the entries. */
export interface WorkloadGroupMetadata {
  /** Labels of each WorkloadEntry object. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of each WorkloadEntry object. Default: none. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A readiness probe; one of httpGet, tcpSocket, exec and grpc says how it asks. */
export interface WorkloadGroupProbe {
  /** Seconds after the start of the workload before the first probe. Default 0. */
  readonly initialDelaySeconds?: number;
  /** Seconds after which a probe without an answer has failed. Default 1. */
  readonly timeoutSeconds?: number;
  /** Seconds between two probes. Default 10. */
  readonly periodSeconds?: number;
  /** Probes in a row that have to succeed before a workload that failed counts as ready. Default 1. */
  readonly successThreshold?: number;
  /** Probes in a row that have to fail before the workload counts as not ready. Default 3. */
  readonly failureThreshold?: number;
  /** Ready when a GET is answered with a status from 200 to 399. Default: asked in another way. */
  readonly httpGet?: WorkloadGroupHttpGet;
  /** Ready when a TCP connection can be opened. Default: asked in another way. */
  readonly tcpSocket?: WorkloadGroupTcpSocket;
  /** Ready when a command ends with exit code 0. Default: asked in another way. */
  readonly exec?: WorkloadGroupExec;
  /** Ready when the gRPC health service answers SERVING. Default: asked in another way. */
  readonly grpc?: WorkloadGroupGrpc;
}

/** An HTTP request as a probe. */
export interface WorkloadGroupHttpGet {
  /** Path that is asked for. Default /. */
  readonly path?: string;
  /** Port that is asked, from 1 to 65535. */
  readonly port: PortNumber;
  /** Host to connect to. Default: the workload's own address. */
  readonly host?: string;
  /** HTTP or HTTPS; certificates are not checked. Default HTTP. */
  readonly scheme?: "" | "HTTP" | "HTTPS";
  /** Headers of the request. Default: none. */
  readonly httpHeaders?: readonly WorkloadGroupHttpHeader[];
}

/** A header of a probe. */
export interface WorkloadGroupHttpHeader {
  /** Name of the header: letters, digits, dash and underscore. Needed. */
  readonly name?: string;
  /** Value of the header. Default: empty. */
  readonly value?: string;
}

/** A TCP connection as a probe. */
export interface WorkloadGroupTcpSocket {
  /** Host to connect to. Default: localhost. */
  readonly host?: string;
  /** Port that is dialled, from 1 to 65535. */
  readonly port: PortNumber;
}

/** A command as a probe. */
export interface WorkloadGroupExec {
  /** The program and its arguments, without a shell; a relative program is looked up in the agent's folder. */
  readonly command: readonly string[];
}

/** A gRPC health check as a probe. */
export interface WorkloadGroupGrpc {
  /** Port of the gRPC server, from 1 to 65535. Needed. */
  readonly port?: PortNumber;
  /** Service name sent in the health request. Default: empty, the server as a whole. */
  readonly service?: string;
}

/** What workloads outside Kubernetes have in common, as a Deployment says it of pods: a proxy that registers with this group gets a WorkloadEntry made from the template. */
export interface WorkloadGroupSpec {
  /** Labels and annotations that each WorkloadEntry of the group gets. Default: none. */
  readonly metadata?: WorkloadGroupMetadata;
  /** Fields of each WorkloadEntry of the group. `address` is left out: the proxy brings its own. */
  readonly template: WorkloadEntrySpec;
  /** How the agent beside the workload finds out whether it is ready; endpoints that are not get no traffic. Default: ready as soon as the proxy is connected. */
  readonly probe?: WorkloadGroupProbe;
}

/** Spec type by kind. */
export interface SpecTypes {

  AuthorizationPolicy: AuthorizationPolicySpec;

  DestinationRule: DestinationRuleSpec;

  EnvoyFilter: EnvoyFilterSpec;

  BackendTLSPolicy: BackendTLSPolicySpec;

  GatewayClass: GatewayClassSpec;

  KubernetesGateway: KubernetesGatewaySpec;

  GRPCRoute: GRPCRouteSpec;

  HTTPRoute: HTTPRouteSpec;

  ReferenceGrant: ReferenceGrantSpec;

  TCPRoute: TCPRouteSpec;

  TLSRoute: TLSRouteSpec;

  Gateway: GatewaySpec;

  PeerAuthentication: PeerAuthenticationSpec;

  ProxyConfig: ProxyConfigSpec;

  RateLimitPolicy: RateLimitPolicySpec;

  RequestAuthentication: RequestAuthenticationSpec;

  ServiceEntry: ServiceEntrySpec;

  Sidecar: SidecarSpec;

  Telemetry: TelemetrySpec;

  TrafficExtension: TrafficExtensionSpec;

  VirtualService: VirtualServiceSpec;

  WasmPlugin: WasmPluginSpec;

  WorkloadEntry: WorkloadEntrySpec;

  WorkloadGroup: WorkloadGroupSpec;

}

/** Status type by kind. */
export interface StatusTypes {

  AuthorizationPolicy: IstioStatus;

  DestinationRule: IstioStatus;

  EnvoyFilter: IstioStatus;

  BackendTLSPolicy: BackendTLSPolicyStatus;

  GatewayClass: GatewayClassStatus;

  KubernetesGateway: KubernetesGatewayStatus;

  GRPCRoute: GatewayApiRouteStatus;

  HTTPRoute: GatewayApiRouteStatus;

  ReferenceGrant: unknown;

  TCPRoute: GatewayApiRouteStatus;

  TLSRoute: GatewayApiRouteStatus;

  Gateway: IstioStatus;

  PeerAuthentication: IstioStatus;

  ProxyConfig: IstioStatus;

  RateLimitPolicy: IstioStatus;

  RequestAuthentication: IstioStatus;

  ServiceEntry: IstioStatus;

  Sidecar: IstioStatus;

  Telemetry: IstioStatus;

  TrafficExtension: IstioStatus;

  VirtualService: IstioStatus;

  WasmPlugin: IstioStatus;

  WorkloadEntry: IstioStatus;

  WorkloadGroup: IstioStatus;

}
