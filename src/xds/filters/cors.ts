import { compact } from "../../base/compact.ts";
import type { CorsPolicy } from "../../ir/route-features.ts";
import { type TypedAny, typed } from "../../wire/codec.ts";
import { fraction } from "../fraction.ts";
import { stringMatcher } from "../string-match.ts";
import type { HttpFilter } from "./types.ts";

/** Cross-origin requests. Off (and free) until a route has a policy of its own (feature `cors`). */
export const cors: HttpFilter = {
  name: "envoy.filters.http.cors",
  key: "cors",
  appliesTo: (chain) => chain.direction !== "inbound",
  filter: () => ({
    name: "envoy.filters.http.cors",
    disabled: true,
    typed_config: typed("envoy.extensions.filters.http.cors.v3.Cors", {}),
  }),
  perRoute: ({ cors: policy }) => (policy === undefined ? undefined : policyOf(policy)),
};

const ALWAYS = { default_value: fraction(1_000_000) };

function policyOf(policy: CorsPolicy): TypedAny {
  return typed(
    "envoy.extensions.filters.http.cors.v3.CorsPolicy",
    compact({
      allow_origin_string_match: policy.origins.map((origin) =>
        stringMatcher(origin.kind === "present" ? { kind: "regex", value: ".*" } : origin),
      ),
      allow_methods: list(policy.methods),
      allow_headers: list(policy.headers),
      expose_headers: list(policy.exposeHeaders),
      max_age: policy.maxAgeSeconds === undefined ? undefined : String(policy.maxAgeSeconds),
      allow_credentials: policy.credentials,
      forward_not_matching_preflights: policy.forwardUnmatched,
      filter_enabled: ALWAYS,
    }),
  );
}

function list(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.join(",");
}
