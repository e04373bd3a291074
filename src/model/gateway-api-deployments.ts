import { errorText } from "../base/errors.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
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

/** Keys of a ConfigMap of parameters, by the kind that each changes. */
export const OVERLAY_KEYS: Readonly<Record<string, string>> = {
  ServiceAccount: "serviceAccount",
  Deployment: "deployment",
  Service: "service",
  HorizontalPodAutoscaler: "horizontalPodAutoscaler",
  PodDisruptionBudget: "podDisruptionBudget",
};

/** What is to be merged over an object. */
export type Overlay = Readonly<Record<string, unknown>>;

/** The overlays of a ConfigMap by their keys, or what keeps them from being read. */
export function readOverlays(
  data: Readonly<Record<string, string>>,
): { readonly overlays: ReadonlyMap<string, Overlay> } | { readonly problem: string } {
  const known = Object.values(OVERLAY_KEYS);
  const overlays = new Map<string, Overlay>();
  for (const [key, text] of Object.entries(data)) {
    if (!known.includes(key)) return { problem: `unknown key ${key}: expected one of ${known.join(", ")}` };
    const read = readYaml(text);
    if ("problem" in read) return { problem: `key ${key}: ${read.problem}` };
    overlays.set(key, read.overlay);
  }
  return { overlays };
}

function readYaml(text: string): { readonly overlay: Overlay } | { readonly problem: string } {
  try {
    const read = parseYaml(text) as unknown;
    if (typeof read === "object" && read !== null && !Array.isArray(read)) return { overlay: read as Overlay };
    return { problem: "expected an object in YAML" };
  } catch (error) {
    return { problem: errorText(error) };
  }
}
