import { durationMs } from "../../base/duration.ts";
import type { TokenRule } from "../../ir/security.ts";
import { byText } from "../../model/order.ts";
import type { Model } from "../../model/model.ts";
import type { PolicyWorkload } from "../../model/policy-selection.ts";
import type { RequestAuthentication } from "../../model/request-authentication.ts";
import { refOf } from "../../resources/object.ts";

type JwtRule = NonNullable<NonNullable<RequestAuthentication["spec"]>["jwtRules"]>[number];

/**
 * Stands where an issuer's keys could not be had: a set with one key that nobody has, since Envoy refuses an empty set. Every
 * token of the issuer is refused then.
 */
const NO_KEYS = JSON.stringify({
  keys: [{ kty: "oct", alg: "HS256", kid: "none", k: "bm9ib2R5LXNpZ25zLXdpdGgtdGhpcy1rZXk" }],
});

/** Claims that are lists in one text unless told otherwise. */
const SPACE_DELIMITED: readonly string[] = ["permission", "scope"];

/** How long fetching keys may take where a rule says nothing, in milliseconds. */
const FETCH_TIMEOUT_MS = 5_000;

/** The token rules of all RequestAuthentications that hold for a workload. */
export function tokenRules(model: Model, workload: PolicyWorkload): readonly TokenRule[] {
  return model.requestAuthentications
    .effective(workload)
    .flatMap((object) => (object.spec?.jwtRules ?? []).map((rule, index) => tokenRule(model, object, { rule, index })))
    .toSorted((a, b) => byText(a.issuer, b.issuer));
}

function tokenRule(
  model: Model,
  object: RequestAuthentication,
  { rule, index }: { readonly rule: JwtRule; readonly index: number },
): TokenRule {
  const { issuer = "", jwksUri = rule.jwks_uri ?? "", jwks = "", timeout } = rule;
  const timeoutMs = (timeout === undefined ? undefined : durationMs(timeout)) ?? FETCH_TIMEOUT_MS;
  const keys = jwks === "" ? model.keySets({ issuer, uri: jwksUri, timeoutMs }) : jwks;
  return {
    issuer,
    audiences: rule.audiences ?? [],
    keys: keys ?? NO_KEYS,
    fromHeaders: (rule.fromHeaders ?? []).map(({ name, prefix = "" }) => ({ name, prefix })),
    fromParams: rule.fromParams ?? [],
    fromCookies: rule.fromCookies ?? [],
    payloadHeader: rule.outputPayloadToHeader ?? "",
    claimHeaders: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({ header, claim })),
    forwardToken: rule.forwardOriginalToken === true,
    spaceDelimitedClaims: [...new Set([...SPACE_DELIMITED, ...(rule.spaceDelimitedClaims ?? [])])].toSorted(byText),
    provenance: { from: refOf(object), path: ["spec", "jwtRules", index], lost: [] },
  };
}
