import type { Messages } from "../../../src/wire/codec.ts";
import type { Dice } from "./dice.ts";

type RouteConfiguration = Messages["envoy.config.route.v3.RouteConfiguration"];
type VirtualHost = Messages["envoy.config.route.v3.VirtualHost"];
type Route = Messages["envoy.config.route.v3.Route"];
type RouteMatch = Messages["envoy.config.route.v3.RouteMatch"];
type HeaderMatcher = Messages["envoy.config.route.v3.HeaderMatcher"];
type StringMatcher = Messages["envoy.type.matcher.v3.StringMatcher"];
type HeaderChange = NonNullable<Route["request_headers_to_add"]>[number];

export const DOMAINS = [
  "a.test",
  "b.a.test",
  "*.a.test",
  "*.test",
  "*-x.test",
  "a.*",
  "a.b.*",
  "C.test:8080",
  "[::1]",
  "*",
];
export const PATHS = ["/", "/a", "/a/", "/ab", "/a/b", "/api", "/api/v1", "/API/v1", "/a.b", "/long/way/to/go", "/%61"];
export const HEADERS = ["x-a", "x-b", "x-c"];
export const VALUES = ["one", "two", "ONE", "onetwo", "12", "-3", "a,b", ""];
const PARAMETERS = ["v", "w"];
const REGEXES = ["/a.*", "/[a-z]+", "(?i)/API/.*", "/.*/b", "o[a-z]+", "\\d+", ".*", "a,b"];
export const CLUSTERS = ["c0", "c1", "c2"];

/** A table that Envoy takes, over a small vocabulary, so that conditions are often almost met. */
export function randomTable(roll: Dice, name: string): RouteConfiguration {
  const domains = [...DOMAINS].filter(() => roll.chance(0.7));
  const hosts = Math.min(domains.length, 1 + roll.int(4));
  return {
    name,
    validate_clusters: false,
    ignore_port_in_host_matching: roll.chance(0.5),
    most_specific_header_mutations_wins: roll.chance(0.3),
    ...changes(roll, 0.2),
    // what it decided is told with every answer
    response_headers_to_add: [
      { header: { key: "seen-route", value: "%ROUTE_NAME%" } },
      { header: { key: "seen-cluster", value: "%UPSTREAM_CLUSTER%" } },
    ],
    virtual_hosts: Array.from({ length: hosts }, (_, index) => ({
      ...randomHost(roll, `${name}-h${index}`),
      domains: domains.filter((__, at) => at % hosts === index),
    })),
  };
}

function randomHost(roll: Dice, name: string): VirtualHost {
  return {
    name,
    ...(roll.chance(0.08) ? { require_tls: "ALL" as const } : {}),
    ...changes(roll, 0.2),
    routes: Array.from({ length: 6 + roll.int(10) }, (_, index) => randomRoute(roll, `${name}-r${index}`)),
  };
}

function randomRoute(roll: Dice, name: string): Route {
  const match = randomMatch(roll);
  const kind = roll.next();
  if (kind < 0.12) return { name, match, redirect: randomRedirect(roll) };
  if (kind < 0.2)
    return { name, match, direct_response: { status: roll.pick([200, 404, 503]), body: { inline_string: name } } };
  const weighted = roll.chance(0.3)
    ? {
        weighted_clusters: {
          clusters: CLUSTERS.map((cluster) => ({
            name: cluster,
            weight: roll.pick([0, 1, 9]) + (cluster === "c0" ? 1 : 0),
            ...changes(roll, 0.2),
            ...(roll.chance(0.2) ? { host_rewrite_literal: "weighted.test" } : {}),
          })),
        },
      }
    : { cluster: roll.pick(CLUSTERS) };
  return { name, match, ...changes(roll, 0.4), route: { ...weighted, ...rewriting(roll), ...hostRewriting(roll) } };
}

function randomMatch(roll: Dice): RouteMatch {
  return {
    ...randomPath(roll),
    ...(roll.chance(0.5) ? { headers: roll.some(HEADERS, 2).map((name) => randomHeader(roll, name)) } : {}),
    ...(roll.chance(0.3)
      ? {
          query_parameters: roll.some(PARAMETERS, 2).map((name) => ({
            name,
            ...(roll.chance(0.3)
              ? roll.pick([{ present_match: true }, { present_match: false }])
              : { string_match: randomString(roll, VALUES) }),
          })),
        }
      : {}),
    ...(roll.chance(0.06) ? { grpc: {} } : {}),
  };
}

function randomPath(roll: Dice): RouteMatch {
  const anyCase = roll.chance(0.25) ? { case_sensitive: false } : {};
  const kind = roll.next();
  if (kind < 0.2) return { path: roll.pick(PATHS), ...anyCase };
  if (kind < 0.4) return { prefix: roll.pick(PATHS), ...anyCase };
  if (kind < 0.55) return { path_separated_prefix: roll.pick(PATHS.filter((path) => !path.endsWith("/"))), ...anyCase };
  if (kind < 0.65) return { safe_regex: { regex: roll.pick(REGEXES) } };
  return { prefix: "/" };
}

function randomHeader(roll: Dice, name: string): HeaderMatcher {
  const kind = roll.next();
  const condition: HeaderMatcher =
    kind < 0.15
      ? roll.pick([{ present_match: true }, { present_match: false }, {}])
      : kind < 0.25
        ? { range_match: roll.pick([{ start: "-3", end: "12" }, { end: "13" }, { start: "12", end: "13" }]) }
        : { string_match: randomString(roll, VALUES) };
  return {
    name: roll.chance(0.15) ? roll.pick([":method", ":authority", ":path", "X-B"]) : name,
    ...condition,
    ...(roll.chance(0.25) ? { invert_match: true } : {}),
    ...(roll.chance(0.25) ? { treat_missing_header_as_empty: true } : {}),
  };
}

function randomString(roll: Dice, values: readonly string[]): StringMatcher {
  const ignoreCase = roll.chance(0.25) ? { ignore_case: true } : {};
  const value = roll.pick(values.filter((one) => one !== ""));
  const kind = roll.next();
  if (kind < 0.35) return { exact: value, ...ignoreCase };
  if (kind < 0.5) return { prefix: value.slice(0, 2), ...ignoreCase };
  if (kind < 0.65) return { suffix: value.slice(-2), ...ignoreCase };
  if (kind < 0.8) return { contains: value.slice(1, 3) || value, ...ignoreCase };
  return { safe_regex: { regex: roll.pick(REGEXES) } };
}

const ACTIONS = [
  "APPEND_IF_EXISTS_OR_ADD",
  "ADD_IF_ABSENT",
  "OVERWRITE_IF_EXISTS_OR_ADD",
  "OVERWRITE_IF_EXISTS",
] as const;

/** Header changes of one level, sometimes. */
function changes(roll: Dice, share: number): Pick<Route, "request_headers_to_add" | "request_headers_to_remove"> {
  if (!roll.chance(share)) return {};
  const additions = roll.some([...HEADERS, "X-C"], 2).map(
    (key): HeaderChange => ({
      header: {
        key,
        value: roll.pick([
          "set",
          "%REQ(x-a)%",
          "%REQ(x-none?:path):3%",
          "%REQ(x-a?x-b)%",
          "100%%",
          "%REQ(:authority)%",
        ]),
      },
      ...(roll.chance(0.8) ? { append_action: roll.pick(ACTIONS) } : { append: roll.chance(0.5) }),
    }),
  );
  const removals = roll.some([...HEADERS, "X-A"], 1);
  return {
    ...(additions.length > 0 ? { request_headers_to_add: additions } : {}),
    ...(removals.length > 0 ? { request_headers_to_remove: removals } : {}),
  };
}

function rewriting(roll: Dice): Pick<NonNullable<Route["route"]>, "prefix_rewrite" | "regex_rewrite"> {
  const kind = roll.next();
  if (kind < 0.2) return { prefix_rewrite: roll.pick(["/", "/new", "/new/"]) };
  if (kind > 0.88)
    return {
      regex_rewrite: {
        pattern: { regex: roll.pick(["/(a)(p?)", "[a-z]+", "^/a", "(b)|(v)"]) },
        substitution: roll.pick(["/\\2\\1", "/$1", "/\\0\\\\", "/x"]),
      },
    };
  return {};
}

function hostRewriting(roll: Dice): Pick<NonNullable<Route["route"]>, "host_rewrite_literal" | "host_rewrite_header"> {
  const kind = roll.next();
  if (kind < 0.15) return { host_rewrite_literal: "new.test" };
  return kind > 0.9 ? { host_rewrite_header: "x-d" } : {};
}

function randomRedirect(roll: Dice): NonNullable<Route["redirect"]> {
  const path = roll.next();
  const scheme = roll.next();
  return {
    ...(roll.chance(0.4) ? { host_redirect: "else.test" } : {}),
    ...(path < 0.3 ? { path_redirect: roll.pick(["/there", "/there?own=1"]) } : {}),
    ...(path > 0.7 ? { prefix_rewrite: "/moved" } : {}),
    ...(scheme < 0.3 ? { https_redirect: true } : scheme > 0.8 ? { scheme_redirect: "http" } : {}),
    ...(roll.chance(0.3) ? { port_redirect: 9090 } : {}),
    ...(roll.chance(0.3) ? { strip_query: true } : {}),
    response_code: roll.pick([
      "MOVED_PERMANENTLY",
      "FOUND",
      "SEE_OTHER",
      "TEMPORARY_REDIRECT",
      "PERMANENT_REDIRECT",
    ] as const),
  };
}
