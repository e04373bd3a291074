import { durationMs } from "../../base/duration.ts";
import type { TokenRule } from "../../ir/security.ts";
import type { Model } from "../../model/model.ts";
import { byText } from "../../model/order.ts";
import type { PolicyWorkload } from "../../model/policy-selection.ts";
import type { RequestAuthentication } from "../../model/request-authentication.ts";
import { refOf } from "../../resources/object.ts";
import { hasUsableKey } from "./key-set.ts";

type JwtRule = NonNullable<NonNullable<RequestAuthentication["spec"]>["jwtRules"]>[number];

/**
 * Stands where an issuer's keys could not be had: the public half of a key whose private half was never kept. Every token of
 * the issuer is refused then. (It must not be a symmetric key: whoever reads this could sign with it.)
 */
const NOBODY = [
  "oRyvar3TtEhtfc4kWOWWKqqR43NVDOP1eXPYQ9NmjjCJePzRJxd2iivVPnyiY4y2WaYUkuy-yS0hAnDkiI1QukQlKKVYbeo3" +
    "xarGpPmKK2WEUCY-KvJt0olpycE-ceWCzBxDF0JZZFk--EYAhVjaU9Pyh4lGQfk4Y499slSIS5jM71J76EC0AtwNbDIwgDe7" +
    "YhzN7Z5Xc14gs9H0KdTrJd1r83vhrVJGCnzRYKJxU_UXkhQ4QrUiVxNs9sVP-eUcXQ68az4XXgEow5YnCqmxoixg982HkXa4" +
    "ai_51QbgoQlbpk-ROxREXI4cy2h_fLWVWVGP-gj0zbWCEwYdTBZZOQ",
].join("");
const NO_KEYS = JSON.stringify({
  keys: [{ kty: "RSA", alg: "RS256", use: "sig", kid: "nobody", n: NOBODY, e: "AQAB" }],
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
  const { issuer = "" } = rule;
  return {
    issuer,
    audiences: rule.audiences ?? [],
    keys: keysOf(model, rule),
    ...placesOf(rule),
    payloadHeader: rule.outputPayloadToHeader ?? "",
    claimHeaders: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({ header, claim })),
    forwardToken: rule.forwardOriginalToken === true,
    spaceDelimitedClaims: [...new Set([...SPACE_DELIMITED, ...(rule.spaceDelimitedClaims ?? [])])].toSorted(byText),
    provenance: { from: refOf(object), path: ["spec", "jwtRules", index], lost: [] },
  };
}

function placesOf({
  fromHeaders = [],
  fromParams = [],
  fromCookies = [],
}: JwtRule): Pick<TokenRule, "fromHeaders" | "fromParams" | "fromCookies"> {
  return { fromHeaders: fromHeaders.map(({ name, prefix = "" }) => ({ name, prefix })), fromParams, fromCookies };
}

function keysOf(model: Model, rule: JwtRule): string {
  const { issuer = "", jwksUri = rule.jwks_uri ?? "", jwks = "", timeout } = rule;
  const timeoutMs = (timeout === undefined ? undefined : durationMs(timeout)) ?? FETCH_TIMEOUT_MS;
  const keys = jwks === "" ? model.keySets({ issuer, uri: jwksUri, timeoutMs }) : jwks;
  return keys !== undefined && hasUsableKey(keys) ? keys : NO_KEYS;
}
