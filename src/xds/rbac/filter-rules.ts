import { compact } from "../../base/compact.ts";
import type { CustomPolicies, PolicySet } from "../../ir/security.ts";
import type { Messages } from "../../wire/codec.ts";
import { type Rbac, rbacOf, type Site } from "./engine.ts";

/** What an RBAC filter is told, for requests and for connections alike. */
export interface FilterRules {
  readonly rules?: Rbac;
  readonly shadow_rules?: Rbac;
  readonly shadow_rules_stat_prefix?: string;
}

/** Prefixes of what rules that are only tried out leave in metadata and counters; tools of the ecosystem read them. */
const DRY_RUN = { ALLOW: "istio_dry_run_allow_", DENY: "istio_dry_run_deny_" } as const;

/** The rules of one action: what decides, and beside it what is only tried out. */
export function filterRules(
  { enforced, dryRun }: PolicySet,
  site: { readonly action: "ALLOW" | "DENY"; readonly speaks: Site["speaks"] },
): FilterRules {
  return compact({
    rules: enforced && rbacOf(enforced, site),
    shadow_rules: dryRun && rbacOf(dryRun, site),
    shadow_rules_stat_prefix: dryRun && DRY_RUN[site.action],
  });
}

/** Prefix of what the rules of AUDIT policies leave for access logs: the name of the rule that matched. */
const AUDIT_PREFIX = "istio_audit_";

/** Where the name of the AUDIT rule stands in a filter's dynamic metadata. */
export const AUDITED = `${AUDIT_PREFIX}shadow_effective_policy_id`;

/**
 * The rules of AUDIT policies: they mark what they match, and leave the name of the rule, which an engine does only of rules that
 * are tried out. Trying out a policy that decides nothing is the same as having it.
 */
export function auditRules({ enforced = [], dryRun = [] }: PolicySet, speaks: Site["speaks"]): FilterRules {
  const rules = rbacOf([...enforced, ...dryRun], { action: "LOG", speaks });
  return { rules, shadow_rules: rules, shadow_rules_stat_prefix: AUDIT_PREFIX };
}

/** Prefix of what the rules of CUSTOM policies leave for the authorization filter behind them. */
const CUSTOM_PREFIX = "istio_ext_authz_";

/**
 * The rules of CUSTOM policies only mark what they match: the authorizer is asked about that alone. Without an authorizer
 * that can be asked, what they match is refused. Policies that are only tried out ask nobody.
 */
export function customRules(custom: CustomPolicies, speaks: Site["speaks"]): FilterRules | undefined {
  if (custom.enforced === undefined) return undefined;
  const rules = rbacOf(custom.enforced, { action: "DENY", speaks });
  if (custom.provider === undefined) return { rules };
  return { shadow_rules: rules, shadow_rules_stat_prefix: CUSTOM_PREFIX };
}

/** Holds for what the rules of CUSTOM policies marked; `filter` is the RBAC filter's well-known name. */
export function markedFor(custom: CustomPolicies, filter: string): Messages["envoy.type.matcher.v3.MetadataMatcher"] {
  return {
    filter,
    path: [{ key: `${CUSTOM_PREFIX}shadow_effective_policy_id` }],
    value: { string_match: { prefix: `istio-ext-authz-${custom.providerName}-` } },
  };
}
