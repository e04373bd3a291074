import type { Provenance } from "../ir/provenance.ts";
import type { HttpRoute, RouteAction } from "../ir/route.ts";
import type { StringMatch } from "../ir/string-match.ts";
import type { Session } from "../ir/service.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import { provenanceAt, type ResolvedRule } from "../model/delegates.ts";
import type { Model } from "../model/model.ts";
import { selects } from "../model/selectors.ts";
import type { BoundVirtualService, VirtualService } from "../model/virtual-services.ts";
import { weightedClusters } from "./destinations.ts";
import type { hashKeysOf } from "./hash-keys.ts";
import { type HttpMatch, type HttpRule, MATCH_ALL, matchesAll, routeMatch } from "./http-match.ts";
import { redirectOf } from "./redirect.ts";
import { retryPolicy } from "./retry-policy.ts";
import { routeFeatures } from "./route-features/order.ts";
import type { RouteSite } from "./route-site.ts";

/** The one route of a service that no VirtualService rules; its features are the mesh's defaults and what `hash` says. */
export function defaultRoute(
  cluster: string,
  site: Pick<RouteSite, "host" | "port">,
  { mesh, hash, session, from }: DefaultRouteSource,
): HttpRoute {
  const retries = retryPolicy(undefined, mesh);
  return {
    name: "default",
    match: MATCH_ALL,
    action: { kind: "forward", clusters: [{ cluster, weight: 1, provenance: from }] },
    features: {
      ...(retries === undefined ? {} : { retries: { ...retries, otherHost: hash === undefined } }),
      ...(hash === undefined ? {} : { hash }),
      ...(session === undefined ? {} : { session }),
    },
    operation: operation(site, undefined),
    provenance: from,
  };
}

type HashKeys = ReturnType<typeof hashKeysOf>;

/** What a route that no rule speaks of is made of. */
interface DefaultRouteSource {
  readonly mesh: MeshConfig;
  readonly hash: HashKeys;
  readonly session?: Session | undefined;
  readonly from: Provenance;
}

/** Routes of a VirtualService's http rules in their order: one for each match entry; what no request can reach is left out. */
export function httpRoutes(
  model: Model,
  { object, provenance }: Pick<BoundVirtualService, "object" | "provenance">,
  site: RouteSite,
): readonly HttpRoute[] {
  const routes: HttpRoute[] = [];
  const rules = model.virtualServices.rules(object);
  for (const [index, resolved] of rules.entries()) {
    const { rule } = resolved;
    const from = provenanceAt(resolved, provenance.lost);
    const action = actionOf(model, resolved, from, site);
    if (action === undefined) continue;
    for (const entry of matchEntries(rule, resolved.object, site)) {
      const match = entry === undefined ? MATCH_ALL : routeMatch(entry);
      if (match === undefined) continue;
      const name = [rule.name, entry?.name].filter((part) => part !== undefined && part !== "").join(".");
      const origin = (field: keyof HttpRule): Provenance => provenanceAt(resolved.origin(field));
      const source = { object: resolved.object, rule, match: entry, action, site, origin };
      const features = routeFeatures(model, source);
      const isLast = matchesAll(match);
      const reason = { ...from, lost: [...from.lost, ...(isLast ? unreached(rules.slice(index + 1)) : [])] };
      routes.push({ name, match, action, ...features, operation: operation(site, match.path), provenance: reason });
      if (isLast) return routes;
    }
  }
  return routes;
}

/** Rules behind one that takes every request. */
function unreached(rules: readonly ResolvedRule[]): Provenance["lost"] {
  return rules.map((rule) => {
    const { from, path } = provenanceAt(rule);
    return { from, path, reason: "never reached: this rule before it takes every request" };
  });
}

/** Match entries that may hold for this caller and port; `undefined` stands for "always". */
function matchEntries(
  { match }: HttpRule,
  object: VirtualService,
  site: RouteSite,
): readonly (HttpMatch | undefined)[] {
  if (match === undefined || match.length === 0) return [undefined];
  return match.filter((entry) => holdsHere(entry, object, site));
}

/** The part of a match about the caller and the port. A match's own gateways replace the conditions on the caller. */
export function holdsHere(
  {
    port,
    gateways = [],
    sourceLabels,
    sourceNamespace,
  }: Pick<HttpMatch, "port" | "gateways" | "sourceLabels" | "sourceNamespace">,
  { metadata }: VirtualService,
  site: RouteSite,
): boolean {
  if (port !== undefined && port !== site.port) return false;
  if (gateways.length > 0) {
    return gateways.some((name) => name === site.gateway || `${metadata.namespace ?? ""}/${name}` === site.gateway);
  }
  if (sourceNamespace !== undefined && sourceNamespace !== "" && sourceNamespace !== site.namespace) return false;
  return sourceLabels === undefined || selects(sourceLabels, site.labels);
}

/** What a rule does; undefined for a rule that says nothing of it. */
function actionOf(
  model: Model,
  { object, rule }: Pick<ResolvedRule, "object" | "rule">,
  from: Provenance,
  site: RouteSite,
): RouteAction | undefined {
  const { redirect, directResponse, route = [] } = rule;
  if (redirect !== undefined) return redirectOf(redirect, site);
  if (directResponse !== undefined) {
    const { string, bytes = "" } = directResponse.body ?? {};
    const body = string ?? Buffer.from(bytes, "base64").toString("utf8");
    return { kind: "direct", status: directResponse.status, body };
  }
  if (route.length === 0) return undefined;
  return { kind: "forward", clusters: weightedClusters(model, { object, route, from }, site) };
}

function operation({ host, port }: Pick<RouteSite, "host" | "port">, path: StringMatch | undefined): string {
  return `${host}:${port}${path === undefined || path.kind === "present" ? "/*" : `${path.value}${path.kind === "prefix" ? "*" : ""}`}`;
}
