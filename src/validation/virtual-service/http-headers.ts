import type { FieldPath } from "../../diagnostics/finding.ts";
import type { VirtualServiceHeaders, VirtualServiceSpec } from "../../gen/schema-types.ts";
import { checkChangedHeader, checkHeaderValue, isAuthority } from "../shared/headers.ts";
import { isGiven } from "../shared/values.ts";
import { eachHttp, type VirtualServiceRules } from "./parts.ts";

/** Rules about changes to headers. */
export const httpHeaderRules: VirtualServiceRules = [
  {
    name: "virtual-service-headers",
    holds: "Headers that are changed have names, and are no pseudo headers; the host is only set on requests.",
    severity: "error",
    check: (spec, report) =>
      eachHeaders(spec, (headers, path) => {
        for (const way of ["request", "response"] as const) {
          const authority = way === "request" ? "authority" : "no authority";
          for (const change of ["set", "add"] as const)
            for (const name of Object.keys(headers[way]?.[change] ?? {}))
              checkChangedHeader(name, [...path, way, change, name], report, authority);
          for (const [index, name] of (headers[way]?.remove ?? []).entries())
            checkChangedHeader(name, [...path, way, "remove", index], report, "no authority");
        }
      }),
  },
  {
    name: "virtual-service-header-values",
    holds: "Values of headers are text that proxies take; % starts a placeholder.",
    severity: "error",
    check: (spec, report) =>
      eachHeaders(spec, (headers, path) => {
        for (const way of ["request", "response"] as const)
          for (const change of ["set", "add"] as const)
            for (const [name, value] of Object.entries(headers[way]?.[change] ?? {}))
              checkHeaderValue(value, [...path, way, change, name], report);
      }),
  },
  {
    name: "virtual-service-authority",
    holds: "The host of a request is changed in one place: rewrite.authority, headers.request.set or add.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ rewrite, headers }, path) => {
        const { set = {}, add = {} } = headers?.request ?? {};
        const names = [...Object.keys(set), ...Object.keys(add)].filter(isAuthority);
        const places = names.length + (isGiven(rewrite?.authority) ? 1 : 0);
        if (places > 1)
          report(
            [...path, "headers", "request"],
            "the host of the request is changed more than once",
            "Keep rewrite.authority.",
          );
      }),
  },
];

function eachHeaders(spec: VirtualServiceSpec, visit: (headers: VirtualServiceHeaders, path: FieldPath) => void): void {
  eachHttp(spec, (rule, path) => {
    if (rule.headers !== undefined) visit(rule.headers, [...path, "headers"]);
    for (const [index, { headers }] of (rule.route ?? []).entries())
      if (headers !== undefined) visit(headers, [...path, "route", index, "headers"]);
  });
}
