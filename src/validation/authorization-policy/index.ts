import type { AuthorizationPolicyRule, AuthorizationPolicySpec } from "../../gen/schema-types.ts";
import type { Rules } from "../rule.ts";
import { targetRules } from "../shared/targets.ts";
import { conditionRules } from "./conditions.ts";
import { customRules } from "./custom.ts";
import { operationRules } from "./operations.ts";
import { eachRule } from "./parts.ts";
import { sourceRules } from "./sources.ts";

/** Rules of AuthorizationPolicy. */
export const authorizationPolicyRules: Rules<AuthorizationPolicySpec> = [
  ...targetRules<AuthorizationPolicySpec>("authorization-policy"),
  {
    name: "authorization-policy-deny-rules",
    holds: "DENY has rules: without any it denies nothing.",
    severity: "error",
    check: ({ action, rules }, report) => {
      if (action === "DENY" && rules === undefined)
        report(["rules"], "action DENY without rules denies nothing", "Write rules: [{}] to deny everything.");
    },
  },
  {
    name: "authorization-policy-lists",
    holds: "from and to are left out, or have entries.",
    severity: "error",
    check: (spec, report) =>
      eachRule(spec, (rule, path) => {
        for (const field of ["from", "to"] as const)
          if (rule[field]?.length === 0)
            report([...path, field], `expected at least one entry in ${field}`, `Remove ${field}.`);
      }),
  },
  {
    name: "authorization-policy-deny-tcp",
    holds: "A DENY rule that asks about HTTP says for which ports.",
    severity: "warning",
    check: (spec, report) => {
      if (spec.action !== "DENY") return;
      eachRule(spec, (rule, path) => {
        if (isHttpAlone(rule))
          report(
            path,
            "TCP ports have none of what this rule asks for: DENY refuses all their traffic",
            "Add to.operation.ports.",
          );
      });
    },
  },
  ...sourceRules,
  ...operationRules,
  ...conditionRules,
  ...customRules,
];

const TCP_SOURCES = [
  "principals",
  "notPrincipals",
  "namespaces",
  "notNamespaces",
  "serviceAccounts",
  "notServiceAccounts",
  "ipBlocks",
  "notIpBlocks",
  "remoteIpBlocks",
  "notRemoteIpBlocks",
] as const;

/** Whether nothing in a rule can be known of a TCP connection. */
function isHttpAlone({ from = [], to = [] }: AuthorizationPolicyRule): boolean {
  const sources = from.flatMap(({ source }) => (source === undefined ? [] : [source]));
  const operations = to.flatMap(({ operation }) => (operation === undefined ? [] : [operation]));
  const isTcpSource = sources.some((source) => TCP_SOURCES.some((field) => source[field] !== undefined));
  const isTcpOperation = operations.some(({ ports, notPorts }) => ports !== undefined || notPorts !== undefined);
  if (operations.length > 0) return !isTcpOperation;
  return sources.length > 0 && !isTcpSource;
}
