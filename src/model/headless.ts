import type { MeshService } from "../ir/service.ts";
import type { SliceEndpoint } from "../resources/core.ts";
import type { ModelContext } from "./context.ts";
import type { Member, Members } from "./members.ts";
import { byText } from "./order.ts";

/** Addresses behind a headless Service, as a cluster's DNS names them. */
export interface Headless {
  /** Of all its ready pods (of all, when it publishes those that are not ready), sorted. */
  readonly addresses: readonly string[];
  /** By the host name of a pod, e.g. `db-0` of a StatefulSet. */
  readonly byHostname: Readonly<Record<string, readonly string[]>>;
}

/** Asked of a Service without cluster IP. */
export function createHeadless({ derivations }: ModelContext, members: Members): (service: MeshService) => Headless {
  const inCluster = ({ world }: Member, namespace: string, name: string): readonly SliceEndpoint[] => {
    const notReadyToo = world.get("Service", namespace, name)?.spec?.publishNotReadyAddresses === true;
    return world
      .by("endpointSlicesOfService", `${namespace}/${name}`)
      .filter(({ addressType }) => addressType !== "FQDN")
      .flatMap((slice) => slice.endpoints ?? [])
      .filter(({ conditions }) => notReadyToo || conditions?.ready !== false);
  };
  const of = derivations.keyed("headless", (namespace: string, name: string): Headless => {
    const endpoints = members.all().flatMap((member) => inCluster(member, namespace, name));
    const named = endpoints.filter(({ hostname }) => hostname !== undefined && hostname !== "");
    const hostnames = [...new Set(named.map(({ hostname }) => hostname ?? ""))].toSorted(byText);
    return {
      addresses: addressesOf(endpoints),
      byHostname: Object.fromEntries(
        hostnames.map((hostname) => [hostname, addressesOf(named.filter((other) => other.hostname === hostname))]),
      ),
    };
  });
  return ({ namespace, from }) => of(namespace, from.name);
}

/** Two slices may list one address while Kubernetes moves it between them. */
function addressesOf(endpoints: readonly SliceEndpoint[]): readonly string[] {
  return [...new Set(endpoints.flatMap(({ addresses }) => addresses))].toSorted(byText);
}
