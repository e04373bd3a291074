import { compact } from "../base/compact.ts";
import { merge } from "../base/merge.ts";
import type { TEMPLATE_NAMES } from "../model/injection-template.ts";
import { canonicalNames, type WorkloadOwner, workloadOwner } from "../model/workload.ts";
import type { Container } from "../resources/core.ts";
import { captureOf } from "./capture.ts";
import type { InjectContext, InjectorValues, PodLike } from "./config.ts";
import { annotatedVolumes, furtherEnv, metadataEnv } from "./environment.ts";
import { istiod, lifecycleOf, logLevels, probeSettings, proxyImage, proxyResources } from "./proxy-settings.ts";
import { proxyIds, securityOf } from "./security.ts";
import { PROXY } from "./uninject.ts";

/** What was found out about a pod before its templates are filled. */
export interface PodFacts {
  /** JSON for the agent, absent when there is nothing. */
  readonly probersJson: string | undefined;
  readonly scrapeJson: string | undefined;
  /** Effective settings of its proxy. */
  readonly proxyConfig: Readonly<Record<string, unknown>>;
  readonly isNative: boolean;
  readonly holds: boolean;
}

/** What the holes of a template can name: one flat, documented set, so that a user's own template sees the same. */
export function templateVariables(
  pod: PodLike,
  context: InjectContext,
  facts: PodFacts,
): Readonly<Record<(typeof TEMPLATE_NAMES)[number], unknown>> {
  const { values, meshConfig } = context;
  const { proxyConfig, isNative, holds } = facts;
  const annotations = pod.metadata?.annotations ?? {};
  const labels = pod.metadata?.labels ?? {};
  const apps = pod.spec.containers.filter((container) => container.name !== PROXY);
  const { global } = values;
  const ids = proxyIds(pod, context);
  const capture = captureOf({ annotations, values, meshConfig, proxyConfig, uid: ids.uid });
  const trustDomain = text(meshConfig.trustDomain, global.proxy.clusterDomain);
  return {
    annotations,
    app: {
      firstContainer: apps[0]?.name,
      containers: apps.map((container) => container.name).join(","),
      portsJson: JSON.stringify(apps.flatMap(containerPorts)),
      ...compact({ probersJson: facts.probersJson, scrapeJson: facts.scrapeJson }),
    },
    caAddress: text(global.caAddress, `${istiod(context)}:15012`),
    capture,
    defaults: { tlsMode: "istio", tunnel: tunnelOf(proxyConfig), gatewaySecurity: LOW_PORTS },
    env: furtherEnv({ annotations, labels, apps, context }),
    image: proxyImage(annotations, values, proxyConfig),
    imagePullSecrets: (global.imagePullSecrets ?? []).map((name) => ({ name })),
    labels,
    log: logLevels(annotations, values),
    meshConfig,
    meshId: text(global.meshID, trustDomain),
    meta: pod.metadata ?? {},
    ...annotatedVolumes(annotations),
    namespace: context.namespace,
    native: { enabled: isNative, ...(isNative ? { restartPolicy: "Always" } : {}) },
    pod,
    probes: probeSettings(annotations, values),
    proxy: { ...ids, lifecycle: lifecycleOf({ annotations, values, isNative, holds }) },
    proxyConfig,
    proxyConfigJson: JSON.stringify(proxyConfig),
    proxyMetadataEnv: metadataEnv(proxyConfig, context),
    resources: proxyResources(annotations, values),
    revision: context.revision,
    security: securityOf({ context, annotations, proxyConfig, mode: String(capture["mode"]), ids }),
    trustDomain,
    values: withNames(values, context),
    workload: workloadNames(pod, context),
  };
}

/** Gateways bind the ports of their listeners, which may be low, as an ordinary user. */
const LOW_PORTS = { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] };

function text(value: string | undefined, fallback?: string): string | undefined {
  return value === undefined || value === "" ? fallback : value;
}

function tunnelOf(proxyConfig: Readonly<Record<string, unknown>>): string | undefined {
  const metadata = (proxyConfig["proxyMetadata"] ?? {}) as Readonly<Record<string, unknown>>;
  return metadata["ISTIO_META_ENABLE_HBONE"] === "true" ? "http" : undefined;
}

/** What telemetry calls the workload, e.g. `owner: kubernetes://apis/apps/v1/namespaces/shop/deployments/web`. */
function workloadNames(
  { metadata = {} }: PodLike,
  { namespace, owner = workloadOwner(metadata) }: InjectContext,
): unknown {
  const { workload, canonical, revision } = canonicalNames(metadata, owner);
  return {
    name: metadata.labels?.["service.istio.io/workload-name"] ?? workload,
    owner: owner === undefined ? undefined : ownerUri(owner, namespace),
    canonicalName: canonical,
    canonicalRevision: revision,
  };
}

function ownerUri({ apiVersion, kind, name }: WorkloadOwner, namespace: string): string {
  return `kubernetes://apis/${apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
}

/**
 * Values with Istio's default cluster name, and without a network where none is named. A pod of another cluster than the
 * injector's has both by the webhook's URL.
 */
function withNames(values: InjectorValues, { extraEnv = {} }: InjectContext): unknown {
  const clusterName = extraEnv["ISTIO_META_CLUSTER_ID"] ?? values.global.multiCluster?.clusterName ?? "";
  const network = extraEnv["ISTIO_META_NETWORK"] ?? values.global.network ?? "";
  const global = {
    multiCluster: { clusterName: clusterName === "" ? "Kubernetes" : clusterName },
    network: network === "" ? null : network,
  };
  return merge(values, { global });
}

function containerPorts(container: Container): readonly unknown[] {
  return (container.ports ?? []).map(({ name, containerPort, protocol }) => compact({ name, containerPort, protocol }));
}
