import type { FieldPath } from "../../diagnostics/finding.ts";
import type {
  AuthorizationPolicyOperation,
  AuthorizationPolicyRule,
  AuthorizationPolicySource,
  AuthorizationPolicySpec,
} from "../../gen/schema-types.ts";
import type { Report, Rules } from "../rule.ts";

/** Rules of AuthorizationPolicy, in one of the files of this folder. */
export type AuthorizationPolicyRules = Rules<AuthorizationPolicySpec>;

/** Visits each rule of a policy. */
export function eachRule(
  spec: AuthorizationPolicySpec,
  visit: (rule: AuthorizationPolicyRule, path: FieldPath) => void,
): void {
  // each rule of this kind asks for each object: without iterators, which cost more than what is visited
  spec.rules?.forEach((rule, index) => visit(rule, ["rules", index]));
}

/** Visits each source that is given. `path` leads to it. */
export function eachSource(
  spec: AuthorizationPolicySpec,
  visit: (source: AuthorizationPolicySource, path: FieldPath) => void,
): void {
  eachRule(spec, (rule, path) => {
    rule.from?.forEach(({ source }, index) => {
      if (source !== undefined) visit(source, [...path, "from", index, "source"]);
    });
  });
}

/** Visits each operation that is given. `path` leads to it. */
export function eachOperation(
  spec: AuthorizationPolicySpec,
  visit: (operation: AuthorizationPolicyOperation, path: FieldPath) => void,
): void {
  eachRule(spec, (rule, path) => {
    rule.to?.forEach(({ operation }, index) => {
      if (operation !== undefined) visit(operation, [...path, "to", index, "operation"]);
    });
  });
}

/** Reports each empty text of the lists of an object. */
export function checkNoEmpty(lists: object, path: FieldPath, report: Report): void {
  for (const [field, list] of Object.entries(lists as Readonly<Record<string, readonly string[]>>))
    list.forEach((value, index) => {
      if (value === "")
        report([...path, field, index], "an empty value matches nothing", "Write a value, or * for any.");
    });
}

/** Whether all lists of an object are empty. */
export function isEmpty(lists: object | undefined): boolean {
  return Object.values((lists ?? {}) as Readonly<Record<string, readonly string[]>>).every((list) => list.length === 0);
}

/** Reports service accounts that are not ACCOUNT or NAMESPACE/ACCOUNT, and more than 16 of them. */
export function checkAccounts(accounts: readonly string[] | undefined, path: FieldPath, report: Report): void {
  if ((accounts?.length ?? 0) > 16) report(path, "at most 16 service accounts are taken", "Use several entries.");
  for (const [index, account] of (accounts ?? []).entries()) {
    if (account.includes("*")) report([...path, index], `"${account}": no wildcard is taken here`, "Use principals.");
    else if (account.length > 320 || !/^[^/]+(?:\/[^/]+)?$/.test(account))
      report([...path, index], `expected ACCOUNT or NAMESPACE/ACCOUNT, got "${account}"`);
  }
}

/** Reports values with more than one wildcard, or one in the middle. */
export function checkWildcards(values: readonly string[] | undefined, path: FieldPath, report: Report): void {
  for (const [index, value] of (values ?? []).entries()) {
    const star = value.indexOf("*");
    if (star > 0 && star < value.length - 1)
      report([...path, index], `"${value}" has a wildcard that is not at the start or end`);
    else if (star !== value.lastIndexOf("*")) report([...path, index], `"${value}" has more than one wildcard`);
  }
}

/** Reports texts that are no port. */
export function checkPorts(ports: readonly string[] | undefined, path: FieldPath, report: Report): void {
  for (const [index, port] of (ports ?? []).entries())
    if (!/^\d+$/.test(port) || Number(port) > 65535)
      report([...path, index], `expected a port from 0 to 65535, got "${port}"`, "Write the workload's port.");
}
