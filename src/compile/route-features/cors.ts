import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { StringMatch } from "../../ir/string-match.ts";
import { stringMatch } from "../http-match.ts";
import type { RouteFeature } from "./types.ts";

/** `corsPolicy`: who may call from other origins, answered by the proxy. */
export const cors: RouteFeature<"cors"> = {
  key: "cors",
  fields: ["corsPolicy"],
  of(_, { rule: { corsPolicy: policy } }) {
    if (policy === undefined) return undefined;
    const { allowOrigins = [], allowOrigin = [], maxAge } = policy;
    const old = allowOrigin.map((origin): StringMatch => (origin === "*" ? ANY : { kind: "exact", value: origin }));
    return compact({
      origins: allowOrigins.length > 0 ? allowOrigins.map(originMatch) : old,
      methods: policy.allowMethods ?? [],
      headers: policy.allowHeaders ?? [],
      exposeHeaders: policy.exposeHeaders ?? [],
      maxAgeSeconds: maxAge === undefined ? undefined : Math.floor((durationMs(maxAge) ?? 0) / 1000),
      credentials: policy.allowCredentials ?? undefined,
      forwardUnmatched: policy.unmatchedPreflights !== "IGNORE",
    });
  },
};

const ANY: StringMatch = { kind: "regex", value: ".*" };

/** An origin `*` means any, however it is written; nothing asked is any too. */
function originMatch(spec: Parameters<typeof stringMatch>[0]): StringMatch {
  const match = stringMatch(spec);
  return match.kind === "present" || (match.kind === "exact" && match.value === "*") ? ANY : match;
}
