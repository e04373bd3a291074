import { selects } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf } from "../../resources/object.ts";
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
function openWorkload(input: Input, authentication: Authentication, known: Known): string | undefined {
  const { model } = input;
  const [target] = targetsOf(authentication);
  if (target !== undefined) return openTarget(authentication, target, known);
  const pods = model.workloads.ofPolicy(authentication);
  const open = pods.find((pod) => !known.covered.has(pod) && !(known.routed && model.workloads.isGateway(pod)));
  if (open !== undefined) return podOwner(open).title;
  return pods.length > 0 || known.routed ? undefined : openSelector(input, authentication, known);
}

type Target = NonNullable<NonNullable<Authentication["spec"]>["targetRef"]>;

function targetsOf({ spec }: Authentication | AuthorizationPolicy): readonly Target[] {
  const { targetRef, targetRefs = [] } = spec ?? {};
  return targetRef === undefined ? targetRefs : [...targetRefs, targetRef];
}

function openTarget(authentication: Authentication, { kind, name }: Target, known: Known): string | undefined {
  const { namespace } = refOf(authentication);
  const attached = known.requiring.some(
    (policy) =>
      refOf(policy).namespace === namespace &&
      targetsOf(policy).some((other) => other.kind === kind && other.name === name),
  );
  return attached || known.routed ? undefined : `${kind} ${namespace}/${name}`;
}

/** No workload is known: a policy counts that would select the same ones. */
function openSelector({ model }: Input, authentication: Authentication, known: Known): string | undefined {
  const { namespace } = refOf(authentication);
  const selector = authentication.spec?.selector?.matchLabels ?? {};
  const alike = known.requiring.some(
    (policy) =>
      [namespace, model.rootNamespace].includes(refOf(policy).namespace) &&
      selects(policy.spec?.selector?.matchLabels ?? {}, selector),
  );
  const labels = labelsText(selector);
  const title = labels === "" ? `namespace ${namespace}` : `workloads of ${namespace} with ${labels}`;
  return alike ? undefined : title;
}
