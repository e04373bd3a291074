import { compact } from "../base/compact.ts";
import type { Proxy } from "../ir/proxy.ts";
import type { Pod } from "../resources/core.ts";
import { refOf } from "../resources/object.ts";
import { readValues } from "../resources/yaml-values.ts";
import type { Model } from "./model.ts";
import { effectiveProxyConfig } from "./proxy-config.ts";
import { ownTracing } from "./own-tracing.ts";
import { proxySettings } from "./proxy-settings.ts";
import { peerLabels } from "./workload.ts";

/** The proxy of a pod as injection would make it, connected or not. */
export function podProxy(pod: Pod, model: Model): Proxy {
  const { namespace, name } = refOf(pod);
  const { metadata, status } = pod;
  const type = model.workloads.isGateway(pod) ? "router" : "sidecar";
  const address = status?.podIP ?? "";
  const dnsDomain = `${namespace}.svc.${model.domain}`;
  const config = ownConfig(pod, model);
  const mode = metadata.annotations?.["sidecar.istio.io/interceptionMode"];
  return {
    id: `${type}~${address}~${name}.${namespace}~${dnsDomain}`,
    type,
    addresses: [address],
    namespace,
    name,
    labels: metadata.labels ?? {},
    serviceAccount: pod.spec?.serviceAccountName ?? "default",
    clusterId: model.clusterId,
    dnsDomain,
    interception: mode === "TPROXY" || mode === "NONE" ? mode : "REDIRECT",
    bind: undefined,
    peer: peerLabels(pod, model.clusterId),
    ...compact({ settings: proxySettings(config, type), tracing: ownTracing(config) }),
  };
}

/** The proxy configuration that injection would hand to the pod's proxy. */
function ownConfig({ metadata }: Pod, { world, rootNamespace, meshConfig }: Model): Readonly<Record<string, unknown>> {
  const text = metadata.annotations?.["proxy.istio.io/config"];
  const [annotation] = text === undefined ? [] : readValues(text);
  return effectiveProxyConfig({
    mesh: meshConfig().defaultConfig,
    resources: world.list("ProxyConfig"),
    rootNamespace,
    namespace: metadata.namespace ?? "",
    labels: metadata.labels ?? {},
    annotation: annotation as Readonly<Record<string, unknown>> | undefined,
  });
}
