import type { Pod } from "./core.ts";
import type { KindName, KindTypes } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { IndexName } from "./world.ts";

/** How an index is made. */
export interface WorldIndex {
  readonly kind: KindName;
  keys(object: KubeObject): readonly string[];
}

/** Key functions of the declared indexes. */
export const INDEXES: { readonly [I in IndexName]: WorldIndex } = {
  endpointSlicesOfService: {
    kind: "EndpointSlice",
    keys: ({ metadata }) => {
      const service = metadata.labels?.["kubernetes.io/service-name"];
      return service === undefined ? [] : [`${metadata.namespace ?? ""}/${service}`];
    },
  },
  podsByIp: { kind: "Pod", keys: podIps },
  virtualServicesOfHost: {
    kind: "VirtualService",
    keys: (object) => (object as KindTypes["VirtualService"]).spec?.hosts?.map((host) => hostKey(object, host)) ?? [],
  },
  virtualServicesOfGateway: { kind: "VirtualService", keys: gatewayKeys },
  destinationRulesOfHost: {
    kind: "DestinationRule",
    keys: (object) => {
      const host = (object as KindTypes["DestinationRule"]).spec?.host;
      return host === undefined ? [] : [hostKey(object, host)];
    },
  },
  serviceEntriesOfHost: {
    kind: "ServiceEntry",
    keys: (object) => (object as KindTypes["ServiceEntry"]).spec?.hosts?.map((host) => hostKey(object, host)) ?? [],
  },
};

/** Their names. */
export const INDEX_NAMES = Object.keys(INDEXES) as IndexName[];

const FINISHED: readonly (string | undefined)[] = ["Succeeded", "Failed"];

/** Addresses a pod owns: none of a finished pod (its address may be another's by now) nor of one on the host's network. */
function podIps(object: KubeObject): readonly string[] {
  const { spec, status } = object as Pod;
  if (spec?.hostNetwork === true || FINISHED.includes(status?.phase)) return [];
  const ips = (status?.podIPs ?? []).map(({ ip }) => ip);
  if (ips.length === 0 && status?.podIP !== undefined) ips.push(status.podIP);
  return ips;
}

/** Under which key of a host index an object stands: a short name means the object's own namespace. */
function hostKey({ metadata }: KubeObject, host: string): string {
  if (host.startsWith("*")) return "*";
  return host.includes(".") ? host : `${metadata.namespace ?? ""}/${host}`;
}

/**
 * The keys of a host index that may hold objects for this host: for `web.shop.svc.cluster.local` itself, `shop/web`, and `*`.
 */
export function hostKeys(host: string): readonly string[] {
  const [name, namespace, svc] = host.split(".");
  return svc === "svc" ? [host, `${namespace}/${name}`, "*"] : [host, "*"];
}

function gatewayKeys(object: KubeObject): readonly string[] {
  const { spec, metadata } = object as KindTypes["VirtualService"];
  const gateways = spec?.gateways ?? [];
  if (gateways.length === 0) return ["mesh"];
  return gateways.map((name) => (name === "mesh" || name.includes("/") ? name : `${metadata.namespace ?? ""}/${name}`));
}
