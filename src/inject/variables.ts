import { compact } from "../base/compact.ts";
import { merge } from "../base/merge.ts";
import { canonicalNames, type WorkloadOwner, workloadOwner } from "../model/workload.ts";
import type { Container, EnvVar } from "../resources/core.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { type InjectContext, InjectionError, type InjectorValues, type PodLike } from "./config.ts";

type Annotations = Readonly<Record<string, string>>;

/** Ports of the proxy itself: never captured, so that probes and scrapes reach it. */
const OWN_PORTS = "15090,15021,15020";

/** What postprocessing found in the application: JSON for the agent, absent when there is nothing. */
export interface AppFacts {
  readonly probersJson: string | undefined;
  readonly scrapeJson: string | undefined;
}

/** What the holes of a template can name: one flat, documented set, so that a user's own template sees the same. */
export function templateVariables(
  pod: PodLike,
  context: InjectContext,
  facts: AppFacts,
): Readonly<Record<string, unknown>> {
  const { values, meshConfig } = context;
  const annotations = pod.metadata?.annotations ?? {};
  const proxyConfig = effectiveProxyConfig(annotations, context);
  const apps = pod.spec.containers.filter((container) => container.name !== "istio-proxy");
  const { global } = values;
  const text = (value: string | undefined, fallback?: string): string | undefined =>
    value === undefined || value === "" ? fallback : value;
  return {
    labels: pod.metadata?.labels ?? {},
    annotations,
    defaults: { tlsMode: "istio" },
    values: withNames(values),
    meshConfig,
    proxyConfig,
    revision: context.revision,
    workload: workloadNames(pod, context),
    image: proxyImage(annotations, values),
    imagePullSecrets: (global.imagePullSecrets ?? []).map((name) => ({ name })),
    resources: proxyResources(annotations, values),
    caAddress: text(global.caAddress, `${istiod(context)}:15012`),
    trustDomain: text(meshConfig.trustDomain, global.proxy.clusterDomain),
    meshId: text(global.meshID),
    proxyConfigJson: JSON.stringify(proxyConfig),
    proxyMetadataEnv: metadataEnv(proxyConfig, context),
    log: logLevels(annotations, values),
    capture: capture(annotations, values, proxyConfig),
    probes: probeSettings(annotations, values),
    app: {
      firstContainer: apps[0]?.name,
      containers: apps.map((container) => container.name).join(","),
      portsJson: JSON.stringify(apps.flatMap(containerPorts)),
      ...compact(facts),
    },
  };
}

/** What telemetry calls the workload, e.g. `owner: kubernetes://apis/apps/v1/namespaces/shop/deployments/web`. */
function workloadNames(
  { metadata = {} }: PodLike,
  { namespace, owner = workloadOwner(metadata) }: InjectContext,
): unknown {
  const { workload, canonical, revision } = canonicalNames(metadata, owner);
  return {
    name: workload,
    owner: owner === undefined ? undefined : ownerUri(owner, namespace),
    canonicalName: canonical,
    canonicalRevision: revision,
  };
}

function ownerUri({ apiVersion, kind, name }: WorkloadOwner, namespace: string): string {
  return `kubernetes://apis/${apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
}

function logLevels(annotations: Annotations, { global }: InjectorValues): unknown {
  const asked = (name: string, fallback: string): string => annotations[`sidecar.istio.io/${name}`] ?? fallback;
  return {
    envoy: asked("logLevel", global.proxy.logLevel),
    envoyComponents: asked("componentLogLevel", global.proxy.componentLogLevel),
    agent: asked("agentLogLevel", global.logging?.level ?? "default:info"),
  };
}

/** The status port of the agent for this pod; 0 means no probes. */
export function statusPort(annotations: Annotations, values: InjectorValues): number {
  const asked = annotations["status.sidecar.istio.io/port"];
  return asked === undefined ? values.global.proxy.statusPort : Number(asked);
}

/** Mesh-wide proxy settings with the pod's own annotation on top; Istio's order without the ProxyConfig kind. */
function effectiveProxyConfig(annotations: Annotations, context: InjectContext): Readonly<Record<string, unknown>> {
  const mesh = { discoveryAddress: `${istiod(context)}:15012`, ...context.meshConfig.defaultConfig };
  const own = annotations["proxy.istio.io/config"];
  if (own === undefined) return mesh;
  const parsed = parseYaml(own);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new InjectionError(`annotation proxy.istio.io/config: expected YAML of a ProxyConfig, got "${own}"`);
  return merge(mesh, parsed) as Record<string, unknown>;
}

function istiod(context: InjectContext): string {
  const service = context.revision === "default" ? "istiod" : `istiod-${context.revision}`;
  return `${service}.${context.values.global.istioNamespace}.svc`;
}

/** Values with Istio's default cluster name, and without a network where none is named. */
function withNames(values: InjectorValues): unknown {
  const { multiCluster, network } = values.global;
  const clusterName = multiCluster?.clusterName ?? "";
  const global = {
    multiCluster: { clusterName: clusterName === "" ? "Kubernetes" : clusterName },
    ...(network === "" ? { network: null } : {}),
  };
  return merge(values, { global });
}

function proxyImage(annotations: Annotations, { global }: InjectorValues): string {
  const image = annotations["sidecar.istio.io/proxyImage"] ?? global.proxy.image;
  return image.includes("/") ? image : `${global.hub}/${image}:${global.tag}`;
}

/** Any of the four annotations drops all defaults, as in Istio: a limit below a default request would not start. */
function proxyResources(annotations: Annotations, { global }: InjectorValues): unknown {
  const amount = (name: string): string | undefined => annotations[`sidecar.istio.io/${name}`];
  const requests = compact({ cpu: amount("proxyCPU"), memory: amount("proxyMemory") });
  const limits = compact({ cpu: amount("proxyCPULimit"), memory: amount("proxyMemoryLimit") });
  const isAsked = Object.keys(requests).length + Object.keys(limits).length > 0;
  if (!isAsked) return global.proxy.resources;
  return {
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
}

function metadataEnv(proxyConfig: Readonly<Record<string, unknown>>, context: InjectContext): EnvVar[] {
  const metadata = (proxyConfig["proxyMetadata"] ?? {}) as Record<string, string>;
  const entries = { ...metadata, ...context.extraEnv };
  return Object.entries(entries).map(([name, value]) => ({ name, value: String(value) }));
}

function capture(
  annotations: Annotations,
  { global: { proxy } }: InjectorValues,
  proxyConfig: Readonly<Record<string, unknown>>,
): unknown {
  const configured = proxyConfig["interceptionMode"];
  const mode =
    annotations["sidecar.istio.io/interceptionMode"] ??
    (typeof configured === "string" ? configured : undefined) ??
    proxy.interceptionMode ??
    "REDIRECT";
  const traffic = (name: string, fallback: string): string =>
    annotations[`traffic.sidecar.istio.io/${name}`] ?? fallback;
  const excluded = traffic("excludeInboundPorts", proxy.excludeInboundPorts);
  const more: readonly (readonly [string, string])[] = [
    ["-q", traffic("includeOutboundPorts", proxy.includeOutboundPorts)],
    ["-o", traffic("excludeOutboundPorts", proxy.excludeOutboundPorts)],
    ["-c", traffic("excludeInterfaces", "")],
    ["-k", annotations["istio.io/reroute-virtual-interfaces"] ?? ""],
  ];
  return {
    mode,
    enabled: mode !== "NONE",
    includeOutboundIPRanges: traffic("includeOutboundIPRanges", proxy.includeIPRanges),
    excludeOutboundIPRanges: traffic("excludeOutboundIPRanges", proxy.excludeIPRanges),
    includeInboundPorts: traffic("includeInboundPorts", proxy.includeInboundPorts),
    excludeInboundPorts: excluded === "" ? OWN_PORTS : `${OWN_PORTS},${excluded}`,
    more: more.flatMap(([flag, value]) => (value === "" ? [] : [flag, value])),
  };
}

function probeSettings(annotations: Annotations, values: InjectorValues): unknown {
  const { proxy } = values.global;
  const asked = (name: string, fallback: number): number =>
    Number(annotations[`readiness.status.sidecar.istio.io/${name}`] ?? fallback);
  const isOn = statusPort(annotations, values) !== 0;
  return {
    readiness: isOn,
    startup: isOn && proxy.startupProbe.enabled,
    initialDelaySeconds: asked("initialDelaySeconds", proxy.readinessInitialDelaySeconds),
    periodSeconds: asked("periodSeconds", proxy.readinessPeriodSeconds),
    failureThreshold: asked("failureThreshold", proxy.readinessFailureThreshold),
  };
}

function containerPorts(container: Container): readonly unknown[] {
  return (container.ports ?? []).map(({ name, containerPort, protocol }) => compact({ name, containerPort, protocol }));
}
