import type { HeaderMatch, RouteMatch } from "../../ir/route.ts";
import type { StringMatch } from "../../ir/string-match.ts";
import type { KindTypes } from "../../resources/kinds.ts";

type HttpRule = NonNullable<NonNullable<KindTypes["HTTPRoute"]["spec"]>["rules"]>[number];
type GrpcRule = NonNullable<NonNullable<KindTypes["GRPCRoute"]["spec"]>["rules"]>[number];
export type HttpMatch = NonNullable<HttpRule["matches"]>[number];
export type GrpcMatch = NonNullable<GrpcRule["matches"]>[number];

/** Conditions of an HTTPRoute's match; without a path any path is meant. */
export function httpRouteMatch({ path, method, headers, queryParams }: HttpMatch): RouteMatch {
  const { type = "PathPrefix", value = "/" } = path ?? {};
  return {
    path: pathOf(type, value),
    pathSeparatedPrefix: type === "PathPrefix",
    ignoreCase: false,
    headers: [...methodMatch(method), ...headerMatches(headers)],
    queryParams: firstOfEach(queryParams, (name) => name).map((pair) => ({ name: pair.name, match: valueMatch(pair) })),
  };
}

/** Conditions of a GRPCRoute's match: a call is a path `/service/method`. */
export function grpcRouteMatch({ method, headers }: GrpcMatch): RouteMatch {
  return {
    path: grpcPath(method),
    pathSeparatedPrefix: false,
    ignoreCase: false,
    headers: headerMatches(headers),
    queryParams: [],
  };
}

function pathOf(type: NonNullable<NonNullable<HttpMatch["path"]>["type"]>, value: string): StringMatch {
  switch (type) {
    case "Exact":
      return { kind: "exact", value };
    case "RegularExpression":
      return { kind: "regex", value };
    case "PathPrefix":
      // the same prefix with and without the slash at its end
      return { kind: "prefix", value: value === "/" ? value : value.replace(/\/$/, "") };
  }
}

/** One part of a call's path, whatever it is. */
const ANY_PART = "[^/]+";

function grpcPath(method: GrpcMatch["method"]): StringMatch {
  const { type = "Exact", service = "", method: name = "" } = method ?? {};
  if (service === "" && name === "") return { kind: "prefix", value: "/" };
  if (type === "Exact" && service !== "")
    return name === "" ? { kind: "prefix", value: `/${service}/` } : { kind: "exact", value: `/${service}/${name}` };
  const part = (text: string): string =>
    text === "" ? ANY_PART : type === "Exact" ? text.replaceAll(/[^\w/]/g, String.raw`\$&`) : text;
  return { kind: "regex", value: `/${part(service)}/${part(name)}` };
}

function methodMatch(method: HttpMatch["method"]): readonly HeaderMatch[] {
  return method === undefined ? [] : [{ name: ":method", match: { kind: "exact", value: method }, invert: false }];
}

interface Pair {
  readonly type?: "Exact" | "RegularExpression";
  readonly name: string;
  readonly value: string;
}

function headerMatches(pairs: readonly Pair[] | undefined): readonly HeaderMatch[] {
  return firstOfEach(pairs, (name) => name.toLowerCase()).map((pair) => ({
    name: pair.name.toLowerCase(),
    match: valueMatch(pair),
    invert: false,
  }));
}

function valueMatch({ type = "Exact", value }: Pair): StringMatch {
  return { kind: type === "Exact" ? "exact" : "regex", value };
}

/** Of conditions with one name the first counts. */
function firstOfEach(pairs: readonly Pair[] | undefined, keyOf: (name: string) => string): readonly Pair[] {
  const first = new Map<string, Pair>();
  for (const pair of pairs ?? []) if (!first.has(keyOf(pair.name))) first.set(keyOf(pair.name), pair);
  return [...first.values()];
}

/**
 * Which of two matches is tried first: an exact path, then the longer prefix, then a condition on the method, more headers,
 * more query parameters (Gateway API's rules; a regular expression comes after prefixes, as in Istio). Equal ones stay as
 * they stand: the older route's first.
 */
export function byPrecision(a: RouteMatch, b: RouteMatch): number {
  const [first, second] = [precision(a), precision(b)];
  for (const [index, value] of first.entries()) {
    const difference = (second[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return 0;
}

function precision({ path, headers, queryParams }: RouteMatch): readonly number[] {
  const methods = headers.filter(({ name }) => name === ":method").length;
  return [pathRank(path), lengthOf(path), methods, headers.length - methods, queryParams.length];
}

function pathRank(path: StringMatch | undefined): number {
  switch (path?.kind) {
    case "exact":
      return 3;
    case "prefix":
      // any path at all is less than any expression
      return path.value === "/" ? 0 : 2;
    case "regex":
      return 1;
    case "present":
    case undefined:
      return 0;
  }
}

function lengthOf(path: StringMatch | undefined): number {
  return path === undefined || path.kind === "present" ? 0 : path.value.length;
}
