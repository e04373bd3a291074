import type { FieldPath } from "../../diagnostics/finding.ts";
import { nearest } from "../../base/nearest.ts";
import type { AuthorizationPolicyCondition, AuthorizationPolicySpec } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { checkRanges } from "../shared/addresses.ts";
import { type AuthorizationPolicyRules, checkAccounts, checkPorts, checkWildcards, eachRule } from "./parts.ts";

type Check = (values: readonly string[] | undefined, path: FieldPath, report: Report) => void;

const anything: Check = () => {};

/** Attributes that a condition may ask for, and what their values have to be. */
const ATTRIBUTES: Readonly<Record<string, Check>> = {
  "source.ip": checkRanges,
  "remote.ip": checkRanges,
  "source.namespace": anything,
  "source.serviceAccount": checkAccounts,
  "source.principal": anything,
  "source.trustDomain": checkWildcards,
  "request.auth.principal": anything,
  "request.auth.audiences": anything,
  "request.auth.presenter": anything,
  "destination.ip": checkRanges,
  "destination.port": checkPorts,
  "connection.sni": anything,
};

/** Attributes with a name in brackets: `request.headers[x-user]`. */
const NAMED = ["request.headers", "request.auth.claims", "experimental.envoy.filters."] as const;

/** Attributes of old, with what took their place. */
const RETIRED: Readonly<Record<string, string>> = {
  "destination.namespace": "Put the policy into that namespace.",
  "destination.labels": "Use selector.",
  "destination.name": "Use selector.",
  "destination.user": "Use selector.",
};

/** Rules about further conditions. */
export const conditionRules: AuthorizationPolicyRules = [
  {
    name: "authorization-policy-condition-key",
    holds: "A condition asks for an attribute that proxies know.",
    severity: "error",
    check: (spec, report) => eachCondition(spec, ({ key }, path) => checkKey(key, [...path, "key"], report)),
  },
  {
    name: "authorization-policy-condition-values",
    holds: "A condition has values or notValues, none empty, of the form that the attribute has.",
    severity: "error",
    check: (spec, report) =>
      eachCondition(spec, (condition, path) => {
        const { values = [], notValues = [] } = condition;
        if (values.length + notValues.length === 0) report(path, "expected values or notValues", "Add values.");
        for (const field of ["values", "notValues"] as const) {
          for (const [index, value] of (condition[field] ?? []).entries())
            if (value === "")
              report([...path, field, index], "an empty value matches nothing", "Write a value, or * for any.");
          ATTRIBUTES[condition.key]?.(
            condition[field]?.filter((value) => value !== ""),
            [...path, field],
            report,
          );
        }
      }),
  },
];

function eachCondition(
  spec: AuthorizationPolicySpec,
  visit: (condition: AuthorizationPolicyCondition, path: FieldPath) => void,
): void {
  eachRule(spec, (rule, path) => {
    for (const [index, condition] of (rule.when ?? []).entries()) visit(condition, [...path, "when", index]);
  });
}

function checkKey(key: string, path: FieldPath, report: Report): void {
  if (Object.hasOwn(ATTRIBUTES, key)) return;
  if (NAMED.some((name) => key.startsWith(name))) {
    if (!/^[^[]+\[.+\]$/.test(key))
      report(path, `"${key}" names nothing`, "Write the name in brackets, e.g. request.headers[x-user].");
    return;
  }
  const old = Object.entries(RETIRED).find(([name]) => key === name || key.startsWith(`${name}[`));
  if (old !== undefined) return report(path, `attribute ${old[0]} is no longer known`, old[1]);
  const close = nearest(key, [...Object.keys(ATTRIBUTES), ...NAMED.slice(0, 2)]);
  const hint = close === undefined ? `Use one of ${Object.keys(ATTRIBUTES).join(", ")}.` : `Did you mean ${close}?`;
  report(path, key === "" ? "the key is empty" : `"${key}" is no attribute`, hint);
}
