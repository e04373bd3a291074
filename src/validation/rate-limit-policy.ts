import { durationMs } from "../base/duration.ts";
import type { RateLimitPolicyLimit, RateLimitPolicySpec } from "../gen/schema-types.ts";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { Report, Rules } from "./rule.ts";
import { targetRules } from "./shared/targets.ts";

/** Envoy fills buckets no more often than this, in milliseconds. */
const SHORTEST_FILL_MS = 50;

/** Rules of RateLimitPolicy. */
export const rateLimitPolicyRules: Rules<RateLimitPolicySpec> = [
  ...targetRules<RateLimitPolicySpec>("rate-limit-policy"),
  {
    name: "rate-limit-policy-fill-interval",
    holds: "A bucket is filled at most every 50ms.",
    severity: "error",
    check: (spec, report) =>
      eachLimit(spec, ({ local }, path) => {
        const interval = durationMs(local?.fillInterval ?? "");
        if (interval !== undefined && interval < SHORTEST_FILL_MS)
          report(
            [...path, "local", "fillInterval"],
            `expected at least ${SHORTEST_FILL_MS}ms, got ${local?.fillInterval}`,
            "Write a longer interval, with more tokens.",
          );
      }),
  },
  {
    name: "rate-limit-policy-keys",
    holds: "Keys of a limit differ.",
    severity: "error",
    check: (spec, report) =>
      eachLimit(spec, (limit, path) => {
        checkKeys(limit, path, report);
      }),
  },
  {
    name: "rate-limit-policy-never-full",
    holds: "A bucket can hold what comes in an interval.",
    severity: "warning",
    check: (spec, report) =>
      eachLimit(spec, ({ local }, path) => {
        const { maxTokens = 0, tokensPerFill = maxTokens } = local ?? {};
        if (tokensPerFill > maxTokens)
          report(
            [...path, "local", "tokensPerFill"],
            `${tokensPerFill} tokens come, but the bucket holds ${maxTokens}`,
            "Raise maxTokens, or let fewer tokens come more often.",
          );
      }),
  },
  {
    name: "rate-limit-policy-service-fields",
    holds: "failureModeDeny and timeout are for global limits.",
    severity: "warning",
    check: (spec, report) => {
      if (spec.limits.some(({ global }) => global !== undefined)) return;
      for (const field of ["failureModeDeny", "timeout"] as const)
        if (spec[field] !== undefined)
          report([field], "no limit of the policy is global, so that no service is asked", "Remove it.");
    },
  },
];

function eachLimit(spec: RateLimitPolicySpec, visit: (limit: RateLimitPolicyLimit, path: FieldPath) => void): void {
  for (const [index, limit] of spec.limits.entries()) visit(limit, ["limits", index]);
}

function checkKeys({ keys = [] }: RateLimitPolicyLimit, path: FieldPath, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { header, claim, source }] of keys.entries()) {
    const key = JSON.stringify([header?.toLowerCase(), claim, source]);
    if (seen.has(key)) report([...path, "keys", index], "the same key stands twice", "Remove one.");
    seen.add(key);
  }
}
