import type { Messages } from "../wire/codec.ts";

type JwtAuthentication = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"];
type Provider = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtProvider"];

/** A token that a request carries where its issuer's tokens are looked for. */
export interface SimulatedToken {
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the issuer's keys verify the signature. */
  readonly signed: boolean;
}

/** What jwt_authn makes of a token: dynamic metadata by filter, or the status that the client reads instead. */
export type TokenVerdict =
  | { readonly metadata: Readonly<Record<string, unknown>> }
  | { readonly status: 401 | 403; readonly why: "issuer" | "time" | "audience" | "signature" };

/** Envoy's default tolerance of clocks. */
const SKEW_SECONDS = 60;

/**
 * Envoy's jwt_authn on one token: of the providers of its issuer the first that takes it; its payload is left in metadata, with
 * claims that the provider calls space delimited as lists. Requests without a token pass, which is not asked here. `now` in seconds.
 */
export function judgeToken({ providers = {} }: JwtAuthentication, token: SimulatedToken, now: number): TokenVerdict {
  const own = Object.values(providers).filter(({ issuer }) => issuer === token.claims["iss"]);
  const verdicts = own.map((provider) => judgedBy(provider, token, now));
  const taken = verdicts.find((verdict) => "metadata" in verdict);
  const last = verdicts[0] ?? { status: 401, why: "issuer" };
  return taken ?? last;
}

function judgedBy(provider: Provider, { claims, signed }: SimulatedToken, now: number): TokenVerdict {
  const { exp, nbf } = claims;
  if (typeof nbf === "number" && nbf > now + SKEW_SECONDS) return { status: 401, why: "time" };
  if (typeof exp === "number" && exp + SKEW_SECONDS < now) return { status: 401, why: "time" };
  const { audiences = [] } = provider;
  if (audiences.length > 0 && !audiencesOf(claims).some((one) => audiences.some((wanted) => sameAudience(one, wanted))))
    return { status: 403, why: "audience" };
  if (!signed) return { status: 401, why: "signature" };
  return { metadata: { "envoy.filters.http.jwt_authn": payloadOf(provider, claims) } };
}

function audiencesOf({ aud }: SimulatedToken["claims"]): readonly unknown[] {
  return Array.isArray(aud) ? aud : [aud];
}

/** Envoy takes an audience with and without scheme and last slash for the same. */
function sameAudience(one: unknown, wanted: string): boolean {
  return typeof one === "string" && bare(one) === bare(wanted);
}

function bare(audience: string): string {
  return audience.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function payloadOf(provider: Provider, claims: SimulatedToken["claims"]): Readonly<Record<string, unknown>> {
  const lists = provider.normalize_payload_in_metadata?.space_delimited_claims ?? [];
  const payload = Object.entries(claims).map(([name, value]) => [
    name,
    lists.includes(name) && typeof value === "string" ? value.split(" ") : value,
  ]);
  const claimsLeft = Object.fromEntries(payload) as Readonly<Record<string, unknown>>;
  return { [provider.payload_in_metadata ?? ""]: claimsLeft };
}
