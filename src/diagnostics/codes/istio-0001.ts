import { code } from "./code.ts";

/** "Did you mean X?", or nothing where nothing is close. */
const didYouMean = (nearest: string): string | undefined => (nearest === "" ? undefined : `Did you mean ${nearest}?`);

/** Istio's codes 0001 to 0127. Retired (0104, 0105, 0113-0115, 0117, 0119-0122, 0124): never used. */
export const istioCodes0001 = {
  IST0001: code<{ analyzer: string; reason: string }>({
    name: "InternalError",
    level: "Error",
    summary: "A check failed by itself; what it would have found is not known.",
    message: ({ analyzer, reason }) => `Internal error: ${analyzer}: ${reason}`,
    hint: () => "This is a bug in meshctl: please report it with the object that it names.",
  }),
  IST0002: code<{ kind: string; field: string; instead: string }>({
    name: "Deprecated",
    level: "Warning",
    summary: "A field is deprecated.",
    message: ({ kind, field }) => `Deprecated field in ${kind}: ${field}`,
    hint: ({ instead }) => instead,
  }),
  IST0101: code<{ what: string; name: string; where: string }>({
    name: "ReferencedResourceNotFound",
    level: "Error",
    summary: "Something that an object names does not exist.",
    message: ({ what, name }) => `Referenced ${what} not found: "${name}"`,
    hint: ({ where }) => where,
  }),
  IST0102: code<{ namespace: string }>({
    name: "NamespaceNotInjected",
    level: "Info",
    summary: "A namespace has pods and says nothing about injection, so they get no sidecar.",
    message: () => "The namespace is not enabled for Istio injection.",
    hint: ({ namespace }) =>
      `Run 'kubectl label namespace ${namespace} istio-injection=enabled' to take its pods into the mesh, or 'kubectl label namespace ${namespace} istio-injection=disabled' to say that they stay outside.`,
  }),
  IST0103: code<{ pod: string }>({
    name: "PodMissingProxy",
    level: "Warning",
    summary: "A running pod has no sidecar, although its namespace asks for one.",
    message: ({ pod }) => `The pod ${pod} is missing the Istio proxy.`,
    hint: () => "Restart the workload: sidecars are added when a pod is created (kubectl rollout restart).",
  }),
  IST0106: code<{ rule: string; problem: string; hint: string }>({
    name: "SchemaValidationError",
    level: "Error",
    summary: "An object does not hold to the rules of its kind; the control plane would refuse it.",
    message: ({ problem }) => `Schema validation error: ${problem}`,
    hint: ({ hint }) => (hint === "" ? undefined : hint),
  }),
  IST0107: code<{ annotation: string; kinds: string }>({
    name: "MisplacedAnnotation",
    level: "Warning",
    summary: "An annotation stands on a kind that does not read it.",
    message: ({ annotation, kinds }) => `Misplaced annotation: ${annotation} can only be applied to ${kinds}`,
    hint: ({ kinds }) =>
      kinds === "Pod" ? "Move it to the pod template (spec.template.metadata.annotations)." : `Move it to ${kinds}.`,
  }),
  IST0108: code<{ annotation: string; nearest: string }>({
    name: "UnknownAnnotation",
    level: "Warning",
    summary: "An annotation looks like one of the mesh, but nothing reads it.",
    message: ({ annotation }) => `Unknown annotation: ${annotation}`,
    hint: ({ nearest }) => didYouMean(nearest),
  }),
  IST0109: code<{ virtualServices: string; host: string }>({
    name: "ConflictingMeshGatewayVirtualServiceHosts",
    level: "Error",
    summary: "Several VirtualServices rule one host for the same sidecars; only the oldest has an effect.",
    message: ({ virtualServices, host }) =>
      `The VirtualServices ${virtualServices} associated with mesh gateway define the same host ${host} which can lead to undefined behavior.`,
    hint: () => "Merge their rules into one VirtualService, or keep them apart by exportTo.",
  }),
  IST0110: code<{ sidecars: string; namespace: string; pod: string }>({
    name: "ConflictingSidecarWorkloadSelectors",
    level: "Error",
    summary: "Several Sidecars select one pod; only one of them has an effect.",
    message: ({ sidecars, namespace, pod }) =>
      `The Sidecars [${sidecars}] in namespace "${namespace}" select the same workload pod "${pod}", which can lead to undefined behavior.`,
    hint: () => "Give them selectors that do not overlap, or merge them.",
  }),
  IST0111: code<{ sidecars: string; namespace: string }>({
    name: "MultipleSidecarsWithoutWorkloadSelectors",
    level: "Error",
    summary: "A namespace has several Sidecars without selector; only one of them has an effect.",
    message: ({ sidecars, namespace }) =>
      `The Sidecars [${sidecars}] in namespace "${namespace}" have no workload selector, which can lead to undefined behavior.`,
    hint: () => "Keep one for the namespace; give the others a workloadSelector.",
  }),
  IST0112: code<{ host: string; count: number }>({
    name: "VirtualServiceDestinationPortSelectorRequired",
    level: "Error",
    summary: "A destination names no port, and its service has several.",
    message: ({ host, count }) =>
      `This VirtualService routes to a service "${host}" that exposes multiple ports (${count}). Specifying a port in the destination is required to disambiguate.`,
    hint: () => "Set destination.port.number.",
  }),
  IST0116: code<{ deployment: string; port: number; services: string }>({
    name: "DeploymentAssociatedToMultipleServices",
    level: "Warning",
    summary: "Services in front of one workload use a port number with different transport protocols.",
    message: ({ deployment, port, services }) =>
      `This deployment ${deployment} is associated with multiple services using port ${port} but different protocols: [${services}]`,
    hint: () => "Use one protocol for the port in all of them, or another port number.",
  }),
  IST0118: code<{ name: string; port: number; target: string; nearest: string }>({
    name: "PortNameIsNotUnderNamingConvention",
    level: "Info",
    summary: "The protocol of a port cannot be told from its name, so proxies guess it from the first bytes.",
    message: ({ name, port, target }) =>
      `Port name ${name} (port: ${port}, targetPort: ${target}) doesn't follow the naming convention of Istio port.`,
    hint: ({ nearest }) =>
      `${didYouMean(nearest) ?? ""} Name the port <protocol> or <protocol>-<suffix> (http, http2, grpc, tcp, tls, https, mongo, mysql, redis …), or set appProtocol.`.trim(),
  }),
  IST0123: code<{ labels: string }>({
    name: "NamespaceMultipleInjectionLabels",
    level: "Warning",
    summary: "A namespace has several labels that decide about the mesh, and they contradict each other.",
    message: ({ labels }) =>
      `The namespace has more than one type of injection labels [${labels}], which may lead to undefined behavior.`,
    hint: () => "Keep one of them. istio-injection decides over istio.io/rev.",
  }),
  IST0125: code<{ annotation: string; problem: string }>({
    name: "InvalidAnnotation",
    level: "Warning",
    summary: "The value of an annotation has no meaning; injection refuses a pod with it.",
    message: ({ annotation, problem }) => `Invalid annotation ${annotation}: ${problem}`,
    hint: () => undefined,
  }),
  IST0126: code<{ registry: string; network: string; nearest: string }>({
    name: "UnknownMeshNetworksServiceRegistry",
    level: "Error",
    summary: "A cluster that meshNetworks names is not known to the mesh.",
    message: ({ registry, network }) => `Unknown service registry ${registry} in network ${network}`,
    hint: ({ nearest }) =>
      didYouMean(nearest) ??
      "Name a cluster that has a remote secret (label istio/multiCluster=true), or this cluster's own name.",
  }),
  IST0127: code<{ labels: string }>({
    name: "NoMatchingWorkloadsFound",
    level: "Warning",
    summary: "A policy concerns no workload of the mesh.",
    message: ({ labels }) =>
      labels === ""
        ? "No matching workloads for this resource: no pod of its namespace is in the mesh"
        : `No matching workloads for this resource with the following labels: ${labels}`,
    hint: () => "Correct the selector or the namespace, or see that the pods have a sidecar.",
  }),
} as const;
