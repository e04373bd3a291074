import { code } from "./code.ts";

/**
 * MSH0700-0799: Gateway API. Most are conditions that the API defines (`Accepted`, `ResolvedRefs`, `Conflicted` …), computed from
 * the objects; their words are the condition's message too.
 */
export const gatewayApiCodes = {
  MSH0701: code<{ className: string; known: string }>({
    name: "GatewayClassNotFound",
    level: "Error",
    summary: "A Gateway names a GatewayClass that does not exist, so nobody serves it.",
    message: ({ className }) => `there is no GatewayClass ${className}: nobody serves this Gateway`,
    hint: ({ known }) => `Use one of: ${known}; or create the GatewayClass.`,
  }),
  MSH0702: code<{ kind: string; name: string }>({
    name: "GatewayClassParametersNotFound",
    level: "Warning",
    summary: "The parameters that a GatewayClass names do not exist.",
    message: ({ kind, name }) => `the parameters of this class, ${kind} ${name}, do not exist`,
    hint: ({ kind, name }) => `Create ${kind} ${name}, or remove parametersRef.`,
  }),
  MSH0703: code<{ type: string; value: string }>({
    name: "GatewayAddressUnsupported",
    level: "Error",
    summary: "A Gateway asks for an address of a type that no gateway can have.",
    message: ({ type, value }) => `addresses of type ${type} are not supported (${value})`,
    hint: () => "Use type IPAddress for an own load balancer, or Hostname with the name of an existing Service.",
  }),
  MSH0704: code<{ value: string }>({
    name: "GatewayAddressNotUsable",
    level: "Error",
    summary: "A Gateway stands for a Service that does not exist.",
    message: ({ value }) => `there is no Service ${value} for this Gateway to use`,
    hint: () =>
      "Name an existing Service, or remove addresses: a Deployment and a Service are then made for the Gateway.",
  }),
  MSH0705: code<{ value: string; other: string }>({
    name: "GatewayAddressShared",
    level: "Warning",
    summary: "Two Gateways ask for the same address and port.",
    message: ({ value, other }) => `${other} has the same port at ${value}: only one of the two can have it`,
    hint: () => "Give one of them another address or port, or put the listeners into one Gateway.",
  }),
  MSH0706: code<{ kind: string; name: string }>({
    name: "GatewayParametersInvalid",
    level: "Error",
    summary: "The parameters that a Gateway names do not exist, or are of a kind that is not read.",
    message: ({ kind, name }) => `infrastructure.parametersRef: there is no ${kind} ${name}`,
    hint: () => "Name a ConfigMap of the Gateway's namespace, or remove parametersRef.",
  }),
  MSH0707: code<{ name: string; problem: string }>({
    name: "GatewayParametersUnreadable",
    level: "Error",
    summary: "The ConfigMap that a Gateway names as its parameters cannot be read.",
    message: ({ name, problem }) => `infrastructure.parametersRef: ConfigMap ${name}: ${problem}`,
    hint: () =>
      "Write YAML objects under the keys deployment, service, serviceAccount, horizontalPodAutoscaler and podDisruptionBudget.",
  }),
  MSH0710: code<{ listener: string; other: string; port: number; hostname: string }>({
    name: "ListenerHostnameConflict",
    level: "Error",
    summary: "Two listeners of a Gateway have the same port and hostname.",
    message: ({ listener, other, port, hostname }) =>
      `listener ${listener} has the port and hostname of listener ${other} (${port}, ${hostname}), which comes first: it serves nothing`,
    hint: () => "Give it another port or hostname, or remove it.",
  }),
  MSH0711: code<{ listener: string; other: string; port: number; protocols: string }>({
    name: "ListenerProtocolConflict",
    level: "Error",
    summary: "Two listeners of a Gateway want one port for protocols that cannot share it.",
    message: ({ listener, other, port, protocols }) =>
      `listener ${listener} cannot share port ${port} with listener ${other}: ${protocols}`,
    hint: () => "Give it another port; only HTTPS and TLS can share one, by hostname.",
  }),
  MSH0712: code<{ protocol: string }>({
    name: "ListenerProtocolUnsupported",
    level: "Error",
    summary: "A listener has a protocol that gateways here do not speak.",
    message: ({ protocol }) => `protocol ${protocol} is not supported`,
    hint: () => "Use HTTP, HTTPS, TLS or TCP, in capital letters.",
  }),
  MSH0713: code<{ kind: string; protocol: string; supported: string }>({
    name: "ListenerRouteKindInvalid",
    level: "Error",
    summary: "A listener allows a kind of route that cannot be attached to its protocol.",
    message: ({ kind, protocol }) => `${kind} cannot be attached to a listener for ${protocol}`,
    hint: ({ supported }) => `Allow ${supported}, or leave kinds out.`,
  }),
  MSH0714: code<{ what: string; problem: string }>({
    name: "ListenerCertificateNotFound",
    level: "Error",
    summary: "The certificate of a listener does not exist.",
    message: ({ what, problem }) => (what === "" ? problem : `certificate ${what}: ${problem}`),
    hint: () => "Create a Secret of type kubernetes.io/tls with that name, or correct the reference.",
  }),
  MSH0715: code<{ secret: string; problem: string }>({
    name: "ListenerCertificateUnusable",
    level: "Error",
    summary: "The Secret that a listener names holds no certificate that can be served.",
    message: ({ secret, problem }) => `Secret ${secret} cannot be served: ${problem}`,
    hint: () => "Put a certificate chain into tls.crt and its key into tls.key, both as PEM.",
  }),
  MSH0716: code<{ what: string; problem: string }>({
    name: "ListenerAuthorityInvalid",
    level: "Error",
    summary: "What client certificates are to be checked by does not exist or holds no authority.",
    message: ({ what, problem }) => `${what}: ${problem}`,
    hint: () => "Name a ConfigMap or Secret with the authority's certificate as PEM in ca.crt.",
  }),
  MSH0717: code<{ listener: string; other: string; by: string; port: number }>({
    name: "ListenersOverlap",
    level: "Info",
    summary: "A client may use its connection to one HTTPS listener for hosts of another one.",
    message: ({ listener, other, by, port }) =>
      `listeners ${listener} and ${other} overlap in ${by} on port ${port}: browsers may send requests for one over a connection of the other`,
    hint: () =>
      "Nothing, if both serve the same routes and policies. Else give them different ports, or hostnames and certificates that do not overlap.",
  }),
  MSH0718: code<{ listener: string; why: string }>({
    name: "ListenerUnreachable",
    level: "Warning",
    summary: "No route can ever be attached to a listener.",
    message: ({ listener, why }) => `no route can be attached to listener ${listener}: ${why}`,
    hint: () => "Correct allowedRoutes, or remove the listener.",
  }),
  MSH0719: code<{ what: string; from: string; namespace: string }>({
    name: "ReferenceNotGranted",
    level: "Error",
    summary: "An object refers into another namespace, which has not granted it.",
    message: ({ what, from, namespace }) => `${what} is of namespace ${namespace}, which grants it to no ${from}`,
    hint: ({ what, namespace }) =>
      `Create a ReferenceGrant in namespace ${namespace} that names this kind, its namespace and ${what}.`,
  }),
  MSH0720: code<{ kind: string; parent: string; nearest: string }>({
    name: "RouteParentNotFound",
    level: "Error",
    summary: "A route names a Gateway or Service as its parent that does not exist.",
    message: ({ kind, parent }) => `there is no ${kind} ${parent}: the route has no effect there`,
    hint: ({ kind, parent, nearest }) =>
      nearest === "" ? `Create ${kind} ${parent}, or correct name and namespace.` : `Did you mean ${nearest}?`,
  }),
  MSH0721: code<{ parent: string; wanted: string; has: string }>({
    name: "RouteListenerNotFound",
    level: "Error",
    summary: "A route names a listener or port that its Gateway does not have.",
    message: ({ parent, wanted }) => `${parent} has no ${wanted}`,
    hint: ({ has }) => `It has: ${has}.`,
  }),
  MSH0722: code<{ parent: string; why: string }>({
    name: "RouteNotAllowed",
    level: "Error",
    summary: "The listeners that a route names do not allow it.",
    message: ({ parent, why }) => `${parent} does not allow this route: ${why}`,
    hint: () => "Allow it in the listener's allowedRoutes (namespaces, kinds), or attach the route elsewhere.",
  }),
  MSH0723: code<{ parent: string; hostnames: string; served: string }>({
    name: "RouteHostnameNotServed",
    level: "Error",
    summary: "None of a route's hostnames is served by the listeners it names.",
    message: ({ parent, hostnames }) => `${parent} serves none of ${hostnames}`,
    hint: ({ served }) => `It serves: ${served}.`,
  }),
  MSH0724: code<{ backend: string; nearest: string }>({
    name: "RouteBackendNotFound",
    level: "Error",
    summary: "A route sends requests to a Service that does not exist: they are answered 500.",
    message: ({ backend }) => `backend ${backend} does not exist: its requests are answered 500`,
    hint: ({ nearest }) => (nearest === "" ? "Create it, or correct name and namespace." : `Did you mean ${nearest}?`),
  }),
  MSH0725: code<{ backend: string; port: string; has: string }>({
    name: "RouteBackendPortNotFound",
    level: "Error",
    summary: "A route sends requests to a port that the Service does not have.",
    message: ({ backend, port }) =>
      port === "" ? `backend ${backend}: port is required` : `${backend} has no port ${port}`,
    hint: ({ has }) => `It has: ${has}.`,
  }),
  MSH0726: code<{ kind: string }>({
    name: "RouteBackendKindInvalid",
    level: "Error",
    summary: "A route sends requests to a kind of object that cannot take them.",
    message: ({ kind }) => `${kind} cannot be a backend`,
    hint: () => "Use a Service, or kind Hostname of group networking.istio.io for a host of a ServiceEntry.",
  }),
  MSH0727: code<{ filter: string }>({
    name: "RouteFilterUnsupported",
    level: "Error",
    summary: "A route uses a filter that is not supported here: the rule answers 500.",
    message: ({ filter }) => `filter ${filter} is not supported: requests of this rule are answered 500`,
    hint: () => "Remove the filter; policies (AuthorizationPolicy, EnvoyFilter) may do the same.",
  }),
  MSH0730: code<{ rule: string }>({
    name: "RouteWithoutWeight",
    level: "Warning",
    summary: "All backends of a rule have weight 0, so its requests are answered 500.",
    message: ({ rule }) => `every backend of ${rule} has weight 0: its requests are answered 500`,
    hint: () => "Give a backend a weight above 0.",
  }),
  MSH0731: code<{ match: string; winner: string; where: string }>({
    name: "RouteMatchTaken",
    level: "Warning",
    summary: "A match of a route stands in another rule too, which comes first: it never applies.",
    message: ({ match, winner, where }) => `${match} is already taken at ${where} by ${winner}: this one never applies`,
    hint: () => "Remove one of the two, or make the matches differ.",
  }),
  MSH0732: code<{ service: string; virtualService: string }>({
    name: "RouteOverridesVirtualService",
    level: "Warning",
    summary: "A route for a Service replaces what VirtualServices say about the same host.",
    message: ({ service, virtualService }) =>
      `calls to ${service} inside the mesh follow this route alone: ${virtualService} for the same host is not used`,
    hint: () => "Move the rules of both into one kind and remove the other.",
  }),
  MSH0740: code<{ target: string; has: string }>({
    name: "BackendPolicyTargetNotFound",
    level: "Error",
    summary: "A BackendTLSPolicy is for a Service or port that does not exist.",
    message: ({ target }) => `there is no ${target} for this policy`,
    hint: ({ has }) =>
      has === "" ? "Correct the name; the Service has to be in the policy's namespace." : `Its ports are: ${has}.`,
  }),
  MSH0741: code<{ target: string; winner: string }>({
    name: "BackendPolicyConflicted",
    level: "Warning",
    summary: "Two BackendTLSPolicies are for the same Service and port; only the older counts.",
    message: ({ target, winner }) => `${winner} is for ${target} too and comes first: this policy has no effect there`,
    hint: () => "Keep one of the two.",
  }),
  MSH0742: code<{ what: string; problem: string }>({
    name: "BackendPolicyAuthorityInvalid",
    level: "Error",
    summary: "What a backend's certificate is to be checked by does not exist or holds no authority.",
    message: ({ what, problem }) => `${what}: ${problem}`,
    hint: () =>
      "Name a ConfigMap of the policy's namespace with the authority's certificate as PEM in ca.crt, or use wellKnownCACertificates.",
  }),
  MSH0750: code<{ namespace: string }>({
    name: "GrantNamespaceNotFound",
    level: "Error",
    summary: "A ReferenceGrant is for a namespace that does not exist.",
    message: ({ namespace }) => `namespace ${namespace} does not exist: the grant is for nobody`,
    hint: () => "Correct the namespace, or remove the entry: whoever creates that namespace later may use the grant.",
  }),
  MSH0751: code<{ from: string; to: string }>({
    name: "GrantUnused",
    level: "Info",
    summary: "A ReferenceGrant allows something that nobody does.",
    message: ({ from, to }) => `no ${from} refers to ${to} of this namespace`,
    hint: () => "Remove what is not used.",
  }),
  MSH0752: code<{ kind: string; used: string }>({
    name: "GrantTooWide",
    level: "Info",
    summary: "A ReferenceGrant allows every object of a kind, and only some are used.",
    message: ({ kind, used }) => `every ${kind} of this namespace may be referred to; used is only ${used}`,
    hint: ({ used }) => `Name what is meant: ${used}.`,
  }),
} as const;
