import { GATEWAY_GROUP } from "./gateway-api-types.ts";
import { namedSelector, selects } from "./selectors.ts";

/** What says which workloads a security policy holds for. */
export interface Selecting {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly targetRef?: TargetName;
  readonly targetRefs?: readonly TargetName[];
}

interface TargetName {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
}

/** A workload as policies select it; a gateway's pods too. */
export interface PolicyWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The label by which pods of a Gateway (Gateway API) carry its name. */
const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

/**
 * Whether a policy of `namespace` holds for a workload, both in the same namespace or the policy in the root namespace: by its
 * selector, or by targets. Of targets only Gateways have pods here: a policy for a Service needs a waypoint, and there are none.
 */
export function policyHolds(spec: Selecting | undefined, namespace: string, workload: PolicyWorkload): boolean {
  const targets = [...(spec?.targetRefs ?? []), ...(spec?.targetRef === undefined ? [] : [spec.targetRef])];
  if (targets.length > 0) {
    const gateway = workload.labels[GATEWAY_NAME];
    return (
      namespace === workload.namespace &&
      targets.some(({ group, kind, name }) => group === GATEWAY_GROUP && kind === "Gateway" && name === gateway)
    );
  }
  const selector = namedSelector(spec?.selector?.matchLabels);
  return selector === undefined || selects(selector, workload.labels);
}
