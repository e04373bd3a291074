import { madeName } from "../../model/gateway-api-deployments.ts";
import type { ApiGateway } from "../../model/gateway-api-types.ts";
import { serviceHost } from "../../model/host.ts";
import type { Model } from "../../model/model.ts";
import type { Service } from "../../resources/core.ts";
import type { Condition } from "./condition.ts";
import { namedServices } from "./servers.ts";

/** A condition where it stands in the cluster. */
export interface ApiCondition extends Condition {
  readonly lastTransitionTime?: string;
}

interface Address {
  readonly type: "IPAddress" | "Hostname";
  readonly value: string;
}

/** A Gateway's status with its addresses; without any it is not programmed yet. */
export function withAddresses<T extends { readonly conditions: readonly ApiCondition[] }>(
  model: Model,
  gateway: ApiGateway,
  status: T,
): T & { readonly addresses: readonly Address[] } {
  const { addresses, pending } = addressesOf(model, gateway);
  const conditions = status.conditions.map((condition) =>
    condition.type === "Programmed" && condition.status === "True" && addresses.length === 0
      ? { ...condition, status: "False" as const, reason: "AddressNotAssigned", message: pending }
      : condition,
  );
  return { ...status, conditions, addresses };
}

/** Where clients reach a Gateway: by the load balancers of its Services, or by the names of those that have none. */
function addressesOf(
  { world, domain }: Model,
  gateway: ApiGateway,
): { readonly addresses: readonly Address[]; readonly pending: string } {
  const { namespace = "" } = gateway.metadata;
  const written = namedServices(gateway);
  const own = { namespace, name: madeName(gateway) };
  const services = written.length > 0 ? written : [own];
  const addresses = services.flatMap((place) => {
    const service = world.get("Service", place.namespace, place.name);
    return service === undefined ? [] : ofService(service, serviceHost(place.name, place.namespace, domain));
  });
  const words = services.map((place) => `${place.namespace}/${place.name}`).join(" and ");
  return { addresses, pending: `Service ${words} has no address yet` };
}

function ofService({ spec, status }: Service, host: string): readonly Address[] {
  if (spec?.type !== "LoadBalancer") return [{ type: "Hostname", value: host }];
  const given = (status as { readonly loadBalancer?: { readonly ingress?: readonly Loose[] } } | undefined)
    ?.loadBalancer;
  return (given?.ingress ?? []).flatMap(({ ip = "", hostname = "" }): readonly Address[] => {
    if (ip !== "") return [{ type: "IPAddress", value: ip }];
    return hostname === "" ? [] : [{ type: "Hostname", value: hostname }];
  });
}

interface Loose {
  readonly ip?: string;
  readonly hostname?: string;
}
