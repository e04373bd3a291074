import { compact } from "../base/compact.ts";
import type {
  HeaderMatch,
  HttpRoute,
  RetryPolicy,
  RouteAction,
  RouteMatch,
  RouteTable,
  VirtualHost,
} from "../ir/route.ts";
import type { Protocol } from "../ir/service.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { configPath } from "./config-path.ts";
import { seconds } from "./duration.ts";
import { perTargetConfig } from "./filters/order.ts";
import type { EnvoyRoutes } from "./types.ts";

type Route = Messages["envoy.config.route.v3.Route"];
type Match = Messages["envoy.config.route.v3.RouteMatch"];
type Forward = Messages["envoy.config.route.v3.RouteAction"];
type Redirect = Messages["envoy.config.route.v3.RedirectAction"];

/** What routes ask about the clusters they name. */
export interface RouteContext {
  /** The protocol of a cluster that this proxy has. */
  protocolOf(cluster: string): Protocol | undefined;
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
  };
}

function virtualHost(host: VirtualHost, context: RouteContext): NonNullable<EnvoyRoutes["virtual_hosts"]>[number] {
  return compact({
    name: host.name,
    domains: host.domains,
    routes: host.routes.map((route) => buildRoute(route, context)),
    require_tls: host.requireTls ? ("ALL" as const) : undefined,
    include_request_attempt_count: true,
  });
}

function buildRoute(route: HttpRoute, context: RouteContext): Route {
  const config = configPath(route.provenance);
  return compact({
    name: route.name === "" ? undefined : route.name,
    match: routeMatch(route.match),
    ...action(route.action, context),
    decorator: route.operation === "" ? undefined : { operation: route.operation },
    metadata: config === undefined ? undefined : { filter_metadata: { istio: { config } } },
  });
}

/** A route's conditions. A prefix that ends at path separators is Envoy's own kind, except for `/`, which is any path. */
function routeMatch(match: RouteMatch): Match {
  return compact({
    ...path(match),
    case_sensitive: match.ignoreCase ? false : undefined,
    headers: match.headers.length === 0 ? undefined : match.headers.map(header),
    query_parameters: match.queryParams.length === 0 ? undefined : match.queryParams.map(queryParam),
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
    ...(match.kind === "present" ? { present_match: true } : { string_match: stringMatch(match) }),
    invert_match: invert ? true : undefined,
    // "is not x" holds for a request without the header
    treat_missing_header_as_empty: invert && !present ? true : undefined,
  });
}

function queryParam(condition: RouteMatch["queryParams"][number]): NonNullable<Match["query_parameters"]>[number] {
  const { name, match } = condition;
  return match.kind === "present" ? { name, present_match: true } : { name, string_match: stringMatch(match) };
}

function stringMatch(match: {
  readonly kind: "exact" | "prefix" | "regex";
  readonly value: string;
}): Messages["envoy.type.matcher.v3.StringMatcher"] {
  if (match.kind === "regex") return { safe_regex: { regex: match.value } };
  return match.kind === "exact" ? { exact: match.value } : { prefix: match.value };
}

function action(from: RouteAction, context: RouteContext): Route {
  switch (from.kind) {
    case "forward":
      return forward(from, context);
    case "redirect":
      return { redirect: redirect(from) };
    case "direct":
      return {
        direct_response: compact({
          status: from.status,
          body: from.body === "" ? undefined : { inline_string: from.body },
        }),
      };
  }
}

function forward(from: Extract<RouteAction, { kind: "forward" }>, context: RouteContext): Route {
  const targets = from.clusters.filter((target) => target.weight > 0);
  const only = targets[0];
  // nothing to send to: say so, as Gateway API wants it
  if (only === undefined) return { direct_response: { status: 500 } };
  const config = (cluster: string): ReturnType<typeof perTargetConfig> =>
    perTargetConfig({ cluster, protocol: context.protocolOf(cluster) });
  const common: Forward = compact({
    timeout: seconds(from.timeoutMs),
    max_stream_duration: { grpc_timeout_header_max: seconds(from.timeoutMs) },
    retry_policy: from.retries === undefined ? undefined : retryPolicy(from.retries),
    prefix_rewrite: from.prefixRewrite,
    host_rewrite_literal: from.hostRewrite,
  });
  if (targets.length === 1)
    return compact({ route: { ...common, cluster: only.cluster }, typed_per_filter_config: config(only.cluster) });
  const clusters = targets.map(({ cluster, weight }) =>
    compact({ name: cluster, weight, typed_per_filter_config: config(cluster) }),
  );
  return { route: { ...common, weighted_clusters: { clusters } } };
}

const HOST_ATTEMPTS = 5;

/** Retries go to another host than the one that failed, where there is one. */
function retryPolicy(retries: RetryPolicy): NonNullable<Forward["retry_policy"]> {
  return compact({
    retry_on: retries.on,
    num_retries: retries.attempts,
    per_try_timeout: retries.perTryTimeoutMs === undefined ? undefined : seconds(retries.perTryTimeoutMs),
    retry_host_predicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        typed_config: typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", {}),
      },
    ],
    host_selection_retry_max_attempts: HOST_ATTEMPTS,
    retriable_status_codes: retries.retriableStatusCodes.length === 0 ? undefined : retries.retriableStatusCodes,
  });
}

const REDIRECT_CODES: Readonly<Record<number, NonNullable<Redirect["response_code"]>>> = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
};

function redirect(from: Extract<RouteAction, { kind: "redirect" }>): Redirect {
  return compact({
    host_redirect: from.host,
    path_redirect: from.path,
    response_code: REDIRECT_CODES[from.status] ?? "MOVED_PERMANENTLY",
  });
}
