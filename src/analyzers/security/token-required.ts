import { selects } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText, podOwner } from "../pod-owner.ts";
import { actionOf, type AuthorizationPolicy, rulesOf, ruleValues } from "./shared-rules.ts";

/** A RequestAuthentication refuses bad tokens and lets requests without one pass: only a policy (or a route) can require it. */
export const tokenRequired = defineAnalyzer({
  name: "token-required",
  summary: "Finds workloads where tokens are checked and none is required.",
  reads: ["RequestAuthentication", "AuthorizationPolicy", "VirtualService", "Pod", "Gateway"],
  codes: ["MSH0160"],
  analyze: (input) => {
    const authentications = input.world
      .list("RequestAuthentication")
      .filter(({ spec }) => (spec?.jwtRules ?? []).length > 0);
    if (authentications.length === 0) return;
    const requiring = input.world.list("AuthorizationPolicy").filter(requiresToken);
    const covered = new Set(requiring.flatMap((policy) => input.model.workloads.ofPolicy(policy)));
    const routed = input.world.list("VirtualService").some(routesByClaim);
    for (const authentication of authentications) {
      const workload = openWorkload(input, authentication, { requiring, covered, routed });
      if (workload !== undefined) input.report(authentication, ["spec", "jwtRules"], "MSH0160", { workload });
    }
  },
});

type Input = AnalyzerInput<
  "RequestAuthentication" | "AuthorizationPolicy" | "VirtualService" | "Pod" | "Gateway",
  "MSH0160"
>;
type Authentication = KindTypes["RequestAuthentication"];

/** Whether some rule of a policy asks for a token, or refuses who has none. An external authorizer may ask for anything. */
function requiresToken(policy: AuthorizationPolicy): boolean {
  const action = actionOf(policy);
  if (action === "CUSTOM") return true;
  if (action === "AUDIT") return false;
  return rulesOf(policy).some(({ rule, at }) =>
    ruleValues(rule, at).some(({ field, negative }) => {
      const isToken =
        field === "requestPrincipals" || field === "notRequestPrincipals" || field.startsWith("request.auth.");
      return isToken && negative === (action === "DENY");
    }),
  );
}

/** Routes that only requests with some claim take. */
function routesByClaim({ spec }: KindTypes["VirtualService"]): boolean {
  return (spec?.http ?? []).some(({ match = [] }) =>
    match.some(({ headers = {} }) => Object.keys(headers).some((name) => name.startsWith("@request.auth.claims"))),
  );
}

interface Known {
  readonly requiring: readonly AuthorizationPolicy[];
  readonly covered: ReadonlySet<unknown>;
  readonly routed: boolean;
}

/** A workload that takes tokens and requires none, or undefined. */
function openWorkload({ model }: Input, authentication: Authentication, known: Known): string | undefined {
  const { spec, metadata } = authentication;
  const { namespace = "" } = metadata;
  const targets = [...(spec?.targetRefs ?? []), ...(spec?.targetRef === undefined ? [] : [spec.targetRef])];
  const [target] = targets;
  if (target !== undefined) {
    const attached = known.requiring.some(
      (policy) =>
        policy.metadata.namespace === namespace &&
        [...(policy.spec?.targetRefs ?? []), policy.spec?.targetRef].some(
          (each) => each?.kind === target.kind && each.name === target.name,
        ),
    );
    return attached || known.routed ? undefined : `${target.kind} ${namespace}/${target.name}`;
  }
  const pods = model.workloads.ofPolicy(authentication);
  const open = pods.find((pod) => !known.covered.has(pod) && !(known.routed && model.workloads.isGateway(pod)));
  if (open !== undefined) return podOwner(open).title;
  if (pods.length > 0 || known.routed) return undefined;
  // no workload is known: a policy that would select the same ones
  const selector = spec?.selector?.matchLabels ?? {};
  const alike = known.requiring.some(
    ({ metadata: { namespace: other = "" }, spec: policy }) =>
      (other === namespace || other === model.rootNamespace) && selects(policy?.selector?.matchLabels ?? {}, selector),
  );
  const labels = labelsText(selector);
  return alike ? undefined : labels === "" ? `namespace ${namespace}` : `workloads of ${namespace} with ${labels}`;
}
