import { merge } from "../base/merge.ts";
import type { ComponentSettings, Settings } from "./settings.ts";

/**
 * All settings in the form of Istio's Helm values: what stands in `components` under the names that the charts have for it. For
 * people who compare with a Helm installation, or move from one.
 */
export function helmValues(settings: Settings): unknown {
  const { components, meshConfig, revision, hub, tag, namespace, values, unvalidatedValues } = settings;
  const gateways = [...components.ingressGateways, ...components.egressGateways].map((gateway) => [
    gateway.name ?? "",
    ofGateway(gateway),
  ]);
  const own = {
    global: { hub, tag, istioNamespace: namespace },
    revision,
    meshConfig,
    pilot: { enabled: components.pilot.enabled, ...components.pilot.k8s },
    gateways: Object.fromEntries(gateways) as unknown,
  };
  return merge(merge(own, withoutEmptyText(values)), unvalidatedValues ?? {});
}

function ofGateway({ enabled, label, k8s = {} }: ComponentSettings): unknown {
  const { service, ...pods } = k8s;
  return { enabled, ...(label === undefined ? {} : { labels: label }), ...pods, ...(service as object | undefined) };
}

/** hub and tag of values are empty where those at the top of the profile count. */
function withoutEmptyText(values: Settings["values"]): unknown {
  const global = Object.fromEntries(
    Object.entries(values.global).filter(([name, value]) => !(["hub", "tag"].includes(name) && value === "")),
  );
  return { ...values, global };
}
