import { compact } from "../base/compact.ts";
import type { Cluster } from "../ir/cluster.ts";
import type { InboundPort } from "../ir/listener.ts";
import type { Model } from "../model/model.ts";

/** `inboundClusterStatName`: the same of a workload's own port. */
export function inboundStatName(
  model: Model,
  { service, targetPort }: Pick<InboundPort, "service" | "targetPort">,
): Pick<Cluster, "statName"> {
  if (service === undefined) return {};
  const { port } = service;
  const portName = kubernetes(model, service)?.ports.find(({ number }) => number === port)?.name ?? "";
  return compact({
    statName: clusterStatName(model, "inboundClusterStatName", { service, port, portName, targetPort, subset: "" }),
  });
}

/** A port of a service, or of a workload, that has a cluster. */
export interface StatPlace {
  readonly service: NonNullable<Cluster["service"]>;
  readonly port: number;
  readonly portName: string;
  readonly targetPort: number;
  readonly subset: string;
}

/** The pattern of the mesh's configuration with its words filled in, in Istio's order; undefined: none is given. */
export function clusterStatName(model: Model, field: string, place: StatPlace): string | undefined {
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
function kubernetes(model: Model, { host, name, namespace }: StatPlace["service"]) {
  const service = model.services.kubernetes(namespace, name);
  return service?.hostname === host ? service : undefined;
}
