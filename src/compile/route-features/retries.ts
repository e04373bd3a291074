import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { RetryPolicy } from "../../ir/route-features.ts";
import { retryPolicy } from "../retry-policy.ts";
import type { RouteFeature } from "./types.ts";

/**
 * `retries`, else the mesh's default. Only forwarding routes retry. A retry avoids hosts already tried, but not where a hash
 * chooses the host, unless the rule says so itself.
 */
export const retries: RouteFeature<"retries"> = {
  key: "retries",
  fields: ["retries"],
  of(model, { rule, action }, made) {
    if (action.kind !== "forward") return undefined;
    const said = rule.retries;
    const policy = retryPolicy(said, model.meshConfig());
    if (policy === undefined) return undefined;
    return compact({
      ...policy,
      backoffMs: said?.backoff === undefined ? undefined : durationMs(said.backoff),
      otherHost: said?.retryIgnorePreviousHosts ?? made.hash === undefined,
      otherPriority: said?.retryRemoteLocalities === true ? true : undefined,
    }) satisfies RetryPolicy;
  },
};
