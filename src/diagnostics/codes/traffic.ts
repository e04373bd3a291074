import { code } from "./code.ts";

/** MSH0100-0129: routing: hosts, routes, gateways, services in relation to each other. */
export const trafficCodes = {
  MSH0100: code<{ service: string; client: string; server: string; because: string }>({
    name: "ClientAndServerTlsDisagree",
    level: "Error",
    summary: "A DestinationRule and the server it is for disagree about TLS: every connection fails.",
    message: ({ service, client, server, because }) =>
      `connections to ${service} fail: this rule makes the client send ${client}, the server takes only ${server} (${because})`,
    hint: () =>
      "Remove tls here: mutual TLS is then used wherever the server takes it. Or change what the server takes.",
  }),
  MSH0101: code<{ host: string; winner: string; lost: string }>({
    name: "DestinationRuleOverridden",
    level: "Warning",
    summary: "Several DestinationRules hold for one host, and part of this one is not used.",
    message: ({ host, winner, lost }) =>
      `for host ${host} the older ${winner} decides: ${lost} of this rule is not used`,
    hint: ({ winner }) => `Put everything into ${winner}, or give the subset another name.`,
  }),
  MSH0102: code<{ host: string; broader: string; mode: string }>({
    name: "BroaderTlsSettingDropped",
    level: "Warning",
    summary: "A DestinationRule replaces one for a broader host, and with it the TLS mode that the broader one sets.",
    message: ({ host, broader, mode }) =>
      `for host ${host} this rule replaces ${broader}; its TLS mode ${mode} is not inherited`,
    hint: ({ mode }) => `Repeat trafficPolicy.tls.mode: ${mode} here if it is meant for this host too.`,
  }),
  MSH0103: code<{ host: string; namespace: string; owner: string; root: string }>({
    name: "DestinationRuleInIdleNamespace",
    level: "Warning",
    summary: "A DestinationRule stands in a namespace where nobody calls the host from, so it holds for nobody.",
    message: ({ host, namespace, owner }) =>
      `the rule for ${host} holds for nobody: namespace ${namespace} has no workload with a proxy, and the service is of namespace ${owner}`,
    hint: ({ owner, root }) =>
      `Move it to ${owner} (for all callers), to the callers' namespace, or to ${root} (for the mesh).`,
  }),
  MSH0104: code<{ host: string; gateway: string; other: string; match: string }>({
    name: "GatewayRouteHidden",
    level: "Warning",
    summary:
      "A route is never reached at a gateway, since an older VirtualService of the same host takes its requests.",
    message: ({ host, gateway, other, match }) =>
      `on gateway ${gateway} the older ${other} serves host ${host} too and takes these requests first: ${match}`,
    hint: ({ other }) => `Remove the route here or in ${other}, or put the routes of the host into one VirtualService.`,
  }),
  MSH0105: code<{ port: number; other: string; reason: string }>({
    name: "GatewayServerDropped",
    level: "Error",
    summary: "A server of a Gateway is left out, since another one has its port in another way.",
    message: ({ port, other, reason }) => `the server on port ${port} is left out: ${reason} (${other})`,
    hint: () => "Give one of the servers another port, or make them the same kind.",
  }),
  MSH0107: code<{ host: string; secret: string; names: string }>({
    name: "CertificateDoesNotCoverHost",
    level: "Warning",
    summary: "The certificate of a gateway's server does not have the name of its host.",
    message: ({ host, secret, names }) => `the certificate in Secret ${secret} is for ${names}, not for ${host}`,
    hint: ({ host }) => `Issue it with the DNS name ${host}, or correct the host or the credentialName.`,
  }),
  MSH0108: code<{ secret: string; until: string; days: number }>({
    name: "CertificateEndsSoon",
    level: "Warning",
    summary: "The certificate of a gateway's server ends within 30 days.",
    message: ({ secret, until, days }) => `the certificate in Secret ${secret} ends on ${until}, in ${days} days`,
    hint: () => "Renew it; the gateway takes the new one over without a restart.",
  }),
  MSH0109: code<{ kind: string; host: string; sidecar: string; namespace: string }>({
    name: "SidecarHidesHost",
    level: "Warning",
    summary: "A VirtualService or DestinationRule is for a host that the Sidecar of its namespace hides.",
    message: ({ kind, host, sidecar, namespace }) =>
      `workloads of namespace ${namespace} do not see ${host}, since ${sidecar} does not list it: this ${kind} has no effect for them`,
    hint: ({ host }) => `Add "*/${host}" or its namespace to egress.hosts of the Sidecar.`,
  }),
  MSH0110: code<{ entry: string; nearest: string }>({
    name: "SidecarEgressHostUnknown",
    level: "Warning",
    summary: "A Sidecar lists a host that no service has.",
    message: ({ entry }) => `egress host ${entry} is no service that is visible here`,
    hint: ({ nearest }) => (nearest === "" ? "Correct the host, or remove it." : `Did you mean ${nearest}?`),
  }),
  MSH0111: code<{ root: string }>({
    name: "RootSidecarWithSelector",
    level: "Warning",
    summary: "A Sidecar in the root namespace has a workloadSelector, so it is no default of the mesh.",
    message: ({ root }) => `with a workloadSelector it holds only for pods of ${root}, not for the mesh`,
    hint: () => "Remove workloadSelector, or move the Sidecar to the namespace of the workloads.",
  }),
  MSH0112: code<Record<string, never>>({
    name: "OutboundPolicyWithoutMode",
    level: "Info",
    summary: "A Sidecar has an outboundTrafficPolicy without mode, which means REGISTRY_ONLY.",
    message: () => "outboundTrafficPolicy without mode means REGISTRY_ONLY: unknown hosts are refused",
    hint: () => "Write the mode, REGISTRY_ONLY or ALLOW_ANY.",
  }),
  MSH0113: code<{ weight: number; host: string }>({
    name: "SingleDestinationWeight",
    level: "Warning",
    summary: "The only destination of a route has a weight below 100, and still gets everything.",
    message: ({ weight, host }) =>
      `weight ${weight} of the only destination (${host}) means all requests, not ${weight} %`,
    hint: () => "Remove the weight, or add the destination of the others.",
  }),
  MSH0114: code<{ destination: string }>({
    name: "DuplicateDestination",
    level: "Warning",
    summary: "A route names one destination twice.",
    message: ({ destination }) => `${destination} is a destination of this route twice`,
    hint: () => "Remove one and add its weight to the other, or correct the subset.",
  }),
  MSH0115: code<{ attempts: number; perTry: string; timeout: string; fit: number }>({
    name: "RetriesExceedTimeout",
    level: "Info",
    summary: "A route's timeout leaves no time for most of its retries.",
    message: ({ attempts, perTry, timeout, fit }) =>
      `when tries run into perTryTimeout ${perTry}, timeout ${timeout} leaves room for ${fit} of ${attempts} retries`,
    hint: () => "Raise timeout, or lower perTryTimeout or attempts.",
  }),
  MSH0116: code<{ what: string; percent: number }>({
    name: "FaultForEveryRequest",
    level: "Warning",
    summary: "A fault is injected into requests of everybody.",
    message: ({ what, percent }) =>
      `${what} is injected into ${percent} % of all requests: no match narrows it to a test`,
    hint: () => "Remove fault, or match a header that only test requests have.",
  }),
  MSH0117: code<{ rules: string; host: string; ports: string }>({
    name: "RulesOfAnotherProtocol",
    level: "Warning",
    summary: "Rules of a VirtualService are for another protocol than any port of its host has.",
    message: ({ rules, host, ports }) => `${rules} rules have no effect for ${host}: its ports are ${ports}`,
    hint: ({ rules }) =>
      rules === "http"
        ? "Name the port http-… (or set appProtocol: http), or write tcp or tls rules."
        : "Write http rules, or name the port tcp-… (or set appProtocol: tcp).",
  }),
  MSH0118: code<{ filter: string; nearest: string }>({
    name: "EnvoyFilterUnknownFilter",
    level: "Warning",
    summary: "An EnvoyFilter looks for a filter by a name that no filter has.",
    message: ({ filter }) => `no filter is called ${filter}: the patch is never applied`,
    hint: ({ nearest }) => `Did you mean ${nearest}?`,
  }),
  MSH0119: code<{ host: string; subsets: string; why: string }>({
    name: "SubsetsOfPassthroughHost",
    level: "Warning",
    summary: "Subsets of a host whose connections go to the address that the client chose select nothing.",
    message: ({ host, subsets, why }) =>
      `subsets ${subsets} of ${host} choose no endpoint: ${why}, so connections go to the address that the client chose`,
    hint: () =>
      "Use a Service with a cluster IP (or a ServiceEntry with resolution STATIC or DNS), or remove the subsets.",
  }),
  MSH0120: code<{ subset: string; others: string }>({
    name: "SubsetWithoutLabels",
    level: "Warning",
    summary: "A subset without labels holds all endpoints, also those of its sibling subsets.",
    message: ({ subset, others }) => `subset ${subset} has no labels: it holds every endpoint, also those of ${others}`,
    hint: () => "Add the labels of its pods.",
  }),
  MSH0121: code<{ host: string; service: string }>({
    name: "ServiceEntryHiddenByService",
    level: "Warning",
    summary: "A ServiceEntry has the host of a Service, which comes first.",
    message: ({ host, service }) => `host ${host} is ${service}: this entry is not used where the Service is visible`,
    hint: () => "Give it another host, or remove it.",
  }),
  MSH0122: code<{ host: string; port: number; other: string }>({
    name: "ServiceEntriesForOneHost",
    level: "Warning",
    summary: "Two ServiceEntries define one port of one host.",
    message: ({ host, port, other }) => `${other} defines ${host}:${port} too, and comes first`,
    hint: ({ other }) => `Put endpoints and ports into ${other}, or narrow exportTo of one of them.`,
  }),
  MSH0123: code<{ address: string; port: number; host: string; other: string }>({
    name: "ServiceEntriesForOneAddress",
    level: "Warning",
    summary: "Two hosts have one address and port for a protocol that names no host.",
    message: ({ address, port, host, other }) =>
      `connections to ${address}:${port} cannot be told apart: ${host} of this entry, and ${other}`,
    hint: () => "Give each host an address of its own.",
  }),
  MSH0124: code<{ namespace: string; nearest: string }>({
    name: "ExportToUnknownNamespace",
    level: "Warning",
    summary: "An exportTo names a namespace that does not exist.",
    message: ({ namespace }) => `exportTo names namespace ${namespace}, which does not exist`,
    hint: ({ nearest }) => (nearest === "" ? "Correct the name, or create the namespace." : `Did you mean ${nearest}?`),
  }),
  MSH0125: code<{ applyTo: string; proxies: number; problem: string }>({
    name: "EnvoyFilterPatchWithoutEffect",
    level: "Warning",
    summary: "A patch of an EnvoyFilter changes nothing in any proxy that the object holds for.",
    message: ({ applyTo, proxies, problem }) =>
      problem === ""
        ? `this patch of ${applyTo} changes nothing in the ${proxies === 1 ? "proxy" : `${proxies} proxies`} that the object holds for`
        : `this patch of ${applyTo} is left out: ${problem}`,
    hint: () => "Compare the match with what is there: meshctl proxy-config all POD -o json.",
  }),
} as const;
