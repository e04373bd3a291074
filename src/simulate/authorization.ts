import type { Messages } from "../wire/codec.ts";
import { metadataCheck } from "./metadata-match.ts";
import { judgeRbac, type Rbac, type SimulatedCall } from "./rbac.ts";

type HttpFilter = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"];
type NetworkFilter = Messages["envoy.config.listener.v3.Filter"];
type Filters = readonly (HttpFilter | NetworkFilter)[];
type MetadataMatcher = Messages["envoy.type.matcher.v3.MetadataMatcher"];

/** What one filter said. */
export interface AuthorizationStep {
  /** `ask`: the external authorizer is asked; `note`: marked for logs; `none`: nothing matched and nothing had to. */
  readonly effect: "allow" | "deny" | "ask" | "note" | "none";
  readonly action: "ALLOW" | "DENY" | "LOG" | "CUSTOM";
  /** Name of the policy's rule in Envoy that matched; undefined: none did. */
  readonly policy: string | undefined;
  /** Said by rules that are only tried out: nothing follows. */
  readonly dryRun: boolean;
}

export interface AuthorizationWalk {
  /** `ask`: it depends on the external authorizer; nothing else refuses. */
  readonly decision: "allow" | "deny" | "ask";
  /** In the order of the filters, up to the one that refuses. */
  readonly steps: readonly AuthorizationStep[];
}

/** The way of a call through the authorization filters of a chain, HTTP's or a connection's. The token has been judged before. */
export function walkAuthorization(filters: Filters, call: SimulatedCall): AuthorizationWalk {
  const steps: AuthorizationStep[] = [];
  const metadata: Record<string, unknown> = {};
  for (const filter of filters) {
    const config = (filter.typed_config ?? {}) as unknown as RbacFilter &
      ExtAuthzFilter & { readonly "@type"?: string };
    const type = config["@type"] ?? "";
    if (type.endsWith(".ext_authz.v3.ExtAuthz")) {
      const asked = config.filter_enabled_metadata;
      const policy = metadata[MARK];
      if (asked !== undefined && metadataCheck(asked, { [asked.filter ?? ""]: metadata }) === undefined)
        steps.push({ effect: "ask", action: "CUSTOM", policy: String(policy), dryRun: false });
      continue;
    }
    if (!type.endsWith(".rbac.v3.RBAC")) continue;
    const step = rbacSteps(config, call, metadata);
    steps.push(...step);
    if (step.some(({ effect, dryRun }) => effect === "deny" && !dryRun)) return { decision: "deny", steps };
  }
  return { decision: steps.some(({ effect }) => effect === "ask") ? "ask" : "allow", steps };
}

interface RbacFilter {
  readonly rules?: Rbac;
  readonly shadow_rules?: Rbac;
  readonly shadow_rules_stat_prefix?: string;
}

interface ExtAuthzFilter {
  readonly filter_enabled_metadata?: MetadataMatcher;
}

/** Under this name the rules of CUSTOM policies leave what they match. */
const MARK = "istio_ext_authz_shadow_effective_policy_id";

function rbacSteps(
  { rules, shadow_rules: shadow, shadow_rules_stat_prefix: prefix = "" }: RbacFilter,
  call: SimulatedCall,
  metadata: Record<string, unknown>,
): readonly AuthorizationStep[] {
  const steps: AuthorizationStep[] = [];
  if (shadow !== undefined) {
    const { policy } = judgeRbac(shadow, call);
    if (policy !== undefined) metadata[`${prefix}shadow_effective_policy_id`] = policy;
    if (`${prefix}shadow_effective_policy_id` !== MARK) steps.push({ ...stepOf(shadow, call), dryRun: true });
  }
  if (rules !== undefined) steps.push(stepOf(rules, call));
  return steps;
}

function stepOf(rbac: Rbac, call: SimulatedCall): AuthorizationStep {
  const { refused, policy } = judgeRbac(rbac, call);
  const action = rbac.action ?? "ALLOW";
  const matched = action === "LOG" ? "note" : "allow";
  const effect = refused ? "deny" : policy === undefined ? "none" : matched;
  return { effect, action, policy, dryRun: false };
}
