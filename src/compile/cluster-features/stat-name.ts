import { compact } from "../../base/compact.ts";
import type { Cluster } from "../../ir/cluster.ts";
import type { InboundPort } from "../../ir/listener.ts";
import type { Model } from "../../model/model.ts";
import type { ClusterFeature } from "./types.ts";

/** `outboundClusterStatName`: the name that a service's cluster has in statistics. */
export const statName: ClusterFeature = {
  of: (model, { service: { hostname: host, name, namespace }, port, subset }) =>
    compact({
      statName: named(model, "outboundClusterStatName", {
        service: { host, name, namespace },
        port: port.number,
        portName: port.name,
        targetPort: 0,
        subset,
      }),
    }),
};

/** `inboundClusterStatName`: the same of a workload's own port. */
export function inboundStatName(
  model: Model,
  { service, targetPort }: Pick<InboundPort, "service" | "targetPort">,
): Pick<Cluster, "statName"> {
  if (service === undefined) return {};
  const { port } = service;
  const portName = kubernetes(model, service)?.ports.find(({ number }) => number === port)?.name ?? "";
  return compact({
    statName: named(model, "inboundClusterStatName", { service, port, portName, targetPort, subset: "" }),
  });
}

interface Place {
  readonly service: NonNullable<Cluster["service"]>;
  readonly port: number;
  readonly portName: string;
  readonly targetPort: number;
  readonly subset: string;
}

/** The pattern of the mesh's configuration with its words filled in, in Istio's order; undefined: none is given. */
function named(model: Model, field: string, place: Place): string | undefined {
  const pattern = model.meshConfig().raw[field];
  if (typeof pattern !== "string" || pattern === "") return undefined;
  const { host, name, namespace } = place.service;
  const isKubernetes = kubernetes(model, place.service) !== undefined;
  return pattern
    .replaceAll("%SERVICE%", () => (isKubernetes ? `${name}.${namespace}` : host))
    .replaceAll("%SERVICE_NAME%", () => (isKubernetes ? name : host))
    .replaceAll("%SERVICE_FQDN%", () => host)
    .replaceAll("%SUBSET_NAME%", () => place.subset)
    .replaceAll("%TARGET_PORT%", String(place.targetPort))
    .replaceAll("%SERVICE_PORT%", String(place.port))
    .replaceAll("%SERVICE_PORT_NAME%", () => place.portName);
}

/** Other hosts than Services have no name but the host. */
function kubernetes(model: Model, { host, name, namespace }: Place["service"]) {
  const service = model.services.kubernetes(namespace, name);
  return service?.hostname === host ? service : undefined;
}
