import type { ClaimMatch, HeaderMatch, RouteMatch } from "../ir/route.ts";
import type { StringMatch } from "../ir/string-match.ts";
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

/** A header name that means a claim of a token: `@request.auth.claims.a.b`, or `@request.auth.claims[a.b][c]` for odd names. */
const CLAIM_HEADER = /^@request\.auth\.claims(.*)$/;

/**
 * The request's part of a match (who calls and where is decided at compile time). Undefined when a condition cannot be asked:
 * the entry then never matches, since leaving the condition out would match more than was meant.
 */
export function routeMatch(match: HttpMatch): RouteMatch | undefined {
  const claims = [...claimMatches(match.headers, false), ...claimMatches(match.withoutHeaders, true)];
  if (claims.some(({ path }) => path.length === 0)) return undefined;
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
    ...(claims.length === 0 ? {} : { claims }),
  };
}

/** Conditions on claims; one whose name cannot be read has no path. */
function claimMatches(specs: HttpMatch["headers"], invert: boolean): readonly ClaimMatch[] {
  return sortedEntries(specs).flatMap(([name, spec]) => {
    const rest = CLAIM_HEADER.exec(name)?.[1];
    return rest === undefined ? [] : [{ path: claimPath(rest), match: stringMatch(spec), invert }];
  });
}

function claimPath(text: string): readonly string[] {
  if (text.startsWith(".")) {
    const names = text.slice(1).split(".");
    return names.includes("") ? [] : names;
  }
  const names = [...text.matchAll(/\[([^[\]]+)\]/g)].map(([, name = ""]) => name);
  return names.map((name) => `[${name}]`).join("") === text ? names : [];
}

/** Whether every request matches: nothing after such a route is reached. */
export function matchesAll({ path, headers, queryParams, claims = [] }: RouteMatch): boolean {
  const anyPath =
    path === undefined ||
    (path.kind === "prefix" && path.value === "/") ||
    (path.kind === "regex" && path.value === ".*");
  return anyPath && headers.length + queryParams.length + claims.length === 0;
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
  const plain = sortedEntries(specs).filter(([name]) => !CLAIM_HEADER.test(name));
  return plain.map(([name, spec]) => ({ name: name.toLowerCase(), match: stringMatch(spec), invert }));
}

function sortedEntries(specs: HttpMatch["headers"]): readonly (readonly [string, StringSpec])[] {
  return Object.entries(specs ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
