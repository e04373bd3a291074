import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { policyHolds, type PolicyWorkload } from "./policy-selection.ts";

export type AuthorizationPolicy = KindTypes["AuthorizationPolicy"];
export type AuthorizationAction = "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";

/** Questions about AuthorizationPolicy. */
export interface AuthorizationPolicies {
  /** Those that hold for the workload, of any action: the root namespace's first, then its own namespace's, each oldest first. */
  effective(workload: PolicyWorkload): readonly AuthorizationPolicy[];
}

export function createAuthorizationPolicies({
  world,
  derivations,
  rootNamespace,
}: ModelContext): AuthorizationPolicies {
  const sorted = derivations.keyed("AuthorizationPolicies", (namespace: string) =>
    world.list("AuthorizationPolicy", namespace).toSorted(byAge),
  );
  return {
    effective: (workload) =>
      [...new Set([rootNamespace, workload.namespace])].flatMap((namespace) =>
        sorted(namespace).filter(({ spec }) => policyHolds(spec, namespace, workload)),
      ),
  };
}

/** What a policy does with requests that match. */
export function authorizationAction({ spec }: AuthorizationPolicy): AuthorizationAction {
  return spec?.action ?? "ALLOW";
}

/** Go's ParseBool, by which Istio reads the annotation. */
const TRUE: readonly string[] = ["1", "t", "T", "TRUE", "true", "True"];

/** Whether a policy is only tried out: it decides nothing. */
export function isDryRun({ metadata }: AuthorizationPolicy): boolean {
  return TRUE.includes(metadata.annotations?.["istio.io/dry-run"] ?? "");
}
