import type { ApiGateway } from "./gateway-api-types.ts";

/** Labels of what is made for a Gateway: its name, its class, and who made it. */
export const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
export const GATEWAY_CLASS_LABEL = "gateway.networking.k8s.io/gateway-class-name";
export const MANAGED_LABEL = "gateway.istio.io/managed";

/** Label of a ConfigMap of the root namespace with overlays for all Gateways of a class. */
export const CLASS_DEFAULTS_LABEL = "gateway.istio.io/defaults-for-class";

/** Annotations of a Gateway about what is made for it. */
export const NAME_OVERRIDE = "gateway.istio.io/name-override";
export const ACCOUNT_OVERRIDE = "gateway.istio.io/service-account";
export const SERVICE_TYPE = "networking.istio.io/service-type";

/**
 * Whether pods are made for a Gateway of a class whose Gateways have some. Not when `spec.addresses` names Services that are
 * there; a single IP address is one for its load balancer. Source: Istio's IsManaged.
 */
export function isManaged({ spec }: ApiGateway): boolean {
  const [first, second] = spec?.addresses ?? [];
  return first === undefined || (second === undefined && (first.type ?? "IPAddress") === "IPAddress");
}

/** Name of the Deployment and the Service that are made for a Gateway: `NAME-CLASS`, or as its annotation says. */
export function madeName({ metadata, spec }: ApiGateway): string {
  return metadata.annotations?.[NAME_OVERRIDE] ?? `${metadata.name}-${spec?.gatewayClassName ?? ""}`;
}

/** The ServiceAccount that pods of a Gateway run as. */
export function madeAccount(gateway: ApiGateway): string {
  const { metadata, spec } = gateway;
  return metadata.annotations?.[ACCOUNT_OVERRIDE] ?? `${metadata.name}-${spec?.gatewayClassName ?? ""}`;
}

/** The ConfigMap, `namespace` and `name`, whose keys change what is made for a Gateway; undefined when it names none that is read. */
export function parametersOf({ metadata, spec }: ApiGateway): { namespace: string; name: string } | undefined {
  const ref = spec?.infrastructure?.parametersRef;
  if (ref === undefined || ref.group !== "" || ref.kind !== "ConfigMap") return undefined;
  return { namespace: metadata.namespace ?? "", name: ref.name };
}
