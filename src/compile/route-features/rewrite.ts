import { compact } from "../../base/compact.ts";
import type { Rewrite } from "../../ir/route-features.ts";
import type { RouteFeature } from "./types.ts";

/** `rewrite`: another path or host for what is forwarded. */
export const rewrite: RouteFeature<"rewrite"> = {
  key: "rewrite",
  fields: ["rewrite"],
  of(_, { rule, action }) {
    if (action.kind !== "forward" || rule.rewrite === undefined) return undefined;
    const { uri = "", authority = "", uriRegexRewrite } = rule.rewrite;
    const { match: pattern = "", rewrite: substitution = "" } = uriRegexRewrite ?? {};
    const byPrefix: Rewrite["path"] = uri === "" ? undefined : { kind: "prefix", value: uri };
    const path: Rewrite["path"] = pattern === "" ? byPrefix : { kind: "regex", pattern, substitution };
    const made: Rewrite = compact({ path, host: authority === "" ? undefined : authority });
    return Object.keys(made).length === 0 ? undefined : made;
  },
};
