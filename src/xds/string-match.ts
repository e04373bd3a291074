import type { StringMatch } from "../ir/string-match.ts";
import type { Messages } from "../wire/codec.ts";

/** A condition on a text. Presence is no matcher of its own in Envoy: where it is one, the caller says it otherwise. */
export function stringMatcher(
  match: Exclude<StringMatch, { kind: "present" }>,
): Messages["envoy.type.matcher.v3.StringMatcher"] {
  if (match.kind === "regex") return { safe_regex: { regex: match.value } };
  return match.kind === "exact" ? { exact: match.value } : { prefix: match.value };
}
