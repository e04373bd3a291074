import { isLabel } from "../shared/hosts.ts";
import { headerNameProblem } from "../shared/headers.ts";
import { checkRegex, checkStringMatch } from "../shared/values.ts";
import { checkLabels } from "../shared/labels.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { StringMatch, VirtualServiceHttpMatch } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { eachHttp, isClaim, type VirtualServiceRules } from "./parts.ts";

const PSEUDO: ReadonlySet<string> = new Set([":method", ":scheme", ":authority", ":path", ":status"]);

/** Rules about the conditions of HTTP rules. */
export const httpMatchRules: VirtualServiceRules = [
  {
    name: "virtual-service-match",
    holds: "Regular expressions are RE2, prefixes are not empty.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        for (const [position, match] of (rule.match ?? []).entries())
          checkMatch(match, [...path, "match", position], report);
      }),
  },
  {
    name: "virtual-service-match-headers",
    holds: "Conditions on headers name a header, a pseudo header or a claim.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        for (const [position, match] of (rule.match ?? []).entries())
          for (const field of ["headers", "withoutHeaders"] as const)
            if (match[field] !== undefined) checkHeaderNames(match[field], [...path, "match", position, field], report);
      }),
  },
  {
    name: "virtual-service-match-source",
    holds: "Callers are named by labels and a namespace that Kubernetes could have.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        for (const [position, { sourceLabels, sourceNamespace }] of (rule.match ?? []).entries()) {
          checkLabels(sourceLabels, [...path, "match", position, "sourceLabels"], report);
          if (sourceNamespace !== undefined && sourceNamespace !== "" && !isLabel(sourceNamespace))
            report([...path, "match", position, "sourceNamespace"], `"${sourceNamespace}" is no namespace`);
        }
      }),
  },
  {
    name: "virtual-service-rewrite-regex",
    holds: "uriRegexRewrite has both match, in RE2 syntax, and rewrite.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ rewrite }, path) => {
        const regex = rewrite?.uriRegexRewrite;
        if (regex === undefined) return;
        const at = [...path, "rewrite", "uriRegexRewrite"];
        if ((regex.match ?? "") === "" || (regex.rewrite ?? "") === "")
          return report(at, "expected both match and rewrite", "Add what is missing.");
        checkRegex(regex.match ?? "", [...at, "match"], report);
      }),
  },
];

function checkMatch(match: VirtualServiceHttpMatch, path: FieldPath, report: Report): void {
  // an empty prefix of the path matches everything, and is taken
  if (match.uri?.regex !== undefined) checkRegex(match.uri.regex, [...path, "uri", "regex"], report);
  for (const field of ["scheme", "method", "authority"] as const)
    if (match[field] !== undefined) checkStringMatch(match[field], [...path, field], report);
  for (const field of ["headers", "withoutHeaders", "queryParams"] as const)
    if (match[field] !== undefined) checkConditions(match[field], [...path, field], report);
}

function checkConditions(conditions: Readonly<Record<string, StringMatch>>, path: FieldPath, report: Report): void {
  // `*` alone has always meant "is there", for headers that must not be
  for (const [name, condition] of Object.entries(conditions))
    if (condition.regex !== "*" || path.at(-1) !== "withoutHeaders")
      checkStringMatch(condition, [...path, name], report);
}

function checkHeaderNames(conditions: Readonly<Record<string, StringMatch>>, path: FieldPath, report: Report): void {
  for (const name of Object.keys(conditions)) {
    if (isClaim(name) || PSEUDO.has(name)) continue;
    const problem = headerNameProblem(name);
    if (problem !== undefined) report(name === "" ? path : [...path, name], problem, "Write the name of the header.");
  }
}
