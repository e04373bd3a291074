import type { ModelContext } from "./context.ts";
import type { ApiGateway } from "./gateway-api-types.ts";

/** Classes that are there in every mesh, and who serves them. Those of ambient mode (istio-waypoint, istio-east-west) are not. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([
  ["istio", "istio.io/gateway-controller"],
  ["istio-remote", "istio.io/unmanaged-gateway"],
]);
const OURS: ReadonlySet<string> = new Set(BUILT_IN.values());

/** Who serves a Gateway's class. */
export type ClassAnswer =
  | { readonly known: true; readonly controller: string; readonly ours: boolean }
  | { readonly known: false };

/** Questions about GatewayClasses. */
export interface GatewayClasses {
  of(gateway: ApiGateway): ClassAnswer;
  /** Names that exist, sorted. */
  names(): readonly string[];
}

export function createGatewayClasses({ world }: ModelContext): GatewayClasses {
  return {
    of: ({ spec }) => {
      const name = spec?.gatewayClassName ?? "";
      const controller = world.get("GatewayClass", "", name)?.spec?.controllerName ?? BUILT_IN.get(name);
      return controller === undefined ? { known: false } : { known: true, controller, ours: OURS.has(controller) };
    },
    names: () =>
      [...new Set([...BUILT_IN.keys(), ...world.list("GatewayClass").map(({ metadata }) => metadata.name)])].toSorted(),
  };
}

/** Whether a controllerName is one of ours. */
export function isOurController(name: string): boolean {
  return OURS.has(name);
}
