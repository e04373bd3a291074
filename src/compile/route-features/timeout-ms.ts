import { durationMs } from "../../base/duration.ts";
import type { RouteFeature } from "./types.ts";

/** `timeout`: how long the whole request may take, retries included. Nothing said is no limit, unlike Envoy's 15 s. */
export const timeoutMs: RouteFeature<"timeoutMs"> = {
  key: "timeoutMs",
  fields: ["timeout"],
  of: (_, { rule }) => {
    const ms = rule.timeout === undefined ? 0 : (durationMs(rule.timeout) ?? 0);
    return ms === 0 ? undefined : ms;
  },
};
