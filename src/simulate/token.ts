import type { Messages } from "../wire/codec.ts";

type JwtAuthentication = Messages["envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"];

/**
 * The dynamic metadata that jwt_authn leaves of a token that it verified. Claims that the issuer's provider calls space
 * delimited become lists.
 */
export function tokenMetadata(
  config: JwtAuthentication,
  claims: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const provider = Object.values(config.providers ?? {}).find(({ issuer }) => issuer === claims["iss"]);
  if (provider === undefined) return {};
  const lists = provider.normalize_payload_in_metadata?.space_delimited_claims ?? [];
  const payload = Object.entries(claims).map(([name, value]) => [
    name,
    lists.includes(name) && typeof value === "string" ? value.split(" ") : value,
  ]);
  const claimsLeft = Object.fromEntries(payload) as Readonly<Record<string, unknown>>;
  return { "envoy.filters.http.jwt_authn": { [provider.payload_in_metadata ?? ""]: claimsLeft } };
}
