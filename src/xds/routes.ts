import { compact } from "../base/compact.ts";
import type { HeaderSettings } from "../ir/proxy-settings.ts";
import type {
  ClaimMatch,
  HeaderMatch,
  HttpRoute,
  RouteAction,
  RouteMatch,
  RouteTable,
  VirtualHost,
} from "../ir/route.ts";
import type { RouteFeatures } from "../ir/route-features.ts";
import type { Protocol } from "../ir/service.ts";
import { type Messages, reusedMessage } from "../wire/codec.ts";
import { configPath } from "./config-path.ts";
import { perRouteConfig, perTargetConfig } from "./filters/order.ts";
import { forwardFields, routeFields, targetFields } from "./route-features/order.ts";
import { stringMatcher } from "./string-match.ts";
import type { EnvoyRoutes } from "./types.ts";
import { whyMetadata } from "./why.ts";

type Route = Messages["envoy.config.route.v3.Route"];
type Match = Messages["envoy.config.route.v3.RouteMatch"];
type Redirect = Messages["envoy.config.route.v3.RedirectAction"];

/** What routes ask about the clusters they name. */
export interface RouteContext {
  /** The protocol of a cluster that this proxy has. */
  protocolOf(cluster: string): Protocol | undefined;
  /** What the proxy's own configuration says about headers; undefined: nothing. */
  readonly headers?: HeaderSettings | undefined;
}

const MAX_BODY_BYTES = 1_048_576;

/** One RDS resource. Reads every field of ir.RouteTable; the order of hosts and routes is the IR's. */
export function buildRouteTable(table: RouteTable, context: RouteContext): EnvoyRoutes {
  return {
    name: table.name,
    virtual_hosts: table.virtualHosts.map((host) => virtualHost(host, context)),
    // a route may name a cluster that comes with the next push
    validate_clusters: false,
    max_direct_response_body_size_bytes: MAX_BODY_BYTES,
    ignore_port_in_host_matching: !table.portInDomains,
    ...advertised(table),
  };
}

/** How long, in seconds, a client may remember that there is HTTP/3. */
const ADVERTISED_SECONDS = 86_400;

/** Browsers use HTTP/3 only where an answer by TCP has told them of it. */
function advertised({ http3Port }: RouteTable): Pick<EnvoyRoutes, "response_headers_to_add"> {
  if (http3Port === undefined) return {};
  const value = `h3=":${http3Port}"; ma=${ADVERTISED_SECONDS}`;
  return { response_headers_to_add: [{ header: { key: "alt-svc", value } }] };
}

type EnvoyHost = NonNullable<EnvoyRoutes["virtual_hosts"]>[number];

/** A virtual host as it was made last, with all that its making asked. */
interface Made {
  readonly headers: RouteContext["headers"];
  readonly asked: ReadonlyMap<string, Protocol | undefined>;
  readonly host: EnvoyHost;
}

const MADE = new WeakMap<VirtualHost, Made>();

/** Tables hold hundreds of hosts that stand in the tables of many scopes: each is made and encoded once while it is the same. */
function virtualHost(host: VirtualHost, context: RouteContext): EnvoyHost {
  const known = MADE.get(host);
  const { headers } = context;
  if (known !== undefined && known.headers === headers && isStill(known.asked, context)) return known.host;
  const asked = new Map<string, Protocol | undefined>();
  const protocolOf = (cluster: string): Protocol | undefined => {
    const protocol = context.protocolOf(cluster);
    asked.set(cluster, protocol);
    return protocol;
  };
  const made = reusedMessage("envoy.config.route.v3.VirtualHost", buildHost(host, { protocolOf, headers }));
  MADE.set(host, { headers, asked, host: made });
  return made;
}

function isStill(asked: Made["asked"], context: RouteContext): boolean {
  for (const [cluster, protocol] of asked) if (context.protocolOf(cluster) !== protocol) return false;
  return true;
}

function buildHost(host: VirtualHost, context: RouteContext): EnvoyHost {
  return compact({
    name: host.name,
    domains: host.domains,
    routes: host.routes.map((route) => buildRoute(route, context)),
    require_tls: host.requireTls ? ("ALL" as const) : undefined,
    include_request_attempt_count: context.headers?.attemptCount ?? true,
  });
}

function buildRoute(route: HttpRoute, context: RouteContext): Route {
  return compact({
    name: route.name === "" ? undefined : route.name,
    match: routeMatch(route.match),
    ...routeFields(route.features),
    ...action(route, context),
    decorator: route.operation === "" ? undefined : { operation: route.operation },
    metadata: metadata(route),
  });
}

function metadata({ provenance, origins }: HttpRoute): Route["metadata"] {
  const config = configPath(provenance);
  const said = {
    ...(config === undefined ? {} : { istio: { config } }),
    ...whyMetadata({ provenance, parts: origins }),
  };
  return Object.keys(said).length === 0 ? undefined : { filter_metadata: said };
}

/** A route's conditions. A prefix that ends at path separators is Envoy's own kind, except for `/`, which is any path. */
function routeMatch(match: RouteMatch): Match {
  return compact({
    ...path(match),
    case_sensitive: match.ignoreCase ? false : undefined,
    headers: match.headers.length === 0 ? undefined : match.headers.map(header),
    query_parameters: match.queryParams.length === 0 ? undefined : match.queryParams.map(queryParam),
    dynamic_metadata: match.claims?.map(claim),
  });
}

/** The filter that checks tokens puts what it read below `payload`. */
function claim({ path: names, match, invert }: ClaimMatch): NonNullable<Match["dynamic_metadata"]>[number] {
  const value =
    match.kind === "present"
      ? { present_match: true }
      : {
          or_match: {
            value_matchers: [
              { string_match: stringMatcher(match) },
              { list_match: { one_of: { string_match: stringMatcher(match) } } },
            ],
          },
        };
  return compact({
    filter: "envoy.filters.http.jwt_authn",
    path: ["payload", ...names].map((key) => ({ key })),
    value,
    invert: invert ? true : undefined,
  });
}

function path(match: RouteMatch): Match {
  const condition = match.path;
  switch (condition?.kind) {
    case "exact":
      return { path: condition.value };
    case "regex":
      return { safe_regex: { regex: condition.value } };
    case "prefix":
      return match.pathSeparatedPrefix && condition.value !== "/"
        ? { path_separated_prefix: condition.value.replace(/\/$/, "") }
        : { prefix: condition.value };
    case "present":
    case undefined:
      return { prefix: "/" };
  }
}

function header(condition: HeaderMatch): NonNullable<Match["headers"]>[number] {
  const { name, match, invert } = condition;
  const present = match.kind === "present";
  return compact({
    name,
    ...(match.kind === "present" ? { present_match: true } : { string_match: stringMatcher(match) }),
    invert_match: invert ? true : undefined,
    // "is not x" holds for a request without the header
    treat_missing_header_as_empty: invert && !present ? true : undefined,
  });
}

function queryParam(condition: RouteMatch["queryParams"][number]): NonNullable<Match["query_parameters"]>[number] {
  const { name, match } = condition;
  return match.kind === "present" ? { name, present_match: true } : { name, string_match: stringMatcher(match) };
}

function action(route: HttpRoute, context: RouteContext): Route {
  const from = route.action;
  switch (from.kind) {
    case "forward":
      return forward(route.features, from, context);
    case "redirect":
      return { redirect: redirect(from), ...withConfig(perRouteConfig(route.features)) };
    case "direct":
      return {
        direct_response: compact({
          status: from.status,
          body: from.body === "" ? undefined : { inline_string: from.body },
        }),
        ...withConfig(perRouteConfig(route.features)),
      };
  }
}

/** Envoy adds the header where it rewrites the host. */
function forwardedHost(headers: HeaderSettings | undefined): { readonly append_x_forwarded_host?: boolean } {
  return headers?.forwardedHost === true ? { append_x_forwarded_host: true } : {};
}

function withConfig(config: Route["typed_per_filter_config"]): Pick<Route, "typed_per_filter_config"> {
  return config === undefined ? {} : { typed_per_filter_config: config };
}

function withoutCluster(
  from: Extract<RouteAction, { kind: "forward" }>,
): Pick<NonNullable<Route["route"]>, "cluster_not_found_response_code"> {
  return from.withoutCluster === 500 ? { cluster_not_found_response_code: "INTERNAL_SERVER_ERROR" } : {};
}

/** One target is the route's own cluster, unless it changes headers itself: then it stands as one of several would. */
function forward(
  features: RouteFeatures,
  from: Extract<RouteAction, { kind: "forward" }>,
  context: RouteContext,
): Route {
  const targets = from.clusters.filter((target) => target.weight > 0);
  const only = targets[0];
  const own = perRouteConfig(features);
  // nothing to send to: say so, as Gateway API wants it
  if (only === undefined) return { direct_response: { status: 500 }, ...withConfig(own) };
  const config = (cluster: string): ReturnType<typeof perTargetConfig> =>
    perTargetConfig({ cluster, protocol: context.protocolOf(cluster) });
  const common = { ...forwardFields(features), ...forwardedHost(context.headers), ...withoutCluster(from) };
  if (targets.length === 1 && only.features === undefined) {
    const said = { ...own, ...config(only.cluster) };
    return {
      route: { ...common, cluster: only.cluster },
      ...withConfig(Object.keys(said).length === 0 ? undefined : said),
    };
  }
  const clusters = targets.map(({ cluster, weight, features: asked }) =>
    compact({ name: cluster, weight, ...targetFields(asked), typed_per_filter_config: config(cluster) }),
  );
  return { route: { ...common, weighted_clusters: { clusters } }, ...withConfig(own) };
}

const REDIRECT_CODES: Readonly<Record<number, NonNullable<Redirect["response_code"]>>> = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
};

/** Envoy drops a port that is the scheme's own when it is told a new scheme, and otherwise keeps the request's. */
function redirect(from: Extract<RouteAction, { kind: "redirect" }>): Redirect {
  return compact({
    host_redirect: from.host,
    path_redirect: from.path?.kind === "full" ? from.path.value : undefined,
    prefix_rewrite: from.path?.kind === "prefix" ? from.path.value : undefined,
    scheme_redirect: from.scheme,
    port_redirect: from.port,
    response_code: REDIRECT_CODES[from.status] ?? "MOVED_PERMANENTLY",
  });
}
