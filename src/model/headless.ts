import type { MeshService } from "../ir/service.ts";
import type { SliceEndpoint } from "../resources/core.ts";
import type { ModelContext } from "./context.ts";
import type { Member, Members } from "./members.ts";
import { NETWORK_LABEL } from "./network-gateways.ts";
import type { Networks } from "./networks.ts";

/** One of the pods behind a headless Service. */
export interface HeadlessPod {
  readonly addresses: readonly string[];
  /** Its name within the service, e.g. `db-0` of a StatefulSet; "" for none. */
  readonly hostname: string;
  readonly cluster: string;
  /** The network that it stands on; "" for none. */
  readonly network: string;
}

/** Asked of a Service without cluster IP: its ready pods, and all of them when it publishes those that are not ready. */
export function createHeadless(
  { derivations }: ModelContext,
  members: Members,
  networks: Networks,
): (service: MeshService) => readonly HeadlessPod[] {
  const networkOf = (member: Member, namespace: string, { targetRef, addresses }: SliceEndpoint): string => {
    if (!networks.matter()) return "";
    const label = member.pods.facts(namespace, targetRef?.name ?? "")?.labels[NETWORK_LABEL] ?? "";
    return networks.of(member, { namespace, label, address: addresses[0] ?? "" });
  };
  const inCluster = (member: Member, namespace: string, name: string): readonly HeadlessPod[] => {
    const { world, clusterId: cluster } = member;
    const notReadyToo = world.get("Service", namespace, name)?.spec?.publishNotReadyAddresses === true;
    return world
      .by("endpointSlicesOfService", `${namespace}/${name}`)
      .filter(({ addressType }) => addressType !== "FQDN")
      .flatMap((slice) => slice.endpoints ?? [])
      .filter(({ conditions }) => notReadyToo || conditions?.ready !== false)
      .map((endpoint) => ({
        addresses: endpoint.addresses,
        hostname: endpoint.hostname ?? "",
        cluster,
        network: networkOf(member, namespace, endpoint),
      }));
  };
  const of = derivations.keyed("headless", (namespace: string, name: string): readonly HeadlessPod[] =>
    members.all().flatMap((member) => inCluster(member, namespace, name)),
  );
  return ({ namespace, from }) => of(namespace, from.name);
}
