import { code } from "./code.ts";

/** Istio's codes 0128 to 0155. */
export const istioCodes0128 = {
  IST0128: code<{ rule: string; namespace: string; mode: string; host: string }>({
    name: "NoServerCertificateVerificationDestinationLevel",
    level: "Warning",
    summary: "A DestinationRule starts TLS and does not check whose certificate it gets.",
    message: ({ rule, namespace, mode, host }) =>
      `DestinationRule ${rule} in namespace ${namespace} has TLS mode set to ${mode} but no caCertificates are set to validate server identity for host: ${host}`,
    hint: () => "Set tls.caCertificates, for public servers to /etc/ssl/certs/ca-certificates.crt.",
  }),
  IST0129: code<{ rule: string; namespace: string; mode: string; host: string; port: string }>({
    name: "NoServerCertificateVerificationPortLevel",
    level: "Warning",
    summary: "A DestinationRule starts TLS on a port and does not check whose certificate it gets.",
    message: ({ rule, namespace, mode, host, port }) =>
      `DestinationRule ${rule} in namespace ${namespace} has TLS mode set to ${mode} but no caCertificates are set to validate server identity for host: ${host} at port ${port}`,
    hint: () => "Set tls.caCertificates of that port, for public servers to /etc/ssl/certs/ca-certificates.crt.",
  }),
  IST0130: code<{ rule: string; reason: string }>({
    name: "VirtualServiceUnreachableRule",
    level: "Warning",
    summary: "No request reaches a rule of a VirtualService: rules before it take all of them.",
    message: ({ rule, reason }) => `VirtualService rule ${rule} not used (${reason}).`,
    hint: () => "Move it before the rule that takes its requests, or remove it.",
  }),
  IST0131: code<{ rule: string; match: string; other: string }>({
    name: "VirtualServiceIneffectiveMatch",
    level: "Info",
    summary: "One match of a rule never decides: an earlier rule takes its requests.",
    message: ({ rule, match, other }) =>
      `VirtualService rule ${rule} match ${match} is not used (duplicate/overlapping match in rule ${other}).`,
    hint: () => "Remove the match, or move its rule before the other one.",
  }),
  IST0132: code<{ host: string; gateway: string }>({
    name: "VirtualServiceHostNotFoundInGateway",
    level: "Warning",
    summary: "A VirtualService is bound to a gateway that serves none of its hosts.",
    message: ({ host, gateway }) =>
      `one or more host ${host} defined in VirtualService not found in Gateway ${gateway}`,
    hint: () => "Add the host to a server of the Gateway, or correct it in the VirtualService.",
  }),
  IST0133: code<{ rule: string; problem: string; hint: string }>({
    name: "SchemaWarning",
    level: "Warning",
    summary: "An object is accepted, but part of it has no effect or a surprising one.",
    message: ({ problem }) => `Schema validation warning: ${problem}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
  IST0134: code<{ port: number; protocol: string }>({
    name: "ServiceEntryAddressesRequired",
    level: "Warning",
    summary: "A TCP port of a ServiceEntry without addresses takes all traffic to that port number.",
    message: ({ port, protocol }) =>
      `ServiceEntry addresses are required for this protocol (port ${port}, ${protocol}).`,
    hint: () => "Set addresses, or name the protocol if it is one that carries the host (HTTP, TLS, …).",
  }),
  IST0135: code<{ annotation: string; instead: string }>({
    name: "DeprecatedAnnotation",
    level: "Info",
    summary: "An annotation is deprecated.",
    message: ({ annotation }) =>
      `Annotation "${annotation}" has been deprecated and may not work in future Istio versions.`,
    hint: ({ instead }) => (instead === "" ? "Remove it." : `Use ${instead}.`),
  }),
  IST0137: code<{ deployment: string; services: string; targetPort: string; ports: string }>({
    name: "DeploymentConflictingPorts",
    level: "Warning",
    summary: "Services in front of one workload reach the same port of it under different numbers.",
    message: ({ deployment, services, targetPort, ports }) =>
      `This deployment ${deployment} is associated with multiple services [${services}] using targetPort "${targetPort}" but different ports: [${ports}].`,
    hint: () => "Use one service port number for it; policies and telemetry of the workload know one of them only.",
  }),
  IST0138: code<{ gateways: string }>({
    name: "GatewayDuplicateCertificate",
    level: "Warning",
    summary: "Gateways on the same pods present one certificate for different hosts.",
    message: ({ gateways }) =>
      `Duplicate certificate in multiple gateways [${gateways}] may cause 404s if clients re-use HTTP2 connections.`,
    hint: () => "Put the hosts into one Gateway, or give each its own certificate.",
  }),
  IST0139: code<{ problem: string; hint: string }>({
    name: "InvalidWebhook",
    level: "Error",
    summary: "An injection webhook overlaps with another one, or its service does not exist.",
    message: ({ problem }) => problem,
    hint: ({ hint }) => hint,
  }),
  IST0140: code<{ virtualService: string; ingress: string }>({
    name: "IngressRouteRulesNotAffected",
    level: "Warning",
    summary: "Requests from a gateway go past the subsets that another VirtualService chooses for the same service.",
    message: ({ virtualService, ingress }) =>
      `Subset in virtual service ${virtualService} has no effect on ingress gateway ${ingress} requests`,
    hint: () => "Route to the subsets here too, or bind one VirtualService with both hosts to the gateway and mesh.",
  }),
  IST0144: code<{ who: string }>({
    name: "InvalidApplicationUID",
    level: "Warning",
    summary: "An application runs as user 1337, whose traffic the sidecar lets pass by itself.",
    message: ({ who }) => `User ID (UID) 1337 is reserved for the sidecar proxy (${who}).`,
    hint: () => "Set securityContext.runAsUser to any other number.",
  }),
  IST0145: code<{ gateways: string; selector: string; port: number; hosts: string }>({
    name: "ConflictingGateways",
    level: "Error",
    summary: "Gateways on the same pods define the same host on one port; only one of them has an effect.",
    message: ({ gateways, selector, port, hosts }) =>
      `Conflict with gateways ${gateways} (workload selector ${selector}, port ${port}, hosts ${hosts}).`,
    hint: () => "Keep each host in one server, or merge the Gateways.",
  }),
  IST0146: code<{ kind: string; name: string }>({
    name: "ImageAutoWithoutInjectionWarning",
    level: "Warning",
    summary: "A template says `image: auto` for injection to fill in, but no injection webhook takes its pods.",
    message: ({ kind, name }) =>
      `${kind} ${name} contains \`image: auto\` but does not match any Istio injection webhook selectors.`,
    hint: () => "Label the namespace or the pod template so that a webhook selects it.",
  }),
  IST0147: code<{ kind: string; name: string }>({
    name: "ImageAutoWithoutInjectionError",
    level: "Error",
    summary: "A pod has `image: auto`, which injection should have filled in: it cannot start.",
    message: ({ kind, name }) => `${kind} ${name} contains \`image: auto\`: injection did not take place.`,
    hint: () => "Label the namespace or the pod for injection and create the pod again.",
  }),
  IST0148: code<{ namespace: string }>({
    name: "NamespaceInjectionEnabledByDefault",
    level: "Info",
    summary: "A namespace says nothing about injection, and the mesh injects such namespaces.",
    message: ({ namespace }) =>
      `The namespace ${namespace} is enabled for Istio injection, as Istio is installed with enableNamespacesByDefault as true.`,
    hint: ({ namespace }) => `Run 'kubectl label namespace ${namespace} istio-injection=enabled' to say so openly.`,
  }),
  IST0149: code<{ key: string; gateway: string; pod: string }>({
    name: "JwtClaimBasedRoutingWithoutRequestAuthN",
    level: "Error",
    summary: "A route asks for a claim of a token that nobody validates at the gateway.",
    message: ({ key, gateway, pod }) =>
      `The virtual service uses the JWT claim based routing (key: ${key}) but found no request authentication for the gateway (${gateway}) pod (${pod}).`,
    hint: () =>
      "Apply a RequestAuthentication that selects the gateway's pods; it makes the claims available for routing.",
  }),
  IST0150: code<{ port: string; service: string }>({
    name: "ExternalNameServiceTypeInvalidPortName",
    level: "Warning",
    summary: "A port of an ExternalName service is taken as TCP, so requests cannot be forwarded by host.",
    message: ({ port }) =>
      `Port name for ExternalName service is invalid (${port}). Proxy may prevent tcp named ports and unmatched traffic for ports serving TCP protocol from being forwarded correctly`,
    hint: () => "Name the port by the protocol that it really has: http, https, tls, grpc …",
  }),
  IST0151: code<{ operation: string }>({
    name: "EnvoyFilterUsesRelativeOperation",
    level: "Warning",
    summary: "A patch of an EnvoyFilter depends on others that may not have been applied before it.",
    message: ({ operation }) =>
      `This EnvoyFilter does not have a priority and has a relative patch operation set (${operation}) which can cause the EnvoyFilter not to be applied.`,
    hint: () => "Use INSERT_FIRST or ADD, or set spec.priority.",
  }),
  IST0152: code<{ applyTo: string }>({
    name: "EnvoyFilterUsesReplaceOperationIncorrectly",
    level: "Error",
    summary: "REPLACE is written for something that cannot be replaced; the patch is ignored.",
    message: ({ applyTo }) =>
      `The REPLACE operation is only valid for HTTP_FILTER, NETWORK_FILTER and VIRTUAL_HOST, not for ${applyTo}.`,
    hint: () => "Use MERGE, or REMOVE and ADD.",
  }),
  IST0153: code<{ applyTo: string }>({
    name: "EnvoyFilterUsesAddOperationIncorrectly",
    level: "Error",
    summary: "ADD is written for something that cannot be added; the patch is ignored.",
    message: ({ applyTo }) =>
      `The ADD operation will be ignored when applyTo is set to ROUTE_CONFIGURATION, or HTTP_ROUTE (here: ${applyTo}).`,
    hint: ({ applyTo }) =>
      applyTo === "HTTP_ROUTE" ? "Use INSERT_FIRST, INSERT_BEFORE or INSERT_AFTER." : "Use MERGE.",
  }),
  IST0154: code<{ applyTo: string }>({
    name: "EnvoyFilterUsesRemoveOperationIncorrectly",
    level: "Error",
    summary: "REMOVE is written for something that cannot be removed; the patch is ignored.",
    message: ({ applyTo }) =>
      `The REMOVE operation will be ignored when applyTo is set to ROUTE_CONFIGURATION, or HTTP_ROUTE (here: ${applyTo}).`,
    hint: () => "Use MERGE, or change the routes in a VirtualService.",
  }),
  IST0155: code<{ operation: string; filter: string }>({
    name: "EnvoyFilterUsesRelativeOperationWithProxyVersion",
    level: "Warning",
    summary: "A patch depends on another one that is applied to some proxy versions only.",
    message: ({ operation, filter }) =>
      `This EnvoyFilter does not have a priority and has a relative patch operation (${operation}) on ${filter}, which another patch adds for some values of proxyVersion only: it may not be applied during an upgrade.`,
    hint: () => "Use INSERT_FIRST or ADD, or set spec.priority.",
  }),
} as const;
