import { RE2JS } from "re2js";
import type { Messages } from "../wire/codec.ts";

export type StringMatcher = Messages["envoy.type.matcher.v3.StringMatcher"];

const compiled = new Map<string, RE2JS>();

/** The regular expression, compiled once. */
export function regexOf(regex: string): RE2JS {
  const known = compiled.get(regex) ?? RE2JS.compile(regex);
  compiled.set(regex, known);
  return known;
}

/** RE2 over the whole value, as Envoy's `safe_regex`. */
export function fullMatch(regex: string, value: string): boolean {
  return regexOf(regex).matches(value);
}

/** Envoy's StringMatcher. `ignore_case` has no part in regular expressions. */
export function matchesString(matcher: StringMatcher, value: string): boolean {
  if (matcher.safe_regex !== undefined) return fullMatch(matcher.safe_regex.regex ?? "", value);
  const fold = (text: string): string => (matcher.ignore_case === true ? text.toLowerCase() : text);
  const seen = fold(value);
  if (matcher.exact !== undefined) return seen === fold(matcher.exact);
  if (matcher.prefix !== undefined) return seen.startsWith(fold(matcher.prefix));
  if (matcher.suffix !== undefined) return seen.endsWith(fold(matcher.suffix));
  return matcher.contains !== undefined && seen.includes(fold(matcher.contains));
}

/** For people: `prefix "/api"`, `regex "a+"`. */
export function stringMatcherText(matcher: StringMatcher): string {
  const [kind = "nothing", value] =
    matcher.safe_regex !== undefined
      ? ["regex", matcher.safe_regex.regex]
      : (Object.entries(matcher).find(([key]) => key !== "ignore_case") ?? []);
  const text = `${kind} ${JSON.stringify(value)}`;
  return matcher.ignore_case === true ? `${text}, any case` : text;
}
