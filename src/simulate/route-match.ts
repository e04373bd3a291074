import type { Messages } from "../wire/codec.ts";
import { metadataCheck } from "./metadata-match.ts";
import { headerValue, headerValues, pathOnly, queryValues, type SimulatedRequest } from "./request.ts";
import { fullMatch, matchesString, type StringMatcher, stringMatcherText } from "./string-match.ts";
import type { Check, Miss } from "./verdict.ts";

type RouteMatch = Messages["envoy.config.route.v3.RouteMatch"];
type HeaderMatcher = Messages["envoy.config.route.v3.HeaderMatcher"];
type QueryMatcher = Messages["envoy.config.route.v3.QueryParameterMatcher"];

/**
 * The first condition of a route that a request misses, in the order in which Envoy asks: path, headers, query parameters,
 * gRPC, metadata. Envoy's router (RouteEntryImplBase::matchRoute) is the source.
 */
export function routeCheck(match: RouteMatch, request: SimulatedRequest): Check {
  return (
    pathCheck(match, request) ??
    first(match.headers, (matcher) => headerCheck(matcher, request)) ??
    first(match.query_parameters, (matcher) => queryCheck(matcher, request)) ??
    grpcCheck(match, request) ??
    first(match.dynamic_metadata, (matcher) => metadataCheck(matcher, request.metadata ?? {}))
  );
}

function first<T>(items: readonly T[] | undefined, check: (item: T) => Check): Check {
  for (const item of items ?? []) {
    const miss = check(item);
    if (miss !== undefined) return miss;
  }
  return undefined;
}

function pathCheck(match: RouteMatch, request: SimulatedRequest): Check {
  const got = pathOnly(request.path);
  if (match.connect_matcher !== undefined)
    return request.method === "CONNECT" ? undefined : { condition: "method", wanted: "CONNECT", got: request.method };
  if (match.safe_regex !== undefined) {
    const regex = match.safe_regex.regex ?? "";
    return fullMatch(regex, got) ? undefined : { condition: "path", wanted: `regex ${JSON.stringify(regex)}`, got };
  }
  return literalPathCheck(match, got);
}

/** Conditions in letters, of either case where the route says so; regular expressions say that themselves. */
function literalPathCheck(match: RouteMatch, got: string): Check {
  const anyCase = match.case_sensitive === false;
  const fold = (text: string): string => (anyCase ? text.toLowerCase() : text);
  const told = (kind: string, value: string): Miss => ({
    condition: "path",
    wanted: `${kind} ${JSON.stringify(value)}${anyCase ? ", any case" : ""}`,
    got,
  });
  if (match.path !== undefined) return fold(got) === fold(match.path) ? undefined : told("exact", match.path);
  if (match.path_separated_prefix !== undefined) {
    const prefix = fold(match.path_separated_prefix);
    const rest = fold(got).startsWith(prefix) ? got.slice(prefix.length) : undefined;
    return rest === "" || rest?.startsWith("/") === true ? undefined : told("path prefix", match.path_separated_prefix);
  }
  const prefix = match.prefix ?? "";
  return fold(got).startsWith(fold(prefix)) ? undefined : told("prefix", prefix);
}

/**
 * Envoy's HeaderMatcher; shared with RBAC. One of a repeated header's values is enough. A missing header misses inverted
 * conditions too, unless it is treated as empty.
 */
export function headerCheck(matcher: HeaderMatcher, request: SimulatedRequest): Check {
  const { name = "" } = matcher;
  const inverted = matcher.invert_match === true;
  const miss = (wanted: string): Miss => ({
    condition: `header ${name}`,
    wanted: inverted ? `not ${wanted}` : wanted,
    got: headerValue(request, name),
  });
  const given = headerValues(request, name);
  const values = given.length === 0 && matcher.treat_missing_header_as_empty === true ? [""] : given;
  const condition = headerCondition(matcher);
  if (condition === undefined) {
    const present = values.length > 0 === (matcher.present_match ?? true);
    const words = matcher.present_match === false ? "absent" : "present";
    return present === inverted ? miss(words) : undefined;
  }
  if (values.length === 0) return miss(condition.text);
  return values.some((value) => condition.holds(value)) === inverted ? miss(condition.text) : undefined;
}

interface Condition {
  readonly text: string;
  holds(value: string): boolean;
}

/** What a header's value must be; undefined: only whether it is there counts. */
function headerCondition(matcher: HeaderMatcher): Condition | undefined {
  const range = matcher.range_match;
  if (range !== undefined) {
    const [start, end] = [Number(range.start ?? 0), Number(range.end ?? 0)];
    const holds = (value: string): boolean => /^[+-]?\d+$/.test(value) && Number(value) >= start && Number(value) < end;
    return { text: `from ${start} to below ${end}`, holds };
  }
  const string = matcher.string_match ?? older(matcher);
  return string && { text: stringMatcherText(string), holds: (value) => matchesString(string, value) };
}

/** The forms before `string_match`, which dumps of other control planes still have. */
function older(matcher: HeaderMatcher): StringMatcher | undefined {
  if (matcher.exact_match !== undefined) return { exact: matcher.exact_match };
  if (matcher.prefix_match !== undefined) return { prefix: matcher.prefix_match };
  if (matcher.suffix_match !== undefined) return { suffix: matcher.suffix_match };
  if (matcher.contains_match !== undefined) return { contains: matcher.contains_match };
  return matcher.safe_regex_match && { safe_regex: matcher.safe_regex_match };
}

/** Of a repeated parameter the first value counts. */
function queryCheck(matcher: QueryMatcher, request: SimulatedRequest): Check {
  const { name = "" } = matcher;
  const got = queryValues(request.path, name)[0];
  const miss = (wanted: string): Miss => ({ condition: `query parameter ${name}`, wanted, got });
  if (matcher.string_match === undefined) {
    const wanted = matcher.present_match ?? true;
    return (got !== undefined) === wanted ? undefined : miss(wanted ? "present" : "absent");
  }
  if (got === undefined || !matchesString(matcher.string_match, got))
    return miss(stringMatcherText(matcher.string_match));
  return undefined;
}

function grpcCheck(match: RouteMatch, request: SimulatedRequest): Check {
  if (match.grpc === undefined || isGrpc(request)) return undefined;
  return { condition: "header content-type", wanted: "gRPC", got: headerValue(request, "content-type") };
}

/** Whether Envoy takes a request for gRPC: by its content type alone. */
export function isGrpc(request: SimulatedRequest): boolean {
  const type = headerValue(request, "content-type");
  return type === "application/grpc" || type?.startsWith("application/grpc+") === true;
}
