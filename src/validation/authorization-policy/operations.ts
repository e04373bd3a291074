import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Report } from "../rule.ts";
import { type AuthorizationPolicyRules, checkNoEmpty, checkPorts, eachOperation, eachRule, isEmpty } from "./parts.ts";

/** Rules about what is called. */
export const operationRules: AuthorizationPolicyRules = [
  {
    name: "authorization-policy-operation",
    holds: "An operation says what is called.",
    severity: "error",
    check: (spec, report) =>
      eachRule(spec, (rule, path) => {
        for (const [index, { operation }] of (rule.to ?? []).entries())
          if (operation === undefined || isEmpty(operation))
            report([...path, "to", index], "an empty operation", "Say what is called, or remove the entry.");
      }),
  },
  {
    name: "authorization-policy-operation-values",
    holds: "Values of an operation are not empty.",
    severity: "error",
    check: (spec, report) => eachOperation(spec, (operation, path) => checkNoEmpty(operation, path, report)),
  },
  {
    name: "authorization-policy-ports",
    holds: "Ports are numbers up to 65535.",
    severity: "error",
    check: (spec, report) =>
      eachOperation(spec, (operation, path) => {
        for (const field of ["ports", "notPorts"] as const) checkPorts(operation[field], [...path, field], report);
      }),
  },
  {
    name: "authorization-policy-paths",
    holds: "Templates of paths are whole segments: {*} for one, {**} for the rest, at the end.",
    severity: "error",
    check: (spec, report) =>
      eachOperation(spec, (operation, path) => {
        for (const field of ["paths", "notPaths"] as const)
          for (const [index, template] of (operation[field] ?? []).entries())
            checkTemplate(template, [...path, field, index], report);
      }),
  },
];

function checkTemplate(template: string, path: FieldPath, report: Report): void {
  const isTemplate = template.includes("{*}") || template.includes("{**}");
  if (!isTemplate && !/[{}]/.test(template)) return;
  const segments = template.replace(/^\/+|\/+$/g, "").split("/");
  const rest = segments.indexOf("{**}");
  if (rest !== -1 && segments.slice(rest + 1).some((segment) => segment === "{*}" || segment === "{**}"))
    return report(path, `"${template}": {**} takes all the rest`, "Put {**} at the end.");
  for (const segment of segments) {
    if (segment === "{*}" || segment === "{**}") continue;
    if (/[{}]/.test(segment))
      return report(path, `"${template}": "${segment}" is no template`, "Use {*} or {**} as a whole segment.");
    // RFC 3986, appendix A: what a segment may consist of
    if (isTemplate && !/^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/.test(segment))
      return report(path, `"${template}": "${segment}" is no segment of a path`, "Encode it, without *.");
  }
}
