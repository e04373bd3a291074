import type {
  Percent,
  VirtualServiceHttpDestination,
  VirtualServiceHttpMatch,
  VirtualServiceHttpRoute,
  VirtualServiceSpec,
} from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import {
  checkDuration,
  checkRegex,
  checkStringMatch,
  checkUnique,
  hostProblem,
  isAddress,
  setFields,
} from "./values.ts";

/** Rules of VirtualService. */
export const virtualServiceRules: Rules<"VirtualService"> = [
  {
    name: "virtual-service-hosts",
    holds: "There is a host, unless the object is only delegated to; hosts are DNS names, wildcards or addresses.",
    severity: "error",
    check: (spec, report) => {
      const hosts = spec.hosts ?? [];
      if (hosts.length === 0 && (spec.gateways?.length ?? 0) > 0)
        report(["hosts"], "expected at least one host", "Add the host whose requests are routed.");
      for (const [index, host] of hosts.entries()) {
        const problem = isAddress(host) ? undefined : hostProblem(host);
        if (problem !== undefined) report(["hosts", index], `"${host}" is no host: ${problem}`, "Write a DNS name.");
      }
    },
  },
  {
    name: "virtual-service-hosts-unique",
    holds: "No host is listed twice.",
    severity: "error",
    check: (spec, report) =>
      checkUnique(
        spec.hosts ?? [],
        (host) => host.toLowerCase(),
        (index, host) => report(["hosts", index], `host ${host} is listed twice`, "Remove one of them."),
      ),
  },
  {
    name: "virtual-service-mesh-wildcard",
    holds: "The host `*` is not used for traffic inside the mesh.",
    severity: "error",
    check: (spec, report) => {
      const mesh = spec.gateways === undefined || spec.gateways.length === 0 || spec.gateways.includes("mesh");
      const index = (spec.hosts ?? []).indexOf("*");
      if (mesh && index >= 0)
        report(["hosts", index], "host * is not allowed for sidecars (gateway mesh)", "Name a host, or a gateway.");
    },
  },
  {
    name: "virtual-service-has-rules",
    holds: "There is a rule for HTTP, TLS or TCP.",
    severity: "error",
    check: (spec, report) => {
      const count = (spec.http?.length ?? 0) + (spec.tls?.length ?? 0) + (spec.tcp?.length ?? 0);
      if (count === 0) report([], "expected at least one rule in http, tls or tcp", "Add a rule with a route.");
    },
  },
  {
    name: "virtual-service-action",
    holds: "An HTTP rule does one thing: route, redirect, directResponse or delegate.",
    severity: "error",
    check: (spec, report) => eachHttp(spec, (rule, index) => checkAction(rule, index, report)),
  },
  {
    name: "virtual-service-weights",
    holds: "Of several destinations at least one has a weight.",
    severity: "error",
    check: (spec, report) =>
      eachWeighted(spec, (routes, path) => {
        if (routes.length > 1 && sumOf(routes) === 0)
          report(path, "all weights are 0: no destination gets traffic", "Give each destination a weight.");
      }),
  },
  {
    name: "virtual-service-weights-sum",
    holds: "Weights add up to 100, so that they read as percent.",
    severity: "warning",
    check: (spec, report) =>
      eachWeighted(spec, (routes, path) => {
        const sum = sumOf(routes);
        if (routes.length < 2 || sum === 0 || sum === 100) return;
        const shares = routes.map((route) => `${((100 * (route.weight ?? 0)) / sum).toFixed(1)}%`).join(", ");
        report(path, `weights add up to ${sum}: the shares are ${shares}`, "Use weights that add up to 100.");
      }),
  },
  {
    name: "virtual-service-match",
    holds: "Regular expressions are RE2, prefixes are not empty.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, index) => {
        for (const [position, match] of (rule.match ?? []).entries())
          checkMatch(match, ["http", index, "match", position], report);
        const rewrite = rule.rewrite?.uriRegexRewrite?.match;
        if (rewrite !== undefined) checkRegex(rewrite, ["http", index, "rewrite", "uriRegexRewrite", "match"], report);
      }),
  },
  {
    name: "virtual-service-durations",
    holds: "Times are at least a millisecond.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, index) => {
        const at = ["http", index] as const;
        checkDuration(rule.timeout, [...at, "timeout"], report, "zero");
        checkDuration(rule.retries?.perTryTimeout, [...at, "retries", "perTryTimeout"], report, "zero");
        checkDuration(rule.retries?.backoff, [...at, "retries", "backoff"], report);
        checkDuration(rule.fault?.delay?.fixedDelay, [...at, "fault", "delay", "fixedDelay"], report);
      }),
  },
  {
    name: "virtual-service-retries",
    holds: "Retry conditions are names that the proxy knows, or status codes; attempts are not negative.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, index) => {
        const at = ["http", index, "retries"] as const;
        if ((rule.retries?.attempts ?? 0) < 0)
          report([...at, "attempts"], `expected 0 or more, got ${rule.retries?.attempts}`, "Write 0 for no retries.");
        for (const word of (rule.retries?.retryOn ?? "").split(",").map((text) => text.trim()))
          if (word !== "" && !RETRY_ON.has(word) && !/^[1-5]\d\d$/.test(word))
            report(
              [...at, "retryOn"],
              `"${word}" is no retry condition`,
              `Use ${[...RETRY_ON].join(", ")} or a status.`,
            );
      }),
  },
  {
    name: "virtual-service-statuses",
    holds: "Statuses of redirects, fixed answers and faults are ones that a proxy sends.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, index) => {
        const redirect = rule.redirect?.redirectCode;
        if (redirect !== undefined && redirect !== 0 && ![301, 302, 303, 307, 308].includes(redirect))
          report(["http", index, "redirect", "redirectCode"], `expected 301, 302, 303, 307 or 308, got ${redirect}`);
        checkStatus(rule.directResponse?.status, ["http", index, "directResponse", "status"], report);
        checkStatus(rule.fault?.abort?.httpStatus, ["http", index, "fault", "abort", "httpStatus"], report);
      }),
  },
  {
    name: "virtual-service-fault-share",
    holds: "A fault says for which share of requests.",
    severity: "warning",
    check: (spec, report) =>
      eachHttp(spec, (rule, index) => {
        const { delay, abort } = rule.fault ?? {};
        if (delay !== undefined && delay.percent === undefined)
          noShare(delay, ["http", index, "fault", "delay"], report);
        if (abort !== undefined) noShare(abort, ["http", index, "fault", "abort"], report);
      }),
  },
  {
    name: "virtual-service-sni",
    holds: "Server names of a TLS rule are covered by the object's hosts.",
    severity: "error",
    check: (spec, report) => {
      for (const [index, rule] of (spec.tls ?? []).entries())
        for (const [position, match] of rule.match.entries())
          for (const [place, sni] of match.sniHosts.entries())
            if (!(spec.hosts ?? []).some((host) => covers(host, sni)))
              report(
                ["tls", index, "match", position, "sniHosts", place],
                `${sni} is none of the hosts of this object`,
                `Add ${sni} to hosts, or correct it.`,
              );
    },
  },
];

const RETRY_ON: ReadonlySet<string> = new Set([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

function eachHttp(spec: VirtualServiceSpec, visit: (rule: VirtualServiceHttpRoute, index: number) => void): void {
  for (const [index, rule] of (spec.http ?? []).entries()) visit(rule, index);
}

type Weighted = readonly Pick<VirtualServiceHttpDestination, "weight">[];

function eachWeighted(spec: VirtualServiceSpec, visit: (routes: Weighted, path: (string | number)[]) => void): void {
  for (const protocol of ["http", "tls", "tcp"] as const)
    for (const [index, rule] of (spec[protocol] ?? []).entries())
      if (rule.route !== undefined) visit(rule.route, [protocol, index, "route"]);
}

function sumOf(routes: Weighted): number {
  return routes.reduce((sum, route) => sum + (route.weight ?? 0), 0);
}

function checkAction(rule: VirtualServiceHttpRoute, index: number, report: Report): void {
  const actions = setFields(rule, ["route", "redirect", "directResponse", "delegate"]);
  if (actions.length === 0)
    report(["http", index], "expected one of route, redirect, directResponse and delegate", "Add a route.");
  if (actions.length > 1)
    report(["http", index, actions[1] ?? ""], `${actions.join(" and ")} exclude each other`, "Keep one of them.");
  if (rule.route?.length === 0)
    report(["http", index, "route"], "expected at least one destination", "Add a destination.");
}

function checkMatch(match: VirtualServiceHttpMatch, path: (string | number)[], report: Report): void {
  for (const field of ["uri", "scheme", "method", "authority"] as const)
    checkStringMatch(match[field], [...path, field], report);
  for (const field of ["headers", "withoutHeaders", "queryParams"] as const)
    for (const [name, condition] of Object.entries(match[field] ?? {})) {
      // `*` alone has always meant "is there" for headers
      if (condition.regex !== "*") checkStringMatch(condition, [...path, field, name], report);
      if (name === "") report([...path, field], "expected a name, got an empty one", "Write the name of the header.");
    }
}

function checkStatus(status: number | undefined, path: (string | number)[], report: Report): void {
  if (status !== undefined && (status < 200 || status > 599))
    report(path, `expected a status from 200 to 599, got ${status}`);
}

function noShare(fault: { readonly percentage?: Percent }, path: (string | number)[], report: Report): void {
  if (fault.percentage?.value === undefined || fault.percentage.value === 0)
    report(path, "no percentage: the fault hits no request", "Set percentage.value, e.g. to 100.");
}

function covers(host: string, sni: string): boolean {
  if (host === "*" || host === sni) return true;
  return host.startsWith("*.") && sni.replace(/^\*/, "").endsWith(host.slice(1));
}
