import type { HeaderMatch, RouteMatch, StringMatch } from "../ir/route.ts";
import type { VirtualService } from "../model/virtual-services.ts";

/** One rule of a VirtualService, and one entry of its `match`. */
export type HttpRule = NonNullable<NonNullable<VirtualService["spec"]>["http"]>[number];
export type HttpMatch = NonNullable<HttpRule["match"]>[number];
type StringSpec = NonNullable<HttpMatch["uri"]>;

/** Any request. */
export const MATCH_ALL: RouteMatch = {
  path: undefined,
  pathSeparatedPrefix: false,
  ignoreCase: false,
  headers: [],
  queryParams: [],
};

/** A header name that means a claim of a token: needs RequestAuthentication, which has no effect yet. */
const CLAIM_HEADER = /^@request\.auth\.claims/;

/**
 * The request's part of a match (who calls and where is decided at compile time). Undefined when a condition cannot be asked
 * yet: the entry then never matches, since leaving the condition out would match more than was meant.
 */
export function routeMatch(match: HttpMatch): RouteMatch | undefined {
  const named = Object.keys({ ...match.headers, ...match.withoutHeaders });
  if (named.some((name) => CLAIM_HEADER.test(name))) return undefined;
  const headers: HeaderMatch[] = [
    ...pseudo(":method", match.method),
    ...pseudo(":authority", match.authority),
    ...pseudo(":scheme", match.scheme),
    ...headerMatches(match.headers, false),
    ...headerMatches(match.withoutHeaders, true),
  ];
  return {
    path: match.uri === undefined ? undefined : pathMatch(match.uri),
    pathSeparatedPrefix: false,
    ignoreCase: match.ignoreUriCase === true,
    headers,
    queryParams: sortedEntries(match.queryParams).map(([name, spec]) => ({ name, match: stringMatch(spec) })),
  };
}

/** Whether every request matches: nothing after such a route is reached. */
export function matchesAll({ path, headers, queryParams }: RouteMatch): boolean {
  const anyPath =
    path === undefined ||
    (path.kind === "prefix" && path.value === "/") ||
    (path.kind === "regex" && path.value === ".*");
  return anyPath && headers.length === 0 && queryParams.length === 0;
}

/** `""` of an exact or prefix means any value, as absence of all three does. */
export function stringMatch({ exact, prefix, regex }: StringSpec): StringMatch {
  if (exact !== undefined && exact !== "") return { kind: "exact", value: exact };
  if (prefix !== undefined && prefix !== "") return { kind: "prefix", value: prefix };
  if (regex !== undefined && regex !== "" && regex !== "*") return { kind: "regex", value: regex };
  return { kind: "present" };
}

function pathMatch(spec: StringSpec): StringMatch | undefined {
  const match = stringMatch(spec);
  return match.kind === "present" ? undefined : match;
}

function pseudo(name: string, spec: StringSpec | undefined): readonly HeaderMatch[] {
  return spec === undefined ? [] : [{ name, match: stringMatch(spec), invert: false }];
}

function headerMatches(specs: HttpMatch["headers"], invert: boolean): readonly HeaderMatch[] {
  return sortedEntries(specs).map(([name, spec]) => ({ name: name.toLowerCase(), match: stringMatch(spec), invert }));
}

function sortedEntries(specs: HttpMatch["headers"]): readonly (readonly [string, StringSpec])[] {
  return Object.entries(specs ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
