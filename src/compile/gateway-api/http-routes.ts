import { compact } from "../../base/compact.ts";
import type { HttpRoute, RouteAction, RouteMatch } from "../../ir/route.ts";
import type { RouteFeatures } from "../../ir/route-features.ts";
import type { ApiRoute } from "../../model/gateway-api-types.ts";
import type { Model } from "../../model/model.ts";
import { hashKeysOf } from "../hash-keys.ts";
import { matchesAll } from "../http-match.ts";
import type { RouteSite } from "../route-site.ts";
import { sessionOf } from "../sessions.ts";
import { backendClusters, mirrorsOf, provenanceOf } from "./backends.ts";
import { byPrecision, type GrpcMatch, grpcRouteMatch, type HttpMatch, httpRouteMatch } from "./route-matches.ts";
import {
  type Filter,
  filterCors,
  filterHeaders,
  filterRedirect,
  filterRewrite,
  type HttpRule,
  ruleRetries,
  ruleTimeout,
} from "./rule-features.ts";
import { filterApplies } from "./route-status.ts";

/**
 * Routes of HTTPRoutes and GRPCRoutes of one host, older objects first, in the order of Gateway API: the most precise match
 * of all rules of all objects is tried first. What no request can reach is left out.
 */
export function apiHttpRoutes(model: Model, routes: readonly ApiRoute[], site: RouteSite): readonly HttpRoute[] {
  const all = routes
    .flatMap((route) => route.rules.flatMap((_, index) => ruleRoutes(model, { route, index }, site)))
    .toSorted((a, b) => byPrecision(a.match, b.match));
  const last = all.findIndex(({ match }) => matchesAll(match));
  return last < 0 ? all : all.slice(0, last + 1);
}

interface RulePlace {
  readonly route: ApiRoute;
  readonly index: number;
}

/** A rule as far as both kinds have it. */
interface WrittenRule extends Omit<HttpRule, "matches" | "backendRefs"> {
  readonly matches?: readonly (HttpMatch & GrpcMatch)[];
  readonly backendRefs?: readonly { readonly filters?: readonly Filter[] }[];
}

function ruleRoutes(model: Model, { route, index }: RulePlace, site: RouteSite): readonly HttpRoute[] {
  const { kind, ref } = route;
  const object =
    kind === "HTTPRoute" || kind === "GRPCRoute" ? model.world.get(kind, ref.namespace, ref.name) : undefined;
  const rule = object?.spec?.rules?.[index] as WrittenRule | undefined;
  if (rule === undefined) return [];
  const action = actionOf(model, { route, index, rule }, site);
  const features = featuresOf(model, { route, index, rule, action }, site);
  const provenance = provenanceOf(route, index);
  const matches = rule.matches === undefined || rule.matches.length === 0 ? [{}] : rule.matches;
  return matches.flatMap((written) => {
    const match = kind === "HTTPRoute" ? httpRouteMatch(written) : grpcRouteMatch(written);
    return pathParts({ match, action, features }).map((part) => ({
      ...part,
      name: rule.name ?? `${ref.namespace}.${ref.name}.${index}`,
      operation: `${site.host}:${site.port}${pathWords(match)}`,
      provenance,
    }));
  });
}

function pathWords({ path }: RouteMatch): string {
  if (path === undefined || path.kind === "present") return "/*";
  return path.kind === "prefix" ? `${path.value}*` : path.value;
}

type RuleWithAction = RulePlace & { readonly rule: WrittenRule };

/** A rule with a filter that nobody applies is answered with an error: it may be one that guards. */
function actionOf(model: Model, { route, index, rule }: RuleWithAction, site: RouteSite): RouteAction {
  const filters = rule.filters ?? [];
  const perBackend = (rule.backendRefs ?? []).map((backend) => backend.filters);
  if ([...filters, ...perBackend.flatMap((own) => own ?? [])].some(({ type }) => !filterApplies(route.kind, type)))
    return { kind: "direct", status: 500, body: "" };
  const redirect = filterRedirect(filters, site);
  if (redirect !== undefined) return redirect;
  const clusters = backendClusters(model, route, { index, filters: perBackend });
  if (clusters.length === 0) return { kind: "direct", status: 500, body: "" };
  return { kind: "forward", clusters, withoutCluster: 500 };
}

function featuresOf(
  model: Model,
  { route, index, rule, action }: RuleWithAction & { readonly action: RouteAction },
  site: RouteSite,
): RouteFeatures {
  const filters = rule.filters ?? [];
  const shared = { headers: filterHeaders(filters), cors: filterCors(filters) };
  if (action.kind !== "forward") return compact(shared);
  const hash = hashKeysOf(
    model,
    site,
    action.clusters.map(({ cluster }) => cluster),
  );
  const retries = ruleRetries(rule, model.meshConfig());
  return compact({
    timeoutMs: ruleTimeout(rule),
    hash,
    session: sessionOf(model, site, action.clusters),
    retries: retries && { ...retries, otherHost: hash === undefined },
    rewrite: filterRewrite(filters),
    ...shared,
    mirrors: mirrorsOf(model, route, { index, filters }),
  });
}

type Part = Pick<HttpRoute, "match" | "action" | "features">;

/**
 * A match whose prefix is replaced by one that ends with a slash (`/old` by `/` makes `/old/x` to `/x`) becomes two: the
 * prefix itself, and what stands below it. The prefix `/` is replaced together with its slash.
 */
function pathParts(part: Part): readonly Part[] {
  const { match } = part;
  const replacement = replacementOf(part);
  if (replacement === undefined || match.path?.kind !== "prefix") return [part];
  const below = `${replacement.replace(/\/$/, "")}/`;
  if (match.path.value === "/") return [replaced(part, below)];
  if (!replacement.endsWith("/") && replacement !== "") return [part];
  const exact: RouteMatch = { ...match, path: { kind: "exact", value: match.path.value }, pathSeparatedPrefix: false };
  const rest: RouteMatch = {
    ...match,
    path: { kind: "prefix", value: `${match.path.value}/` },
    pathSeparatedPrefix: false,
  };
  return [replaced({ ...part, match: exact }, below), replaced({ ...part, match: rest }, below)];
}

function replacementOf({ action, features }: Part): string | undefined {
  if (action.kind === "redirect") return action.path?.kind === "prefix" ? action.path.value : undefined;
  return features.rewrite?.path?.kind === "prefix" ? features.rewrite.path.value : undefined;
}

function replaced(part: Part, value: string): Part {
  const { action, features } = part;
  if (action.kind === "redirect") return { ...part, action: { ...action, path: { kind: "prefix", value } } };
  return { ...part, features: { ...features, rewrite: { ...features.rewrite, path: { kind: "prefix", value } } } };
}
