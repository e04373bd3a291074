import type { Provenance } from "../ir/provenance.ts";

/** Kinds whose name in resources tools follow back to the object. */
const KINDS: Readonly<Record<string, string>> = {
  DestinationRule: "destination-rule",
  Gateway: "gateway",
  ServiceEntry: "service-entry",
  Sidecar: "sidecar",
  VirtualService: "virtual-service",
};

/**
 * The object that decided a resource, as `metadata.filter_metadata.istio.config` names it for `describe` and Kiali:
 * `/apis/networking.istio.io/v1/namespaces/shop/virtual-service/reviews`. undefined for objects outside that API group.
 */
export function configPath(provenance: Provenance | undefined): string | undefined {
  if (provenance === undefined) return undefined;
  const { kind, namespace, name } = provenance.from;
  const segment = KINDS[kind];
  return segment === undefined ? undefined : `/apis/networking.istio.io/v1/namespaces/${namespace}/${segment}/${name}`;
}
