import type { FieldPath } from "../../diagnostics/finding.ts";
import type { VirtualServiceHttpRoute } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { checkPercent, isGiven, setFields } from "../shared/values.ts";
import { eachHttp, isDelegate, type VirtualServiceRules } from "./parts.ts";

/** Rules about what an HTTP rule does to a request. */
export const httpActionRules: VirtualServiceRules = [
  {
    name: "virtual-service-action",
    holds: "An HTTP rule does one thing: route, redirect, directResponse or delegate.",
    severity: "error",
    check: (spec, report) => eachHttp(spec, (rule, path) => checkAction(rule, path, report)),
  },
  {
    name: "virtual-service-action-extras",
    holds: "fault and rewrite come with a route, not with redirect or directResponse.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        const answer = rule.redirect === undefined ? "directResponse" : "redirect";
        if (rule[answer] === undefined) return;
        for (const extra of ["fault", "rewrite"] as const)
          if (rule[extra] !== undefined)
            report([...path, extra], `${extra} and ${answer} exclude each other`, "Keep one of them.");
      }),
  },
  {
    name: "virtual-service-delegate-chain",
    holds: "An object that is delegated to does not delegate.",
    severity: "error",
    check: (spec, report) => {
      if (!isDelegate(spec)) return;
      eachHttp(spec, (rule, path) => {
        if (rule.delegate !== undefined)
          report([...path, "delegate"], "an object without hosts cannot delegate", "Write the route here.");
      });
    },
  },
  {
    name: "virtual-service-mirrors",
    holds: "mirror and mirrors exclude each other.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        if (rule.mirror !== undefined && (rule.mirrors ?? []).length > 0)
          report([...path, "mirror"], "mirror and mirrors exclude each other", "Move it into mirrors.");
      }),
  },
  {
    name: "virtual-service-mirror-share",
    holds: "mirrorPercent, the old field, is a percentage.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        checkPercent(rule.mirrorPercent, [...path, "mirrorPercent"], report);
      }),
  },
  {
    name: "virtual-service-redirect",
    holds: "A redirect changes something, with a scheme of http or https.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, path) => {
        if (rule.redirect !== undefined) checkRedirect(rule, [...path, "redirect"], report);
      }),
  },
  {
    name: "virtual-service-redirect-status",
    holds: "The status of a redirect is one that a proxy sends.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ redirect }, path) => {
        const status = redirect?.redirectCode;
        // istiod takes any 3xx, and the proxy then refuses the whole table
        if (status !== undefined && status !== 0 && ![301, 302, 303, 307, 308].includes(status))
          report([...path, "redirect", "redirectCode"], `expected 301, 302, 303, 307 or 308, got ${status}`);
      }),
  },
  {
    name: "virtual-service-direct-response",
    holds: "A fixed answer has a status from 200 to 599 and a body of at most 1 MiB.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ directResponse }, path) => {
        if (directResponse === undefined) return;
        checkStatus(directResponse.status, [...path, "directResponse", "status"], report);
        const size = bodySize(directResponse.body);
        if (size > MIB)
          report(
            [...path, "directResponse", "body"],
            `a body of ${size} bytes, at most ${MIB} are taken`,
            "Serve it from a service.",
          );
      }),
  },
  {
    name: "virtual-service-direct-response-large",
    holds: "The body of a fixed answer is small: every proxy holds it in memory.",
    severity: "warning",
    check: (spec, report) =>
      eachHttp(spec, ({ directResponse }, path) => {
        const size = bodySize(directResponse?.body);
        if (size > 100 * 1024 && size <= MIB)
          report(
            [...path, "directResponse", "body"],
            `a body of ${size} bytes is sent to every proxy`,
            "Serve it from a service.",
          );
      }),
  },
  {
    name: "virtual-service-rewrite",
    holds: "A rewrite changes the path, by uri or uriRegexRewrite, or the authority.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ rewrite }, path) => {
        if (rewrite === undefined) return;
        const at = [...path, "rewrite"];
        if (isGiven(rewrite.uri) && rewrite.uriRegexRewrite !== undefined)
          report([...at, "uri"], "uri and uriRegexRewrite exclude each other", "Keep one of them.");
        if (!isGiven(rewrite.uri) && rewrite.uriRegexRewrite === undefined && !isGiven(rewrite.authority))
          report(at, "the rewrite changes nothing", "Add uri, uriRegexRewrite or authority.");
      }),
  },
];

const MIB = 1024 * 1024;

function checkAction(rule: VirtualServiceHttpRoute, path: FieldPath, report: Report): void {
  const actions = setFields(rule, ["route", "redirect", "directResponse", "delegate"]);
  if (actions.length === 0)
    report(path, "expected one of route, redirect, directResponse and delegate", "Add a route.");
  if (actions.length > 1)
    report([...path, actions[1] ?? ""], `${actions.join(" and ")} exclude each other`, "Keep one of them.");
  if (rule.route?.length === 0) report([...path, "route"], "expected at least one destination", "Add a destination.");
}

function checkRedirect(rule: VirtualServiceHttpRoute, path: FieldPath, report: Report): void {
  const { uri, authority, scheme, port, derivePort, prefixRewrite } = rule.redirect ?? {};
  const isChange = [uri, authority, scheme, prefixRewrite].some(isGiven);
  if (!isChange && port === undefined && derivePort === undefined)
    report(path, "the redirect leads where the request came from", "Add uri, authority, scheme or port.");
  if (isGiven(scheme) && scheme !== "http" && scheme !== "https")
    report([...path, "scheme"], `expected http or https, got "${scheme}"`);
  if (!isGiven(prefixRewrite)) return;
  if (isGiven(uri)) report([...path, "prefixRewrite"], "uri and prefixRewrite exclude each other", "Keep one of them.");
  if (!areByPrefix(rule))
    report(
      [...path, "prefixRewrite"],
      "prefixRewrite replaces the prefix that was matched, but a match of this rule has none",
      "Match uri by prefix.",
    );
}

function areByPrefix({ match = [] }: VirtualServiceHttpRoute): boolean {
  return match.every(({ uri }) => uri === undefined || uri.prefix !== undefined);
}

/** Reports a status that no answer has. */
export function checkStatus(status: number | undefined, path: FieldPath, report: Report): void {
  if (status !== undefined && (status < 200 || status > 599))
    report(path, `expected a status from 200 to 599, got ${status}`);
}

function bodySize(body: { readonly string?: string; readonly bytes?: string } | undefined): number {
  if (body?.string !== undefined) return Buffer.byteLength(body.string);
  return body?.bytes === undefined ? 0 : Buffer.byteLength(body.bytes, "base64");
}
