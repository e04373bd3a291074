import type { Messages } from "../../wire/codec.ts";
import type { StringMatcher } from "./text-match.ts";

type MetadataMatcher = Messages["envoy.type.matcher.v3.MetadataMatcher"];

/** Where jwt_authn leaves what it verified: dynamic metadata of its own name, below this key. */
export const JWT_FILTER = "envoy.filters.http.jwt_authn";
export const JWT_PAYLOAD = "payload";

/** A claim that is a text. */
export function textClaim(name: string, match: StringMatcher): MetadataMatcher {
  return { filter: JWT_FILTER, path: [{ key: JWT_PAYLOAD }, { key: name }], value: { string_match: match } };
}

/** A claim, perhaps inside others, that is a text or a list with it. */
export function claim(path: readonly string[], match: StringMatcher): MetadataMatcher {
  const value = { string_match: match };
  return {
    filter: JWT_FILTER,
    path: [JWT_PAYLOAD, ...path].map((key) => ({ key })),
    value: { or_match: { value_matchers: [{ list_match: { one_of: value } }, value] } },
  };
}

/** Names in brackets: `[a][b]` -> a, b. One name with brackets in it is taken whole. undefined: no brackets. */
export function bracketed(text: string): readonly string[] | undefined {
  if (!text.startsWith("[") || !text.endsWith("]")) return undefined;
  const parts = /^(?:\[[^[\]]*\])+$/.test(text)
    ? [...text.matchAll(/\[([^[\]]*)\]/g)].map(([, name]) => name ?? "")
    : [];
  return parts.length > 0 ? parts : [text.slice(1, -1)];
}
