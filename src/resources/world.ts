import type { KindName, KindTypes } from "./kinds.ts";
import type { KubeObject } from "./object.ts";

/**
 * The read-only index of everything known: list, get and by-index, no questions. It does not know where objects came from.
 * Reads inside a derivation are tracked per bucket (kind and namespace; index key), so the World of a running control plane
 * and the World of a file are read by the same code.
 */
export interface World {
  /** `namespace` is "" for cluster-scoped kinds. */
  get<K extends KindName>(kind: K, namespace: string, name: string): KindTypes[K] | undefined;
  /** Sorted by namespace and name; without `namespace` all of them. */
  list<K extends KindName>(kind: K, namespace?: string): readonly KindTypes[K][];
  /** Objects under a key of a declared index, e.g. `by("endpointSlicesOfService", "shop/web")`. */
  by<I extends IndexName>(index: I, key: string): readonly KindTypes[IndexKinds[I]][];
}

/** Declared indexes: name -> kind they hold. The key function of each stands in world-store.ts. */
export interface IndexKinds {
  /** key `namespace/service` */
  endpointSlicesOfService: "EndpointSlice";
  /** key: pod IP */
  podsByIp: "Pod";
  /** key: see hostKeys() in world-store.ts: a host as written, `namespace/name` for a short one, `*` for wildcards */
  virtualServicesOfHost: "VirtualService";
  /** key: `namespace/name` of a Gateway, or `mesh` */
  virtualServicesOfGateway: "VirtualService";
  /** key: as virtualServicesOfHost */
  destinationRulesOfHost: "DestinationRule";
  /** key: as virtualServicesOfHost */
  serviceEntriesOfHost: "ServiceEntry";
}
export type IndexName = keyof IndexKinds;

/** One change to the World, as a watch reports it. */
export type WorldChange =
  | { readonly type: "set"; readonly object: KubeObject }
  | { readonly type: "delete"; readonly object: KubeObject };
