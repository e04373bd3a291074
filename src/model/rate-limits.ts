import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { byAge } from "./order.ts";
import { policyHolds, type PolicyWorkload } from "./policy-selection.ts";
import { namedSelector, selects } from "./selectors.ts";

export type RateLimitPolicy = KindTypes["RateLimitPolicy"];

/** Name of the rate limit service's Service, and its port. */
export const RATE_LIMIT_SERVICE = "ratelimit";
export const RATE_LIMIT_PORT = 8081;

/** Questions about RateLimitPolicy. */
export interface RateLimitPolicies {
  /** Those that hold for the workload: the root namespace's first, then its own namespace's, each oldest first. Their limits add up. */
  effective(workload: PolicyWorkload): readonly RateLimitPolicy[];
  /** Host of the rate limit service that is installed with the control plane; undefined: there is none. */
  service(): string | undefined;
  /** Whether proxies of the namespace may have to ask the service. */
  asksService(namespace: string): boolean;
}

export function createRateLimitPolicies({
  world,
  derivations,
  rootNamespace,
  domain,
}: ModelContext): RateLimitPolicies {
  const sorted = derivations.keyed("RateLimitPolicies", (namespace: string) =>
    world.list("RateLimitPolicy", namespace).toSorted(byAge),
  );
  const service = derivations.keyed("rate limit service", () => {
    const ports = world.get("Service", rootNamespace, RATE_LIMIT_SERVICE)?.spec?.ports ?? [];
    return ports.some(({ port }) => port === RATE_LIMIT_PORT)
      ? `${RATE_LIMIT_SERVICE}.${rootNamespace}.svc.${domain}`
      : undefined;
  });
  const selectorOf = derivations.keyed("selector of a limited Service", (key: string) => {
    const [namespace = "", name = ""] = key.split("/");
    return namedSelector(world.get("Service", namespace, name)?.spec?.selector);
  });
  /** A Service has no proxy of its own: its pods count. */
  const targetsService = (spec: RateLimitPolicy["spec"], namespace: string, workload: PolicyWorkload): boolean =>
    namespace === workload.namespace &&
    (spec?.targetRefs ?? []).some(({ group = "", kind, name }) => {
      const selector = kind === "Service" && group === "" ? selectorOf(`${namespace}/${name}`) : undefined;
      return selector !== undefined && selects(selector, workload.labels);
    });
  const namespaces = (own: string): readonly string[] => [...new Set([rootNamespace, own])];
  return {
    effective: (workload) =>
      namespaces(workload.namespace).flatMap((namespace) =>
        sorted(namespace).filter(
          ({ spec }) => policyHolds(spec, namespace, workload) || targetsService(spec, namespace, workload),
        ),
      ),
    service,
    asksService: (own) => namespaces(own).some((namespace) => sorted(namespace).some(hasGlobalLimit)),
  };
}

/** Whether some limit of the policy is counted by the service. */
export function hasGlobalLimit({ spec }: RateLimitPolicy): boolean {
  return (spec?.limits ?? []).some(({ global }) => global !== undefined);
}
