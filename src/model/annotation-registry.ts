/** What the mesh knows of an annotation. */
export interface AnnotationFacts {
  /** Kinds that read it; `Any` for all. */
  readonly on: readonly string[];
  /** Deprecated: what to use in its place, "" for nothing. */
  readonly deprecated?: string;
}

const POD: AnnotationFacts = { on: ["Pod"] };
const ANY: AnnotationFacts = { on: ["Any"] };
const GATEWAY: AnnotationFacts = { on: ["Gateway"] };
const ENTRY: AnnotationFacts = { on: ["WorkloadEntry"] };

/**
 * Annotations of the mesh: kinds that read them, and what took the place of those that are deprecated. Istio's registry
 * (istioctl.md 4.6), and three that its injector reads without saying so.
 */
export const annotationRegistry: Readonly<Record<string, AnnotationFacts>> = {
  "alpha.istio.io/canonical-serviceaccounts": { on: ["Service"], deprecated: "" },
  "alpha.istio.io/kubernetes-serviceaccounts": { on: ["Service"], deprecated: "" },
  "ambient.istio.io/bypass-inbound-capture": POD,
  "ambient.istio.io/dns-capture": POD,
  "ambient.istio.io/redirection": POD,
  "ambient.istio.io/waypoint-inbound-binding": { on: ["GatewayClass", "Gateway"] },
  "galley.istio.io/analyze-suppress": ANY,
  "gateway.istio.io/controller-version": ANY,
  "gateway.istio.io/name-override": GATEWAY,
  "gateway.istio.io/service-account": GATEWAY,
  "inject.istio.io/templates": POD,
  "istio.io/autoRegistrationGroup": ENTRY,
  "istio.io/connectedAt": ENTRY,
  "istio.io/disconnectedAt": ENTRY,
  "istio.io/dry-run": { on: ["AuthorizationPolicy"] },
  "istio.io/reroute-virtual-interfaces": POD,
  "istio.io/rev": POD,
  "istio.io/use-waypoint-canary-weight": { on: ["Service", "ServiceEntry", "Namespace"] },
  "istio.io/workloadController": ENTRY,
  "kubernetes.io/ingress.class": { on: ["Ingress"] },
  "networking.istio.io/exportTo": { on: ["Service"] },
  "networking.istio.io/service-type": GATEWAY,
  "networking.istio.io/traffic-distribution": { on: ["Namespace", "Service", "ServiceEntry"] },
  "prometheus.istio.io/merge-metrics": POD,
  "prometheus.istio.io/scrape-targets": POD,
  "prometheus.istio.io/secure-port": POD,
  "proxy.istio.io/config": POD,
  "proxy.istio.io/overrides": POD,
  "readiness.status.sidecar.istio.io/applicationPorts": POD,
  "readiness.status.sidecar.istio.io/failureThreshold": POD,
  "readiness.status.sidecar.istio.io/initialDelaySeconds": POD,
  "readiness.status.sidecar.istio.io/periodSeconds": POD,
  "sidecar.istio.io/agentLogLevel": POD,
  "sidecar.istio.io/bootstrapOverride": POD,
  "sidecar.istio.io/capNetBindService": POD,
  "sidecar.istio.io/componentLogLevel": POD,
  "sidecar.istio.io/discoveryAddress": { on: ["Pod"], deprecated: "discoveryAddress in proxy.istio.io/config" },
  "sidecar.istio.io/extraStatTags": { on: ["Pod"], deprecated: "a Telemetry with tagOverrides" },
  "sidecar.istio.io/inject": { on: ["Pod"], deprecated: "the label of the same name" },
  "sidecar.istio.io/interceptionMode": POD,
  "sidecar.istio.io/logLevel": POD,
  "sidecar.istio.io/nativeSidecar": POD,
  "sidecar.istio.io/proxyCPU": POD,
  "sidecar.istio.io/proxyCPULimit": POD,
  "sidecar.istio.io/proxyImage": POD,
  "sidecar.istio.io/proxyImageType": POD,
  "sidecar.istio.io/proxyMemory": POD,
  "sidecar.istio.io/proxyMemoryLimit": POD,
  "sidecar.istio.io/rewriteAppHTTPProbers": POD,
  "sidecar.istio.io/statsCompression": { on: ["Pod"], deprecated: "" },
  "sidecar.istio.io/statsEvictionInterval": POD,
  "sidecar.istio.io/statsFlushInterval": POD,
  "sidecar.istio.io/statsHistogramBins": POD,
  "sidecar.istio.io/statsHistogramBuckets": POD,
  "sidecar.istio.io/statsInclusionPrefixes": { on: ["Pod"], deprecated: "proxyStatsMatcher in proxy.istio.io/config" },
  "sidecar.istio.io/statsInclusionRegexps": { on: ["Pod"], deprecated: "proxyStatsMatcher in proxy.istio.io/config" },
  "sidecar.istio.io/statsInclusionSuffixes": { on: ["Pod"], deprecated: "proxyStatsMatcher in proxy.istio.io/config" },
  "sidecar.istio.io/status": POD,
  "sidecar.istio.io/userVolume": POD,
  "sidecar.istio.io/userVolumeMount": POD,
  "status.sidecar.istio.io/port": POD,
  "topology.istio.io/controlPlaneClusters": { on: ["Namespace"] },
  "traffic.istio.io/nodeSelector": { on: ["Service"] },
  "traffic.sidecar.istio.io/excludeInboundPorts": POD,
  "traffic.sidecar.istio.io/excludeInterfaces": POD,
  "traffic.sidecar.istio.io/excludeOutboundIPRanges": POD,
  "traffic.sidecar.istio.io/excludeOutboundPorts": POD,
  "traffic.sidecar.istio.io/includeInboundPorts": POD,
  "traffic.sidecar.istio.io/includeOutboundIPRanges": POD,
  "traffic.sidecar.istio.io/includeOutboundPorts": POD,
  "traffic.sidecar.istio.io/kubevirtInterfaces": { on: ["Pod"], deprecated: "istio.io/reroute-virtual-interfaces" },
};
