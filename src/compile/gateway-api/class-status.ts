import { isOurController } from "../../model/gateway-api-classes.ts";
import type { Problem } from "../../model/gateway-api-types.ts";
import type { Model } from "../../model/model.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type Condition, condition, type Knows } from "./condition.ts";
import { SUPPORTED_FEATURES } from "./supported-features.ts";

export type GatewayClass = KindTypes["GatewayClass"];

/** Status of a GatewayClass; the features of its gateways where they are ours. */
export interface ClassStatus {
  readonly conditions: readonly Condition[];
  readonly supportedFeatures?: readonly { readonly name: string }[];
}

const GATEWAYS = "istio.io/gateway-controller";

/** Status of a GatewayClass; undefined when it is another controller's. */
export function classStatus(model: Model, object: GatewayClass, knows: Knows): ClassStatus | undefined {
  const controller = object.spec?.controllerName ?? "";
  if (!isOurController(controller)) return undefined;
  const context = { generation: object.metadata.generation ?? 0, knows };
  const message = "Gateways of this class are served";
  const conditions = [condition("Accepted", { reason: "Accepted", message }, classProblems(model, object), context)];
  if (controller !== GATEWAYS) return { conditions };
  return { conditions, supportedFeatures: SUPPORTED_FEATURES.map((name) => ({ name })) };
}

/** What is wrong with a class of ours. */
export function classProblems(model: Model, { spec }: GatewayClass): readonly Problem[] {
  const ref = spec?.parametersRef;
  if (ref === undefined || !isOurController(spec?.controllerName ?? "")) return [];
  const { group, kind, name, namespace = "" } = ref;
  const isConfigMap = group === "" && kind === "ConfigMap";
  if (isConfigMap && model.world.get("ConfigMap", namespace, name) !== undefined) return [];
  const problem = {
    code: "MSH0702",
    path: ["spec", "parametersRef", "name"],
    args: { kind, name: namespace === "" ? name : `${namespace}/${name}` },
  } as const;
  return [isConfigMap ? { ...problem, needs: { kind: "ConfigMap", namespace } } : problem];
}
