import { code } from "./code.ts";

/** Istio's codes 0156 to 0177. */
export const istioCodes0156 = {
  IST0156: code<{ crd: string; served: string }>({
    name: "UnsupportedGatewayAPIVersion",
    level: "Error",
    summary: "A CRD of Gateway API is so old that its objects cannot be read.",
    message: ({ crd, served }) =>
      `The Gateway API CRD ${crd} (serving ${served}) is lower than the minimum version: v1beta1`,
    hint: () => "Upgrade the Gateway API CRDs.",
  }),
  IST0157: code<{ name: string; namespace: string }>({
    name: "InvalidTelemetryProvider",
    level: "Warning",
    summary: "A Telemetry asks for access logs, and neither it nor the mesh names a provider.",
    message: ({ name, namespace }) =>
      `The Telemetry ${name} in namespace "${namespace}" with empty providers will be ignored.`,
    hint: () =>
      "Name a provider (envoy writes to standard output), or set defaultProviders.accessLogging in MeshConfig.",
  }),
  IST0158: code<{ pods: string; image: string }>({
    name: "PodsIstioProxyImageMismatchInNamespace",
    level: "Warning",
    summary: "Pods run another proxy image than injection would give them now.",
    message: ({ pods }) =>
      `The Istio proxy images of the pods running in the namespace do not match the image defined in the injection configuration (pod names: [${pods}]).`,
    hint: ({ image }) => `Restart their workloads (kubectl rollout restart) to get ${image}.`,
  }),
  IST0159: code<{ telemetries: string; namespace: string; pod: string; signals: string }>({
    name: "ConflictingTelemetryWorkloadSelectors",
    level: "Error",
    summary: "Several Telemetries configure the same signal of one pod.",
    message: ({ telemetries, namespace, pod }) =>
      `The Telemetries [${telemetries}] in namespace "${namespace}" select the same workload pod "${pod}", which can lead to undefined behavior.`,
    hint: ({ signals }) => `Merge what they say about ${signals}, or give them selectors that do not overlap.`,
  }),
  IST0160: code<{ telemetries: string; namespace: string }>({
    name: "MultipleTelemetriesWithoutWorkloadSelectors",
    level: "Error",
    summary: "A namespace has several Telemetries without selector; only the oldest has an effect.",
    message: ({ telemetries, namespace }) =>
      `The Telemetries [${telemetries}] in namespace "${namespace}" have no workload selector, which can lead to undefined behavior.`,
    hint: () => "Merge them into one.",
  }),
  IST0161: code<{ gateway: string; namespace: string; secret: string; reason: string }>({
    name: "InvalidGatewayCredential",
    level: "Error",
    summary: "The Secret that a Gateway names holds no certificate that can be served now.",
    message: ({ gateway, namespace, secret, reason }) =>
      `The credential referenced by the Gateway ${gateway} in namespace ${namespace} is invalid, which can cause the traffic not to work as expected (Secret ${secret}: ${reason}).`,
    hint: ({ secret }) => `Correct Secret ${secret}: it needs tls.crt and tls.key in PEM, and for MUTUAL ca.crt.`,
  }),
  IST0162: code<{ port: number; selector: string; ports: string }>({
    name: "GatewayPortNotDefinedOnService",
    level: "Warning",
    summary: "A Gateway listens on a port that no Service in front of its pods has.",
    message: ({ port, selector }) =>
      `The gateway is listening on a target port (port ${port}) that is not defined in the Service associated with its workload instances (Pod selector ${selector}).`,
    hint: ({ ports }) => `Add the port to the Service, or use one that it has: ${ports}.`,
  }),
  IST0163: code<{ hostname: string; webhook: string; problem: string }>({
    name: "InvalidExternalControlPlaneConfig",
    level: "Warning",
    summary: "A webhook of the control plane says nowhere that the API server could call.",
    message: ({ hostname, webhook, problem }) =>
      `The hostname (${hostname}) that was provided for the webhook (${webhook}) to reach the ingress gateway on the external control plane cluster ${problem}. Traffic may not flow properly.`,
    hint: () => "Set clientConfig.service, or clientConfig.url to an https URL of the control plane.",
  }),
  IST0164: code<{ hostname: string; webhook: string }>({
    name: "ExternalControlPlaneAddressIsNotAHostname",
    level: "Info",
    summary: "A webhook calls an external control plane by an IP address.",
    message: ({ hostname, webhook }) =>
      `The address (${hostname}) that was provided for the webhook (${webhook}) to reach the ingress gateway on the external control plane cluster is an IP address. This is not recommended for a production environment.`,
    hint: () => "Use a DNS name: an address cannot be moved, and its certificate cannot be renewed elsewhere.",
  }),
  IST0165: code<{ virtualService: string; gateway: string; meant: string }>({
    name: "ReferencedInternalGateway",
    level: "Warning",
    summary:
      "A VirtualService names a Gateway that is made from a Gateway of Gateway API, under a name that may change.",
    message: ({ virtualService, gateway }) =>
      `Gateway reference in VirtualService ${virtualService} is to an implementation-generated internal Gateway: ${gateway}.`,
    hint: ({ meant }) => `Name the Gateway itself: ${meant}; or write an HTTPRoute.`,
  }),
  IST0166: code<{ gateway: string; kind: string }>({
    name: "IneffectiveSelector",
    level: "Warning",
    summary: "A policy selects pods of a Gateway API gateway by labels, which has no effect there.",
    message: ({ gateway }) => `Ineffective selector on Kubernetes Gateway ${gateway}. Use the TargetRef field instead.`,
    hint: ({ gateway }) =>
      `Set targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: ${gateway} }] in place of selector.`,
  }),
  IST0167: code<{ reason: string }>({
    name: "IneffectivePolicy",
    level: "Warning",
    summary: "An object configures sidecars where there are none.",
    message: ({ reason }) => `The policy has no impact: ${reason}.`,
    hint: () => "Remove it, or take the workloads out of ambient mode.",
  }),
  IST0170: code<{ service: string; namespace: string; clusters: string; differences: string }>({
    name: "MultiClusterInconsistentService",
    level: "Warning",
    summary: "A Service is not the same in all clusters of the mesh.",
    message: ({ service, namespace, clusters, differences }) =>
      `The service ${service} in namespace "${namespace}" is inconsistent across clusters "${clusters}", which can lead to undefined behaviors. The inconsistent behaviors are: ${differences}.`,
    hint: () => "Apply the same Service in every cluster.",
  }),
  IST0171: code<{ type: string; reason: string; message: string }>({
    name: "NegativeConditionStatus",
    level: "Warning",
    summary: "The status of an object says that something about it did not work.",
    message: ({ type, reason, message }) =>
      `A condition with a negative status is present: type=${type}, reason=${reason}, message=${message}.`,
    hint: () => undefined,
  }),
  IST0172: code<{ crd: string; served: string }>({
    name: "FutureUnsupportedGatewayAPIVersion",
    level: "Warning",
    summary: "A CRD of Gateway API serves no v1, which will be needed.",
    message: ({ crd, served }) =>
      `The Gateway API CRD ${crd} (serving ${served}) is lower than the minimum version: v1`,
    hint: () => "Upgrade the Gateway API CRDs.",
  }),
  IST0173: code<{ subset: string; where: string }>({
    name: "DestinationRuleSubsetNotSelectPods",
    level: "Error",
    summary: "A subset has no pods: requests to it are answered 503.",
    message: ({ subset }) =>
      `The Subset ${subset} defined in the DestinationRule does not select any pods. Which may lead to 503 UH (NoHealthyUpstream).`,
    hint: ({ where }) => where,
  }),
  IST0174: code<{ host: string; where: string }>({
    name: "UnknownDestinationRuleHost",
    level: "Warning",
    summary: "A DestinationRule is for a host that no service has, so it has no effect.",
    message: ({ host }) => `The host ${host} defined in the DestinationRule does not match any services in the mesh.`,
    hint: ({ where }) => where,
  }),
  IST0175: code<{ count: number; names: string }>({
    name: "JwksUriFetchUnrestricted",
    level: "Warning",
    summary: "The control plane fetches JWKS from any address that a RequestAuthentication names.",
    message: ({ count, names }) =>
      `BLOCKED_CIDRS_IN_JWKS_URIS is not configured but ${count} RequestAuthentication resource(s) exist (${names}).`,
    hint: () => "Set the variable on istiod to the address ranges that must not be asked.",
  }),
  IST0176: code<{ crd: string; installed: string; minimum: string }>({
    name: "GatewayAPICRDVersionBelowMinimum",
    level: "Warning",
    summary: "A CRD of Gateway API is too old: its objects are not processed.",
    message: ({ crd, installed, minimum }) =>
      `Gateway API CRD "${crd}" is at version "${installed}" but Istio requires at least "${minimum}"; resources of this kind will not be processed.`,
    hint: () => "Upgrade the Gateway API CRDs.",
  }),
  IST0177: code<{ entries: string; host: string; port: number; protocols: string }>({
    name: "ConflictingServiceEntryProtocol",
    level: "Warning",
    summary: "ServiceEntries that the same proxies see give one port of a host different protocols.",
    message: ({ entries, host, port, protocols }) =>
      `Multiple ServiceEntries (${entries}) define the same host "${host}" and port ${port} with conflicting protocols (${protocols}).`,
    hint: () => "Agree on one protocol, or keep the entries apart by exportTo.",
  }),
} as const;
