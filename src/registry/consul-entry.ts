import { compact } from "../base/compact.ts";
import type { KubeObject } from "../resources/object.ts";

/** One instance of a service, as /v1/health/service answers. */
export interface ConsulInstance {
  readonly Node: { readonly Address: string; readonly Datacenter?: string };
  readonly Service: {
    readonly Address: string;
    readonly Port: number;
    readonly Tags?: readonly string[] | null;
    readonly Meta?: Readonly<Record<string, string>> | null;
    readonly Weights?: { readonly Passing?: number };
  };
}

/** Suffix of the names that Consul's own DNS has for services. */
const DOMAIN = "service.consul";

/**
 * A service as a ServiceEntry: host `NAME.service.consul`, one port. Its number is what most instances have (the lowest of
 * several), its protocol the instances' `protocol` in their meta data, else found out by looking. Labels of an instance are its
 * tags of the form `key=value` and its meta data; its region is the datacenter.
 */
export function serviceEntry(name: string, namespace: string, instances: readonly ConsulInstance[]): KubeObject {
  const port = commonPort(instances);
  const protocols = instances.flatMap(({ Service: { Meta } }) => Meta?.["protocol"] ?? []).toSorted();
  const endpoints = instances.map((instance) => endpointOf(instance, port)).toSorted(byText);
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: objectName(name), namespace, labels: { "meshctl.io/registry": "consul" } },
    spec: {
      hosts: [`${name.toLowerCase()}.${DOMAIN}`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [compact({ number: port, name: PORT, protocol: protocols[0]?.toUpperCase() })],
      endpoints,
    },
  };
}

const PORT = "main";

/** Where nobody says (no instance, or one without a port) it is HTTP's: a ServiceEntry must have one. */
function commonPort(instances: readonly ConsulInstance[]): number {
  const counts = new Map<number, number>();
  for (const { Service } of instances)
    if (Service.Port > 0) counts.set(Service.Port, (counts.get(Service.Port) ?? 0) + 1);
  const [most] = [...counts].toSorted(([a, many], [b, more]) => more - many || a - b);
  return most?.[0] ?? 80;
}

function endpointOf({ Node, Service }: ConsulInstance, port: number): Readonly<Record<string, unknown>> {
  const tags = (Service.Tags ?? []).flatMap((tag) => {
    const at = tag.indexOf("=");
    return at > 0 ? [[tag.slice(0, at), tag.slice(at + 1)] as const] : [];
  });
  const labels = Object.fromEntries([...tags, ...Object.entries(Service.Meta ?? {})].toSorted(byText));
  const weight = Service.Weights?.Passing ?? 1;
  return compact({
    address: Service.Address === "" ? Node.Address : Service.Address,
    ports: Service.Port === port || Service.Port === 0 ? undefined : { [PORT]: Service.Port },
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    locality: Node.Datacenter,
    weight: weight === 1 ? undefined : weight,
  });
}

function byText(a: unknown, b: unknown): number {
  const [first, second] = [JSON.stringify(a), JSON.stringify(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Consul takes names that Kubernetes does not. */
function objectName(name: string): string {
  return `consul-${name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-")}`;
}
