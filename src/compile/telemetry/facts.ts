import { compact } from "../../base/compact.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { defaultProviders, telemetryProvider } from "../../model/extension-providers.ts";
import type { Model } from "../../model/model.ts";
import type { TelemetryFacts } from "./site.ts";
import { bySemanticRules } from "./tracing.ts";

/** What decides what a proxy tells, besides the mesh configuration. */
export function telemetryFacts(model: Model, proxy: Proxy): TelemetryFacts {
  const telemetry = model.telemetries.of(proxy);
  return compact({
    telemetry: telemetry.length === 0 ? undefined : telemetry,
    tracing: proxy.tracing,
    serviceName: asksServiceName(model, telemetry) ? serviceName(model, proxy) : undefined,
  });
}

/** Whether a provider that the proxy may trace to names services by OpenTelemetry's rules: each is its own then. */
function asksServiceName(model: Model, telemetry: readonly string[]): boolean {
  const config = model.meshConfig();
  const named = telemetry.flatMap((id) => model.telemetries.byId(id)?.spec?.tracing ?? []);
  const names = [...defaultProviders(config, "tracing"), ...named.flatMap(({ providers = [] }) => providers)];
  return names.some((one) => {
    const provider = telemetryProvider(config, typeof one === "string" ? one : one.name);
    return provider !== undefined && bySemanticRules(provider.settings);
  });
}

/** OpenTelemetry's name of a service of Kubernetes: by annotation, by labels, by the workload. */
function serviceName({ members }: Model, { clusterId, namespace, name, labels, peer }: Proxy): string {
  const annotations = members.of(clusterId).world.get("Pod", namespace, name)?.metadata.annotations ?? {};
  const said = [
    annotations["resource.opentelemetry.io/service.name"],
    labels["app.kubernetes.io/instance"],
    labels["app.kubernetes.io/name"],
    peer.workload,
  ];
  return said.find((one) => one !== undefined && one !== "") ?? "unknown_service";
}
