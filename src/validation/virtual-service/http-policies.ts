import { GRPC_STATUS_NAMES } from "../../base/rpc-status.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type {
  Percent,
  StringMatch,
  VirtualServiceAbort,
  VirtualServiceCorsPolicy,
  VirtualServiceRetries,
} from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { headerNameProblem } from "../shared/headers.ts";
import { checkDuration, checkRegex, isGiven, setFields } from "../shared/values.ts";
import { durationMs } from "../../base/duration.ts";
import { checkStatus } from "./http-action.ts";
import { eachHttp, type VirtualServiceRules } from "./parts.ts";

/** Rules about timeouts, retries, faults and cross-origin calls. */
export const httpPolicyRules: VirtualServiceRules = [
  {
    name: "virtual-service-durations",
    holds: "Times are whole milliseconds, at least one.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, (rule, at) => {
        checkDuration(rule.timeout, [...at, "timeout"], report);
        checkDuration(rule.retries?.perTryTimeout, [...at, "retries", "perTryTimeout"], report);
        checkDuration(rule.retries?.backoff, [...at, "retries", "backoff"], report);
        checkDuration(rule.fault?.delay?.fixedDelay, [...at, "fault", "delay", "fixedDelay"], report);
        checkDuration(rule.corsPolicy?.maxAge, [...at, "corsPolicy", "maxAge"], report);
      }),
  },
  {
    name: "virtual-service-retries",
    holds: "Retry conditions are names that the proxy knows, or status codes; attempts are not negative.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ retries }, path) => {
        if (retries !== undefined) checkRetries(retries, [...path, "retries"], report);
      }),
  },
  {
    name: "virtual-service-retries-off",
    holds: "Retries that are off (attempts 0) say nothing more.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ retries }, path) => {
        if (retries === undefined || (retries.attempts ?? 0) !== 0) return;
        const idle = setFields(retries, ["perTryTimeout", "retryOn", "retryRemoteLocalities"]);
        if (idle.length > 0)
          report(
            [...path, "retries", idle[0] ?? ""],
            `attempts is 0: ${idle.join(", ")} has no effect`,
            "Set attempts.",
          );
      }),
  },
  {
    name: "virtual-service-fault",
    holds: "A fault delays or aborts, in a way that proxies know.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ fault }, path) => {
        if (fault === undefined) return;
        const at = [...path, "fault"];
        if (fault.abort === undefined && fault.delay === undefined)
          report(at, "expected delay or abort", "Add one, or remove fault.");
        if (fault.abort !== undefined) checkAbort(fault.abort, [...at, "abort"], report);
        if (fault.delay?.exponentialDelay !== undefined)
          report([...at, "delay", "exponentialDelay"], "no proxy implements exponentialDelay", "Use fixedDelay.");
      }),
  },
  {
    name: "virtual-service-fault-percentage",
    holds: "The share of a fault is 0, or one that the proxy can count.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ fault }, path) => {
        for (const way of ["delay", "abort"] as const)
          checkShare(fault?.[way]?.percentage, [...path, "fault", way, "percentage", "value"], report);
      }),
  },
  {
    name: "virtual-service-fault-share",
    holds: "A fault says for which share of requests.",
    severity: "warning",
    check: (spec, report) =>
      eachHttp(spec, ({ fault }, path) => {
        for (const way of ["delay", "abort"] as const) {
          const part = fault?.[way];
          if (part === undefined || ("percent" in part && part.percent !== undefined)) continue;
          if ((part.percentage?.value ?? 0) === 0)
            report(
              [...path, "fault", way],
              "no percentage: the fault hits no request",
              "Set percentage.value, e.g. to 100.",
            );
        }
      }),
  },
  {
    name: "virtual-service-abort-kind",
    holds: "An abort says with which status.",
    severity: "warning",
    check: (spec, report) =>
      eachHttp(spec, ({ fault }, path) => {
        if (fault?.abort !== undefined && setFields(fault.abort, ABORTS).length === 0)
          report([...path, "fault", "abort"], "the abort has no status: nothing is aborted", "Set httpStatus.");
      }),
  },
  {
    name: "virtual-service-cors",
    holds: "Origins are not empty, methods are known, headers have names, maxAge is whole seconds.",
    severity: "error",
    check: (spec, report) =>
      eachHttp(spec, ({ corsPolicy }, path) => {
        if (corsPolicy !== undefined) checkCors(corsPolicy, [...path, "corsPolicy"], report);
      }),
  },
];

/** Retry conditions that Envoy knows (x-envoy-retry-on and x-envoy-retry-grpc-on). */
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

function checkRetries(retries: VirtualServiceRetries, path: FieldPath, report: Report): void {
  const { attempts = 0, retryOn = "" } = retries;
  if (attempts < 0) report([...path, "attempts"], `expected 0 or more, got ${attempts}`, "Write 0 for no retries.");
  if (retryOn === "") return;
  for (const word of retryOn.split(","))
    if (!RETRY_ON.has(word) && !/^[1-5]\d\d$/.test(word))
      report(
        [...path, "retryOn"],
        `"${word}" is no retry condition`,
        RETRY_ON.has(word.trim())
          ? "Separate conditions by commas alone, without spaces."
          : `Use ${[...RETRY_ON].join(", ")} or a status.`,
      );
}

const ABORTS = ["httpStatus", "grpcStatus", "http2Error"] as const;

function checkAbort(abort: VirtualServiceAbort, path: FieldPath, report: Report): void {
  const kinds = setFields(abort, ABORTS);
  if (kinds.length > 1)
    report([...path, kinds[1] ?? ""], `${kinds.join(" and ")} exclude each other`, "Keep one of them.");
  checkStatus(abort.httpStatus, [...path, "httpStatus"], report);
  if (abort.grpcStatus !== undefined && !GRPC_STATUS_NAMES.includes(abort.grpcStatus))
    report([...path, "grpcStatus"], `"${abort.grpcStatus}" is no gRPC status`, "Write its name, e.g. UNAVAILABLE.");
  if (abort.http2Error !== undefined)
    report([...path, "http2Error"], "no proxy implements http2Error", "Use httpStatus.");
}

function checkShare(percentage: Percent | undefined, path: FieldPath, report: Report): void {
  const value = percentage?.value ?? 0;
  if (value > 0 && value < 0.0001) report(path, `expected 0, or at least 0.0001, got ${value}`);
}

const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "*",
]);

function checkCors(cors: VirtualServiceCorsPolicy, path: FieldPath, report: Report): void {
  for (const [index, origin] of (cors.allowOrigins ?? []).entries())
    checkOrigin(origin, [...path, "allowOrigins", index], report);
  for (const [index, method] of (cors.allowMethods ?? []).entries())
    if (!METHODS.has(method))
      report([...path, "allowMethods", index], `"${method}" is no HTTP method`, `Use ${[...METHODS].join(", ")}.`);
  for (const field of ["allowHeaders", "exposeHeaders"] as const)
    for (const [index, name] of (cors[field] ?? []).entries()) {
      const problem = name === "*" ? undefined : headerNameProblem(name);
      if (problem !== undefined) report([...path, field, index], problem);
    }
  checkSeconds(cors.maxAge, [...path, "maxAge"], report);
}

function checkOrigin({ exact, prefix, regex }: StringMatch, path: FieldPath, report: Report): void {
  if (![exact, prefix, regex].some(isGiven)) report(path, "an empty origin", "Write exact, prefix or regex.");
  else if (regex !== undefined) checkRegex(regex, [...path, "regex"], report);
}

function checkSeconds(duration: string | undefined, path: FieldPath, report: Report): void {
  const ms = durationMs(duration ?? "");
  if (ms !== undefined && ms >= 1 && ms % 1000 !== 0)
    report(path, `expected whole seconds, got ${duration}`, "Round it: browsers count in seconds.");
}
