import type { Authorization, CustomPolicies, PolicySet, Security } from "../../ir/security.ts";
import {
  type AuthorizationAction,
  type AuthorizationPolicy,
  authorizationAction,
  isDryRun,
} from "../../model/authorization.ts";
import type { Model } from "../../model/model.ts";
import type { PolicyWorkload } from "../../model/policy-selection.ts";
import { authorizerService } from "./authorizer.ts";
import { policyRules } from "./policy-rules.ts";
import { rateLimitsOf } from "./rate-limits.ts";
import { tokenRules } from "./token-rules.ts";

/** What policies ask of the callers of a workload or a gateway's pods; undefined: nothing. */
export function securityOf(model: Model, workload: PolicyWorkload): Security | undefined {
  const tokens = tokenRules(model, workload);
  const authorization = authorizationOf(model, workload);
  const rateLimits = rateLimitsOf(model, workload);
  if (tokens.length === 0 && authorization === undefined && rateLimits.length === 0) return undefined;
  return {
    ...(tokens.length === 0 ? {} : { tokens }),
    ...(authorization === undefined ? {} : { authorization }),
    ...(rateLimits.length === 0 ? {} : { rateLimits }),
  };
}

function authorizationOf(model: Model, workload: PolicyWorkload): Authorization | undefined {
  const policies = model.authorizationPolicies.effective(workload);
  if (policies.length === 0) return undefined;
  const of = (action: AuthorizationAction): readonly AuthorizationPolicy[] =>
    policies.filter((policy) => authorizationAction(policy) === action);
  const custom = customPolicies(model, of("CUSTOM"));
  const audit = policySet(model, of("AUDIT"));
  const [deny, allow] = [policySet(model, of("DENY")), policySet(model, of("ALLOW"))];
  return {
    ...(custom === undefined ? {} : { custom }),
    ...(audit === undefined ? {} : { audit }),
    ...(deny === undefined ? {} : { deny }),
    ...(allow === undefined ? {} : { allow }),
  };
}

function policySet(
  model: Model,
  policies: readonly AuthorizationPolicy[],
  prefix: (policy: AuthorizationPolicy) => string = () => "",
): PolicySet | undefined {
  if (policies.length === 0) return undefined;
  const { trustDomain, trustDomainAliases } = model.meshConfig();
  const trustDomains = [trustDomain, ...trustDomainAliases];
  const rules = (policy: AuthorizationPolicy) => policyRules(policy, { prefix: prefix(policy), trustDomains });
  const enforced = policies.filter((policy) => !isDryRun(policy));
  const tried = policies.filter(isDryRun);
  return {
    ...(enforced.length === 0 ? {} : { enforced: enforced.flatMap(rules) }),
    ...(tried.length === 0 ? {} : { dryRun: tried.flatMap(rules) }),
  };
}

function customPolicies(model: Model, policies: readonly AuthorizationPolicy[]): CustomPolicies | undefined {
  const providerOf = ({ spec }: AuthorizationPolicy): string => spec?.provider?.name ?? "";
  const set = policySet(model, policies, (policy) => `istio-ext-authz-${providerOf(policy)}-`);
  if (set === undefined) return undefined;
  const [providerName = "", ...others] = new Set(policies.map(providerOf));
  // with several providers nobody could say which one decides
  return { ...set, providerName, provider: others.length > 0 ? undefined : authorizerService(model, providerName) };
}
