import type { ObjectRef } from "../../diagnostics/finding.ts";
import type { Model } from "../../model/model.ts";
import { refOf } from "../../resources/object.ts";
import { type ClassStatus, classStatus } from "./class-status.ts";
import type { Knows } from "./condition.ts";
import { gatewayStatus, type GatewayStatus } from "./gateway-status.ts";
import { policyStatus, type PolicyStatus } from "./policy-status.ts";
import { routeStatus, type RouteStatus } from "./route-status.ts";

/** The status of one object of Gateway API, as our controllers write it. */
export interface ObjectStatus {
  readonly object: ObjectRef;
  readonly status: GatewayStatus | RouteStatus | PolicyStatus | ClassStatus;
}

/**
 * Status of every GatewayClass, Gateway, route and BackendTLSPolicy that is ours, by the rules of Gateway API 1.4 and Istio's
 * reasons (control-plane reference 3.9). Plain data, without times: equal objects have equal status.
 */
export function gatewayApiStatus(model: Model, knows: Knows = () => true): readonly ObjectStatus[] {
  const { world, gatewayApi } = model;
  const some = (object: ObjectRef, status: ObjectStatus["status"] | undefined): readonly ObjectStatus[] =>
    status === undefined ? [] : [{ object, status }];
  return [
    ...world.list("GatewayClass").flatMap((object) => some(refOf(object), classStatus(model, object, knows))),
    ...world.list("KubernetesGateway").flatMap((object) => some(refOf(object), gatewayStatus(model, object, knows))),
    ...gatewayApi.routes().flatMap((route) => {
      const status = routeStatus(model, route, knows);
      return some(route.ref, status.parents.length === 0 ? undefined : status);
    }),
    ...world.list("BackendTLSPolicy").flatMap((object) => {
      const status = policyStatus(model, object, knows);
      return some(refOf(object), status.ancestors.length === 0 ? undefined : status);
    }),
  ];
}
