import { hostMatches } from "../../model/host.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { hostOf, logged, object, refTo } from "../words.ts";

/** A RateLimitPolicy refuses the request: this proxy's own count (local), or that of the whole mesh (global). */
export const rateLimits: Hypothesis = {
  name: "rate limits",
  codes: ["rate-limited"],
  guess(facts) {
    const { symptom, model, proxy } = facts;
    const local = symptom.flags.includes("RL") || /local_rate_limited/.test(symptom.details ?? "");
    const global = /request_rate_limited/.test(symptom.details ?? "");
    if (!local && !global) return [];
    return model.rateLimits.effective(proxy).flatMap((policy) =>
      (policy.spec?.limits ?? []).flatMap((limit, index): Guess[] => {
        const counts = global && limit.global !== undefined ? limit.global : limit.local;
        if (counts === undefined || !matches(limit, facts)) return [];
        const ref = refTo(policy);
        return [
          {
            code: "rate-limited",
            object: ref,
            field: `spec.limits[${index}]`,
            says: `its limit ${limit.name ?? String(index)} is used up: ${JSON.stringify(counts)}`,
            evidence: [
              logged(facts),
              object(ref, `${global ? "global" : "local"} limit ${JSON.stringify(counts)} is for such requests`),
            ],
            fix: "Send less, or raise the limit.",
            weight: 90,
          },
        ];
      }),
    );
  },
};

type Limit = NonNullable<NonNullable<KindTypes["RateLimitPolicy"]["spec"]>["limits"]>[number];

/** Whether the limit is for such requests, as far as the access log tells. */
function matches({ match }: Limit, { symptom }: Facts): boolean {
  const { hosts = [], methods = [], paths = [] } = match ?? {};
  const host = hostOf(symptom.authority);
  const path = (symptom.path ?? "/").replace(/[?#].*$/, "");
  return (
    (hosts.length === 0 || hosts.some((one) => same(one.toLowerCase(), host))) &&
    (methods.length === 0 || methods.some((one) => one.toUpperCase() === symptom.method)) &&
    (paths.length === 0 || paths.some((one) => same(one, path)))
  );
}

/** `*` at either end stands for any text. */
function same(pattern: string, text: string): boolean {
  if (pattern.endsWith("*")) return text.startsWith(pattern.slice(0, -1));
  return hostMatches(pattern, text);
}
