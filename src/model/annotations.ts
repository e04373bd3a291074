import { own } from "../base/own.ts";
import { type AnnotationFacts, annotationRegistry } from "./annotation-registry.ts";
import { VALUES, type ValueRule } from "./annotation-values.ts";

/** Whether a key looks like one of the mesh: of `istio.io` or a name below it. */
export function isMeshAnnotation(key: string): boolean {
  const end = key.indexOf("/");
  if (end < 0 || !key.startsWith("istio.io", end - "istio.io".length)) return false;
  return end === "istio.io".length || key[end - "istio.io".length - 1] === ".";
}

/** What is known of an annotation, or undefined for one that nothing reads. */
export function annotationFacts(key: string): AnnotationFacts | undefined {
  return own(annotationRegistry, key);
}

/** Annotations that are accepted and do nothing any more. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(["readiness.status.sidecar.istio.io/applicationPorts"]);

/** Whether an annotation is known and has no effect. */
export function isWithoutEffect(key: string): boolean {
  return WITHOUT_EFFECT.has(key);
}

/** Annotations whose values the injector refuses when they make no sense, with what it expects. istioctl.md 4.6. */
const ANNOTATIONS: Readonly<Record<string, ValueRule>> = {
  "ambient.istio.io/bypass-inbound-capture": VALUES.boolean,
  "ambient.istio.io/dns-capture": VALUES.boolean,
  "apm.datadoghq.com/env": VALUES.texts,
  "inject.istio.io/templates": VALUES.templates,
  "istio.io/reroute-virtual-interfaces": VALUES.interfaces,
  "prometheus.istio.io/merge-metrics": VALUES.boolean,
  "prometheus.istio.io/scrape-targets": VALUES.scrapeTargets,
  "prometheus.istio.io/secure-port": VALUES.port,
  "proxy.istio.io/config": VALUES.proxyConfig,
  "readiness.status.sidecar.istio.io/failureThreshold": VALUES.number,
  "readiness.status.sidecar.istio.io/initialDelaySeconds": VALUES.seconds,
  "readiness.status.sidecar.istio.io/periodSeconds": VALUES.seconds,
  "sidecar.istio.io/agentLogLevel": VALUES.agentLevels,
  "sidecar.istio.io/bootstrapOverride": VALUES.configMap,
  "sidecar.istio.io/capNetBindService": VALUES.boolean,
  "sidecar.istio.io/componentLogLevel": VALUES.componentLevels,
  "sidecar.istio.io/discoveryAddress": VALUES.address,
  "sidecar.istio.io/interceptionMode": VALUES.oneOf("REDIRECT", "TPROXY", "NONE"),
  "sidecar.istio.io/logLevel": VALUES.envoyLevel,
  "sidecar.istio.io/nativeSidecar": VALUES.boolean,
  "sidecar.istio.io/proxyCPU": VALUES.quantity("100m"),
  "sidecar.istio.io/proxyCPULimit": VALUES.quantity("2"),
  "sidecar.istio.io/proxyImage": VALUES.image,
  "sidecar.istio.io/proxyImageType": VALUES.imageType,
  "sidecar.istio.io/proxyMemory": VALUES.quantity("128Mi"),
  "sidecar.istio.io/proxyMemoryLimit": VALUES.quantity("1Gi"),
  "sidecar.istio.io/rewriteAppHTTPProbers": VALUES.boolean,
  "sidecar.istio.io/statsCompression": VALUES.oneOf("brotli", "gzip", "zstd"),
  "sidecar.istio.io/statsEvictionInterval": VALUES.duration,
  "sidecar.istio.io/statsFlushInterval": VALUES.duration,
  "sidecar.istio.io/statsHistogramBins": VALUES.number,
  "sidecar.istio.io/statsHistogramBuckets": VALUES.buckets,
  "sidecar.istio.io/userVolume": VALUES.volumes,
  "sidecar.istio.io/userVolumeMount": VALUES.mounts,
  "status.sidecar.istio.io/port": VALUES.statusPort,
  "traffic.sidecar.istio.io/excludeInboundPorts": VALUES.ports,
  "traffic.sidecar.istio.io/excludeInterfaces": VALUES.interfaces,
  "traffic.sidecar.istio.io/excludeOutboundIPRanges": VALUES.cidrs,
  "traffic.sidecar.istio.io/excludeOutboundPorts": VALUES.ports,
  "traffic.sidecar.istio.io/includeInboundPorts": VALUES.portsOrAll,
  "traffic.sidecar.istio.io/includeOutboundIPRanges": VALUES.cidrsOrAll,
  "traffic.sidecar.istio.io/includeOutboundPorts": VALUES.ports,
  "traffic.sidecar.istio.io/kubevirtInterfaces": VALUES.interfaces,
};

/** Labels of pods that the injector reads, and whose values are a choice. */
const LABELS: Readonly<Record<string, ValueRule>> = {
  "networking.istio.io/tunnel": VALUES.oneOf("http", "none"),
  "security.istio.io/tlsMode": VALUES.oneOf("istio", "disabled"),
};

/** Why the value of an annotation has no meaning, as `expected …, got …`; undefined when it is right or not checked. */
export function annotationProblem(key: string, value: string): string | undefined {
  return problemOf(own(ANNOTATIONS, key), value);
}

/** annotationProblem for labels of pods. */
export function labelProblem(key: string, value: string): string | undefined {
  return problemOf(own(LABELS, key), value);
}

function problemOf(rule: ValueRule | undefined, value: string): string | undefined {
  return rule === undefined || rule.check(value) ? undefined : `expected ${rule.expected}, got "${value}"`;
}
