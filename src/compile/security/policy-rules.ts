import type { Condition, PolicyRule } from "../../ir/security.ts";
import type { AuthorizationPolicy } from "../../model/authorization.ts";
import { refOf } from "../../resources/object.ts";
import { domainsWithAliases, withAliases } from "./trust-domains.ts";

type Rule = NonNullable<NonNullable<AuthorizationPolicy["spec"]>["rules"]>[number];
type Source = NonNullable<NonNullable<NonNullable<Rule["from"]>[number]>["source"]>;
type Operation = NonNullable<NonNullable<NonNullable<Rule["to"]>[number]>["operation"]>;

/** What reading a policy's rules needs to know. */
export interface RuleContext {
  /** Put before rule names: `istio-ext-authz-PROVIDER-` for CUSTOM policies. */
  readonly prefix: string;
  /** The own trust domain, then its aliases. */
  readonly trustDomains: readonly string[];
}

/** A policy's rules. One without rules matches nothing, which is not the same as not being there. */
export function policyRules(policy: AuthorizationPolicy, context: RuleContext): readonly PolicyRule[] {
  const { namespace = "", name } = policy.metadata;
  return (policy.spec?.rules ?? []).map((rule, index): PolicyRule => {
    const { from = [], to = [], when = [] } = rule ?? {};
    const conditions = when.map(({ key, values = [], notValues = [] }) => ({ attribute: key, values, notValues }));
    const ofCaller = conditions.filter(({ attribute }) => !ofConnection(attribute));
    const ofTarget = conditions.filter(({ attribute }) => ofConnection(attribute));
    const read = (parts: readonly Condition[]): readonly Condition[] =>
      parts.filter(isAsked).map((condition) => completed(condition, namespace, context));
    return {
      name: `${context.prefix}ns[${namespace}]-policy[${name}]-rule[${index}]`,
      from: (from.length === 0 ? [{}] : from).map(({ source = {} }) => read([...sourceParts(source), ...ofCaller])),
      to: (to.length === 0 ? [{}] : to).map(({ operation = {} }) => read([...operationParts(operation), ...ofTarget])),
      provenance: { from: refOf(policy), path: ["spec", "rules", index], lost: [] },
    };
  });
}

/** Attributes of what is called; Envoy asks them apart from those of the caller. */
function ofConnection(attribute: string): boolean {
  return (
    attribute.startsWith("destination.") ||
    attribute === "connection.sni" ||
    attribute.startsWith("experimental.envoy.filters.")
  );
}

function isAsked({ values, notValues }: Condition): boolean {
  return values.length + notValues.length > 0;
}

function sourceParts(source: Source): readonly Condition[] {
  return [
    part("source.principal", source.principals, source.notPrincipals),
    part("request.auth.principal", source.requestPrincipals, source.notRequestPrincipals),
    part("source.serviceAccount", source.serviceAccounts, source.notServiceAccounts),
    part("source.trustDomain", source.trustDomains, source.notTrustDomains),
    part("source.namespace", source.namespaces, source.notNamespaces),
    part("remote.ip", source.remoteIpBlocks, source.notRemoteIpBlocks),
    part("source.ip", source.ipBlocks, source.notIpBlocks),
  ];
}

function operationParts(operation: Operation): readonly Condition[] {
  return [
    part("request.host", operation.hosts, operation.notHosts),
    part("request.method", operation.methods, operation.notMethods),
    part("request.path", operation.paths, operation.notPaths),
    part("destination.port", operation.ports, operation.notPorts),
  ];
}

function part(
  attribute: string,
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
): Condition {
  return { attribute, values: values ?? [], notValues: notValues ?? [] };
}

/** With what the policy leaves to be understood: aliases of the trust domain, the namespace of accounts. */
function completed(condition: Condition, namespace: string, { trustDomains }: RuleContext): Condition {
  const change = completion(condition.attribute, namespace, trustDomains);
  return change === undefined
    ? condition
    : { ...condition, values: change(condition.values), notValues: change(condition.notValues) };
}

function completion(
  attribute: string,
  namespace: string,
  trustDomains: readonly string[],
): ((values: readonly string[]) => readonly string[]) | undefined {
  switch (attribute) {
    case "source.principal":
      return (values) => withAliases(values, trustDomains);
    case "source.trustDomain":
      return (values) => domainsWithAliases(values, trustDomains);
    case "source.serviceAccount":
      return (values) => values.map((value) => (value.includes("/") ? value : `${namespace}/${value}`));
    default:
      return undefined;
  }
}
