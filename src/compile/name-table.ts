import { isIP } from "node:net";
import type { NameEntry } from "../ir/names.ts";
import type { MeshService } from "../ir/service.ts";
import type { CompileContext } from "./context.ts";
import type { HeadlessPod } from "../model/headless.ts";
import { byText } from "../model/order.ts";
import { positionOf } from "./networks.ts";
import type { ScopeFacts } from "./scope.ts";

/**
 * The names that a proxy's agent answers, sorted by host; undefined for a scope that does not capture DNS. A service stands
 * with its virtual addresses, a headless one with those of its pods, and each pod that has a host name with its own. Addresses
 * of a family that the proxy has not are left out, except those that a ServiceEntry writes down.
 */
export function createNameTable(context: CompileContext): (scope: string) => readonly NameEntry[] | undefined {
  const { model, derivations } = context;
  return derivations.keyed("name table", (scope: string): readonly NameEntry[] | undefined => {
    const facts = context.scope(scope);
    if (facts.dns === undefined) return undefined;
    return model.sight.reachable(facts).flatMap((service) => entriesOf(context, facts, service));
  });
}

/** The addresses that a scope's clients dial for a service: its own, or those it was given. */
export function dialledAddresses(
  { model }: CompileContext,
  facts: ScopeFacts,
  service: MeshService,
): readonly string[] {
  const { addresses, addressesIn } = service;
  if (addressesIn !== undefined && facts.cluster !== undefined) return addressesIn[facts.cluster] ?? addresses;
  if (addresses.length > 0 || facts.dns?.autoAddresses !== true) return addresses;
  return ofFamilies(model.autoAddresses.of(service), facts);
}

function entriesOf(context: CompileContext, facts: ScopeFacts, service: MeshService): readonly NameEntry[] {
  const { hostname: host, namespace, name, from, clusterSet } = service;
  const entry = (addresses: readonly string[]): readonly NameEntry[] =>
    addresses.length === 0
      ? []
      : [{ host, addresses, namespace, shortName: from.kind === "Service" && clusterSet !== true ? name : undefined }];
  const dialled = dialledAddresses(context, facts, service);
  if (from.kind !== "Service") return entry(dialled.length > 0 ? dialled : endpointAddresses(context, service));
  if (service.resolution !== "passthrough") return entry(ofFamilies(dialled, facts));
  const pods = reachedPods(context, facts, service);
  return [
    ...entry(ofFamilies(addressesOf(pods), facts)),
    ...podNames(pods, facts.cluster ?? context.model.clusterId).flatMap(([hostname, own]): readonly NameEntry[] => {
      const dialable = ofFamilies(own, facts);
      if (dialable.length === 0) return [];
      return [{ host: `${hostname}.${host}`, addresses: dialable, namespace, shortName: `${hostname}.${name}` }];
    }),
  ];
}

/** Behind a headless Service: connections go to the pod itself, so that only those are named which the caller reaches directly. */
function reachedPods({ model }: CompileContext, facts: ScopeFacts, service: MeshService): readonly HeadlessPod[] {
  const { clusters, network = "" } = positionOf(model, facts, service);
  return model
    .headless(service)
    .filter((pod) => clusters?.includes(pod.cluster) !== false)
    .filter((pod) => network === "" || pod.network === "" || pod.network === network);
}

/** Pods by their host names; one that the own cluster has stands for itself alone. */
function podNames(pods: readonly HeadlessPod[], cluster: string): readonly (readonly [string, readonly string[]])[] {
  const names = [...new Set(pods.map(({ hostname }) => hostname))].filter((name) => name !== "").toSorted(byText);
  return names.map((name) => {
    const all = pods.filter(({ hostname }) => hostname === name);
    const own = all.filter((pod) => pod.cluster === cluster);
    return [name, addressesOf(own.length > 0 ? own : all)];
  });
}

/** Two slices may list one address while Kubernetes moves it between them. */
function addressesOf(pods: readonly HeadlessPod[]): readonly string[] {
  return [...new Set(pods.flatMap(({ addresses }) => addresses))].toSorted(byText);
}

/** Of an entry that leaves resolution to the client but lists its endpoints. */
function endpointAddresses({ model }: CompileContext, service: MeshService): readonly string[] {
  const port = service.ports[0]?.number;
  if (service.resolution !== "passthrough" || port === undefined) return [];
  const addresses = model.endpoints.of(service, port).map(({ address }) => address);
  return [...new Set(addresses)].filter((address) => isIP(address) !== 0);
}

function ofFamilies(addresses: readonly string[], { dns }: ScopeFacts): readonly string[] {
  return addresses.filter((address) => dns?.families.includes(isIP(address) === 6 ? "ipv6" : "ipv4") === true);
}
