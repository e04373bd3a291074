import type { Messages } from "../wire/codec.ts";
import { matchesString, stringMatcherText } from "./string-match.ts";
import type { Check } from "./verdict.ts";

type MetadataMatcher = Messages["envoy.type.matcher.v3.MetadataMatcher"];
type ValueMatcher = Messages["envoy.type.matcher.v3.ValueMatcher"];

/** Envoy's MetadataMatcher over dynamic metadata by namespace (JWT claims for one). */
export function metadataCheck(matcher: MetadataMatcher, metadata: Readonly<Record<string, unknown>>): Check {
  const keys = (matcher.path ?? []).map(({ key = "" }) => key);
  const value = keys.reduce<unknown>((from, key) => member(from, key), metadata[matcher.filter ?? ""]);
  const holds = matcher.value === undefined ? false : matchesValue(matcher.value, value);
  if (holds !== (matcher.invert === true)) return undefined;
  const wanted = matcher.value === undefined ? "nothing" : valueText(matcher.value);
  return {
    condition: `metadata ${[matcher.filter, ...keys].join(".")}`,
    wanted: matcher.invert === true ? `not ${wanted}` : wanted,
    got: value === undefined ? undefined : JSON.stringify(value),
  };
}

function member(from: unknown, key: string): unknown {
  if (from === null || typeof from !== "object" || !Object.hasOwn(from, key)) return undefined;
  return (from as Readonly<Record<string, unknown>>)[key];
}

/** Envoy's ValueMatcher over a JSON value. */
export function matchesValue(matcher: ValueMatcher, value: unknown): boolean {
  if (matcher.or_match !== undefined)
    return (matcher.or_match.value_matchers ?? []).some((one) => matchesValue(one, value));
  if (matcher.list_match !== undefined) {
    const { one_of } = matcher.list_match;
    return Array.isArray(value) && one_of !== undefined && value.some((item) => matchesValue(one_of, item));
  }
  return matchesScalar(matcher, value);
}

function matchesScalar(matcher: ValueMatcher, value: unknown): boolean {
  if (matcher.string_match !== undefined)
    return typeof value === "string" && matchesString(matcher.string_match, value);
  if (matcher.bool_match !== undefined) return value === matcher.bool_match;
  if (matcher.present_match !== undefined) return (value !== undefined) === matcher.present_match;
  if (matcher.double_match?.exact !== undefined) return value === matcher.double_match.exact;
  return matcher.null_match !== undefined && value === null;
}

function valueText(matcher: ValueMatcher): string {
  if (matcher.string_match !== undefined) return stringMatcherText(matcher.string_match);
  if (matcher.or_match !== undefined) return (matcher.or_match.value_matchers ?? []).map(valueText).join(" or ");
  if (matcher.list_match?.one_of !== undefined) return `a list with ${valueText(matcher.list_match.one_of)}`;
  return JSON.stringify(matcher);
}
