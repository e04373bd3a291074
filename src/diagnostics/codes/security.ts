import { code } from "./code.ts";

/** MSH0150-0199: security. From 0170 on: best practices, for profile `security`. */
export const securityCodes = {
  MSH0150: code<{ method: string; nearest: string }>({
    name: "UnknownHttpMethod",
    level: "Warning",
    summary: "A policy names an HTTP method that nobody sends.",
    message: ({ method }) => `method "${method}" is no HTTP method: methods are compared letter by letter, in capitals`,
    hint: ({ nearest }) => (nearest === "" ? "Write GET, POST and so on, or * for any." : `Did you mean ${nearest}?`),
  }),
  MSH0151: code<{ host: string; nearest: string }>({
    name: "PolicyHostUnknown",
    level: "Warning",
    summary: "A policy names a host of the cluster that no Service has.",
    message: ({ host }) => `host ${host} is no Service: no request has it`,
    hint: ({ nearest }) => (nearest === "" ? "Correct the host." : `Did you mean ${nearest}?`),
  }),
  MSH0152: code<{ fields: string; workload: string; policy: string; effect: string }>({
    name: "IdentityWithoutMutualTls",
    level: "Error",
    summary: "A policy asks who calls, where mutual TLS is turned off.",
    message: ({ fields, workload, policy, effect }) =>
      `${fields} cannot be known at ${workload}: ${policy} turns mutual TLS off; ${effect}`,
    hint: ({ policy }) => `Turn mutual TLS on again (${policy}), or decide by ipBlocks.`,
  }),
  MSH0153: code<{ account: string; nearest: string }>({
    name: "UnknownServiceAccount",
    level: "Warning",
    summary: "A policy names a service account that does not exist.",
    message: ({ account }) => `service account ${account} does not exist: this value matches nobody`,
    hint: ({ nearest }) =>
      nearest === ""
        ? "Correct namespace and name; one of another cluster may be left as it is."
        : `Did you mean ${nearest}?`,
  }),
  MSH0154: code<{ trustDomain: string; known: string }>({
    name: "UnknownTrustDomain",
    level: "Warning",
    summary: "A policy names a trust domain that the mesh does not have.",
    message: ({ trustDomain, known }) => `no identity has trust domain ${trustDomain}: the mesh has ${known}`,
    hint: () => "Correct the trust domain, or add it to trustDomainAliases of the mesh configuration.",
  }),
  MSH0155: code<{ principal: string; why: string; meant: string }>({
    name: "PrincipalForm",
    level: "Error",
    summary: "A principal is written in a form that no identity has.",
    message: ({ principal, why }) => `principal "${principal}" matches nobody: ${why}`,
    hint: ({ meant }) => `Write ${meant}.`,
  }),
  MSH0156: code<{ fields: string; ports: string; effect: string }>({
    name: "HttpFieldsOnTcpPort",
    level: "Warning",
    summary: "A policy uses fields of HTTP for a port that is no HTTP.",
    message: ({ fields, ports, effect }) => `${fields} is not known on ${ports}: ${effect}`,
    hint: () => "Name the ports with operation.ports in a rule of their own, or name the Service's port http-….",
  }),
  MSH0157: code<{ action: string }>({
    name: "EmptyListOfRules",
    level: "Warning",
    summary: "An empty list of rules matches nothing: with ALLOW everything is refused.",
    message: () => "`rules: []` matches no request, so this policy refuses all",
    hint: () => "To allow everything write `rules: [{}]`; to refuse all leave rules out (`spec: {}`), which says so.",
  }),
  MSH0158: code<{ other: string; why: string }>({
    name: "PolicyDecidedElsewhere",
    level: "Warning",
    summary: "A policy changes nothing, since another one decides for all its workloads.",
    message: ({ other, why }) => `this policy changes nothing: ${other} ${why}`,
    hint: ({ other }) => `Remove this policy, or narrow ${other}.`,
  }),
  MSH0159: code<{ target: string; where: string }>({
    name: "PolicyTargetMissing",
    level: "Error",
    summary: "A policy is attached to an object that does not exist.",
    message: ({ target }) => `target ${target} does not exist: the policy holds for nothing`,
    hint: ({ where }) => where,
  }),
  MSH0160: code<{ workload: string }>({
    name: "TokenNotRequired",
    level: "Warning",
    summary: "Tokens are checked, but nothing requires one: requests without a token pass.",
    message: ({ workload }) => `no policy of ${workload} asks for a token: a request without one passes`,
    hint: () => 'Add an AuthorizationPolicy for the same workloads with source.requestPrincipals: ["*"].',
  }),
  MSH0161: code<{ provider: string; known: string }>({
    name: "AuthorizationProviderMissing",
    level: "Error",
    summary: "A policy asks an authorizer that the mesh configuration does not define.",
    message: ({ provider, known }) =>
      `extension provider ${provider} is not defined (${known}): all requests that match are refused`,
    hint: () => "Add it to extensionProviders of the mesh configuration, or correct the name.",
  }),
  MSH0162: code<{ root: string; effect: string }>({
    name: "RateLimitServiceMissing",
    level: "Error",
    summary: "A limit is for the whole mesh, and the service that counts for it is not installed.",
    message: ({ root, effect }) => `no Service ratelimit in ${root} counts for this limit: ${effect}`,
    hint: () => "Install it (meshctl install --set values.ratelimit.enabled=true), or use local.",
  }),
  MSH0163: code<{ what: string; why: string; effect: string }>({
    name: "LimitNeverApplies",
    level: "Warning",
    summary: "A limit counts no request, or counts all of them together.",
    message: ({ what, why, effect }) => `${what} is never known: ${why}; ${effect}`,
    hint: () =>
      "Count by what is known there: claims with a RequestAuthentication, routes at gateways, else hosts, paths and headers.",
  }),
  MSH0170: code<{ where: string; policy: string }>({
    name: "MutualTlsPermissive",
    level: "Warning",
    summary: "Workloads take plaintext beside mutual TLS.",
    message: ({ where, policy }) => `${where} take plaintext too (${policy})`,
    hint: () => "Add a PeerAuthentication with mtls.mode STRICT once every caller has a proxy.",
  }),
  MSH0171: code<{ where: string }>({
    name: "MutualTlsDisabled",
    level: "Warning",
    summary: "Mutual TLS is turned off.",
    message: ({ where }) => `mutual TLS is off for ${where}: traffic is neither encrypted nor authenticated`,
    hint: () => "Use PERMISSIVE while callers without a proxy remain, STRICT afterwards.",
  }),
  MSH0172: code<{ namespace: string; root: string }>({
    name: "NoDefaultDeny",
    level: "Warning",
    summary: "A namespace has workloads, and no policy refuses what no other policy allows.",
    message: ({ namespace }) => `namespace ${namespace} allows what no policy speaks of`,
    hint: ({ root }) => `Add an AuthorizationPolicy with an empty spec here, or in ${root} for the mesh.`,
  }),
  MSH0173: code<{ workload: string }>({
    name: "WorkloadWithoutPolicy",
    level: "Info",
    summary: "No AuthorizationPolicy is for a workload.",
    message: ({ workload }) => `no AuthorizationPolicy is for ${workload}: everybody may call it`,
    hint: () => "Add one that allows its callers.",
  }),
  MSH0174: code<{ field: string }>({
    name: "AllowByExclusion",
    level: "Warning",
    summary: "An ALLOW policy says what is not allowed and lets everything else in.",
    message: ({ field }) => `ALLOW with ${field} lets in whatever nobody thought of`,
    hint: () => "List what is allowed; put exceptions into a DENY policy.",
  }),
  MSH0175: code<{ field: string }>({
    name: "DenyByList",
    level: "Warning",
    summary: "A DENY policy lists paths or hosts; another spelling of them passes.",
    message: ({ field }) => `another spelling of the same thing passes DENY with ${field}`,
    hint: () => "Allow what is needed instead, or deny with the negative field (notPaths, notHosts).",
  }),
  MSH0176: code<{ why: string }>({
    name: "AllowFromAnybody",
    level: "Warning",
    summary: "An ALLOW rule for a workload in the mesh does not say who may call.",
    message: ({ why }) => `${why}: every caller that reaches the pod may do this`,
    hint: () => "Add from.source with principals, serviceAccounts or namespaces.",
  }),
  MSH0177: code<{ normalization: string; field: string }>({
    name: "PathNormalizationWeak",
    level: "Warning",
    summary: "Policies decide by path, and the mesh does not bring paths into one form.",
    message: ({ normalization, field }) =>
      `${field}: pathNormalization is ${normalization}, so /a//b and /a%2Fb count as other paths than /a/b`,
    hint: () => "Set pathNormalization.normalization: DECODE_AND_MERGE_SLASHES in the mesh configuration.",
  }),
  MSH0178: code<{ host: string }>({
    name: "ServerNotVerified",
    level: "Warning",
    summary: "With insecureSkipVerify the server's certificate is not checked.",
    message: ({ host }) => `the certificate of ${host} is not checked: anybody in between can be it`,
    hint: () => "Remove insecureSkipVerify and name the CA (caCertificates or credentialName).",
  }),
  MSH0179: code<{ host: string }>({
    name: "BroadGatewayHost",
    level: "Warning",
    summary: "A gateway serves every host for every namespace.",
    message: ({ host }) => `host "${host}" lets a VirtualService of any namespace take any name on this port`,
    hint: () => "List the hosts, and say which namespace may use them: team/shop.example.com.",
  }),
  MSH0180: code<{ port: number }>({
    name: "HttpWithoutRedirect",
    level: "Warning",
    summary: "A gateway serves a host in plaintext that it also serves with TLS.",
    message: ({ port }) => `port ${port} serves in plaintext what is served with TLS too`,
    hint: () => "Set tls.httpsRedirect: true on the plaintext server.",
  }),
  MSH0181: code<{ version: string; field: string }>({
    name: "OldTlsVersion",
    level: "Warning",
    summary: "TLS versions or ciphers are accepted that are no longer safe.",
    message: ({ version, field }) => `${field} takes ${version}`,
    hint: () => "Remove it (the default is TLS 1.2 with safe ciphers), or raise it.",
  }),
  MSH0182: code<{ mode: string }>({
    name: "EgressOpen",
    level: "Warning",
    summary: "Workloads may call every host outside the mesh.",
    message: ({ mode }) => `outboundTrafficPolicy is ${mode}: any host outside may be called`,
    hint: () => "Set REGISTRY_ONLY and add ServiceEntries; a NetworkPolicy makes it a boundary.",
  }),
  MSH0183: code<{ annotation: string; value: string }>({
    name: "TrafficNotCaptured",
    level: "Warning",
    summary: "Traffic of a pod goes past its proxy.",
    message: ({ annotation, value }) =>
      `${annotation}: "${value}" goes past the proxy: no mutual TLS, no policy, no metrics`,
    hint: () => "Remove the annotation if the traffic can go through the proxy.",
  }),
  MSH0184: code<{ operation: string; filter: string }>({
    name: "EnvoyFilterTouchesSecurity",
    level: "Warning",
    summary: "An EnvoyFilter changes filters that decide who may pass, or their order.",
    message: ({ operation, filter }) =>
      `${operation} at ${filter} can put requests past authentication or authorization`,
    hint: () =>
      "Use AuthorizationPolicy, RequestAuthentication or WasmPlugin (phase AUTHZ); review the order of filters otherwise.",
  }),
  MSH0185: code<{ trustDomain: string }>({
    name: "SharedTrustDomain",
    level: "Warning",
    summary: "A mesh of several clusters has the trust domain that every mesh has by default.",
    message: ({ trustDomain }) =>
      `trust domain ${trustDomain} of a mesh of several clusters is also that of every other mesh`,
    hint: () => "Set trustDomain to a name of your own, and keep the old one in trustDomainAliases while moving.",
  }),
  MSH0186: code<{ where: string }>({
    name: "TokenOverPlaintext",
    level: "Warning",
    summary: "Tokens travel in plaintext.",
    message: ({ where }) => `tokens that are checked here come in over plaintext: ${where}`,
    hint: () => "Require mutual TLS (STRICT), or serve the gateway's host only with TLS.",
  }),
  MSH0187: code<{ issuer: string; address: string }>({
    name: "TokenKeysOverHttp",
    level: "Warning",
    summary: "The keys that tokens are checked with are fetched without TLS.",
    message: ({ issuer, address }) =>
      `keys of issuer ${issuer} come from ${address}: who answers there can make any token`,
    hint: () => "Use an https address.",
  }),
  MSH0188: code<{ host: string; other: string }>({
    name: "ClientCertificateBypass",
    level: "Warning",
    summary: "A host that asks for client certificates shares its port with a wildcard that asks for none.",
    message: ({ host, other }) =>
      `${host} asks for a client certificate, and ${other} on the same port does not: a connection opened for the latter can carry requests for the former`,
    hint: () => "Answer requests for the host on the other server with 421, or use ports or gateways of their own.",
  }),
  MSH0189: code<{ gateways: string }>({
    name: "VirtualServiceForAnyHost",
    level: "Warning",
    summary: "A VirtualService takes every host of a gateway or of the mesh.",
    message: ({ gateways }) => `host "*" on ${gateways} takes the requests of every host that nobody else names`,
    hint: () => "List the hosts.",
  }),
  MSH0190: code<{ field: string }>({
    name: "RemoteAddressWithoutTrustedProxies",
    level: "Warning",
    summary: "A policy decides by the original client's address, and the mesh trusts no proxy to say it.",
    message: ({ field }) =>
      `${field} is the address of the last hop: numTrustedProxies is not set, so X-Forwarded-For is not believed`,
    hint: () =>
      "Set gatewayTopology.numTrustedProxies to the number of proxies in front of the gateway, or use ipBlocks.",
  }),
} as const;
