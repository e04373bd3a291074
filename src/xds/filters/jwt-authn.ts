import { compact } from "../../base/compact.ts";
import type { TokenRule } from "../../ir/security.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { JWT_FILTER, JWT_PAYLOAD } from "../rbac/claims.ts";
import type { Direction } from "../types.ts";
import type { HttpFilter } from "./types.ts";

type Jwt = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"];
type Provider = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtProvider"];
type Requirement = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement"];

/**
 * RequestAuthentication: a request with a token that is not valid is answered with 401; one without any passes, and
 * authorization decides. Claims are left in metadata for authorization and, at gateways, for the choice of the route.
 */
export const jwtAuthn: HttpFilter = {
  name: JWT_FILTER,
  appliesTo: ({ security }) => security?.tokens !== undefined,
  filter: ({ security, direction }) => ({
    name: JWT_FILTER,
    typed_config: typed(
      "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
      authentication(security?.tokens ?? [], direction),
    ),
  }),
};

function authentication(rules: readonly TokenRule[], direction: Direction): Jwt {
  const named = rules.map((rule, index) => [`origins-${index}`, provider(rule, direction)] as const);
  return {
    providers: Object.fromEntries(named),
    rules: [{ match: { prefix: "/" }, requires: requirement(named.map(([name]) => name)) }],
    bypass_cors_preflight: true,
  };
}

/** With several issuers a token has to satisfy its own; that another issuer does not take it is no failure. */
function requirement(names: readonly string[]): Requirement {
  const own = names.map((name): Requirement => ({ provider_name: name }));
  const orMissing = own.map((one): Requirement => ({ requires_any: { requirements: [one, { allow_missing: {} }] } }));
  const [only] = orMissing;
  if (only !== undefined && orMissing.length === 1) return only;
  return { requires_any: { requirements: [...own, { requires_all: { requirements: orMissing } }] } };
}

function provider(rule: TokenRule, direction: Direction): Provider {
  return compact({
    issuer: rule.issuer,
    audiences: list(rule.audiences),
    local_jwks: { inline_string: rule.keys },
    forward: rule.forwardToken ? true : undefined,
    forward_payload_header: rule.payloadHeader === "" ? undefined : rule.payloadHeader,
    from_headers: list(
      rule.fromHeaders.map(({ name, prefix }) => compact({ name, value_prefix: prefix || undefined })),
    ),
    from_params: list(rule.fromParams),
    from_cookies: list(rule.fromCookies),
    payload_in_metadata: JWT_PAYLOAD,
    normalize_payload_in_metadata: { space_delimited_claims: rule.spaceDelimitedClaims },
    claim_to_headers: list(rule.claimHeaders.map(({ header, claim }) => ({ header_name: header, claim_name: claim }))),
    // the route is chosen anew by the claims
    clear_route_cache: direction === "gateway" ? true : undefined,
  });
}

function list<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}
