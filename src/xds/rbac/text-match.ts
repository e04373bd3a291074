import type { Messages } from "../../wire/codec.ts";

export type StringMatcher = Messages["envoy.type.matcher.v3.StringMatcher"];
type HeaderMatcher = Messages["envoy.config.route.v3.HeaderMatcher"];

/** `*` alone: present and not empty; at the start a suffix, at the end a prefix, else the whole text. */
export function textMatch(value: string): StringMatcher {
  if (value === "*") return { safe_regex: { regex: ".+" } };
  if (value.startsWith("*")) return { suffix: value.slice(1) };
  if (value.endsWith("*")) return { prefix: value.slice(0, -1) };
  return { exact: value };
}

/** The same for a header; `*` alone asks only that it is there. */
export function headerMatch(name: string, value: string, ignoreCase: boolean): HeaderMatcher {
  if (value === "*") return { name, present_match: true };
  const match = textMatch(value);
  return { name, string_match: ignoreCase ? { ...match, ignore_case: true } : match };
}

/** The text as a regular expression (RE2) that matches just it. */
export function quoted(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

/** `*` anywhere stands for any text. */
export function wildcardRegex(value: string, any: string): string {
  return value.split("*").map(quoted).join(any);
}
