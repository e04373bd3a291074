import { durationMs } from "../base/duration.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { HttpRoute, RetryPolicy, RouteAction, StringMatch, WeightedCluster } from "../ir/route.ts";
import { resolveHost } from "../model/host.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import type { Model } from "../model/model.ts";
import { selects } from "../model/selectors.ts";
import type { BoundVirtualService, VirtualService } from "../model/virtual-services.ts";
import { type HttpMatch, type HttpRule, MATCH_ALL, matchesAll, routeMatch } from "./http-match.ts";
import { outboundCluster } from "./names.ts";

/** For whom and where routes are made: conditions on the caller and the port are decided here, not by Envoy. */
export interface RouteSite {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `mesh`, or a gateway as `namespace/name`. */
  readonly gateway: string;
  /** Port of the service (sidecar) or of the gateway's server. */
  readonly port: number;
  /** Host of the virtual host, for the names of spans. */
  readonly host: string;
}

const DEFAULT_RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/** The one route of a service that no VirtualService rules. */
export function defaultRoute(
  cluster: string,
  site: Pick<RouteSite, "host" | "port">,
  mesh: MeshConfig,
  from: Provenance,
): HttpRoute {
  return {
    name: "default",
    match: MATCH_ALL,
    action: {
      kind: "forward",
      clusters: [{ cluster, weight: 1, provenance: from }],
      timeoutMs: 0,
      retries: retryPolicy(undefined, mesh),
      prefixRewrite: undefined,
      hostRewrite: undefined,
    },
    operation: operation(site, undefined),
    provenance: from,
  };
}

/** Routes of a VirtualService's http rules in their order: one for each match entry; what no request can reach is left out. */
export function httpRoutes(
  model: Model,
  { object, provenance }: Pick<BoundVirtualService, "object" | "provenance">,
  site: RouteSite,
): readonly HttpRoute[] {
  const routes: HttpRoute[] = [];
  for (const [index, rule] of (object.spec?.http ?? []).entries()) {
    const from: Provenance = { ...provenance, path: ["spec", "http", index] };
    const action = actionOf(model, { object, rule, from }, site);
    if (action === undefined) continue;
    for (const entry of matchEntries(rule, object, site)) {
      const match = entry === undefined ? MATCH_ALL : routeMatch(entry);
      if (match === undefined) continue;
      const name = [rule.name, entry?.name].filter((part) => part !== undefined && part !== "").join(".");
      routes.push({ name, match, action, operation: operation(site, match.path), provenance: from });
      if (matchesAll(match)) return routes;
    }
  }
  return routes;
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

interface RuleSource {
  readonly object: VirtualService;
  readonly rule: HttpRule;
  readonly from: Provenance;
}

/** What a rule does; undefined for a rule that only delegates, which has no effect yet. */
function actionOf(model: Model, source: RuleSource, site: RouteSite): RouteAction | undefined {
  const { redirect, directResponse, route = [] } = source.rule;
  if (redirect !== undefined) {
    const { redirectCode = 301, uri, authority } = redirect;
    return { kind: "redirect", status: redirectCode, path: nonEmpty(uri), host: nonEmpty(authority) };
  }
  if (directResponse !== undefined) {
    const { string, bytes = "" } = directResponse.body ?? {};
    const body = string ?? Buffer.from(bytes, "base64").toString("utf8");
    return { kind: "direct", status: directResponse.status, body };
  }
  return route.length === 0 ? undefined : forward(model, { ...source, route }, site);
}

function forward(model: Model, source: RuleSource & { readonly route: Destinations }, site: RouteSite): RouteAction {
  const { rewrite = {}, timeout = "0", retries } = source.rule;
  return {
    kind: "forward",
    clusters: weightedClusters(model, source, site),
    timeoutMs: durationMs(timeout) ?? 0,
    retries: retryPolicy(retries, model.meshConfig()),
    prefixRewrite: nonEmpty(rewrite.uri),
    hostRewrite: nonEmpty(rewrite.authority),
  };
}

type Destinations = readonly {
  readonly destination: NonNullable<HttpRule["route"]>[number]["destination"];
  readonly weight?: number;
}[];

/**
 * Destinations with their shares. One alone gets all; of several those without weight get nothing, as in Istio. A service
 * nobody knows still names a cluster: Envoy answers 503 (no cluster), as for a subset nobody defined.
 */
export function weightedClusters(
  model: Model,
  { object, route, from }: { readonly object: VirtualService; readonly route: Destinations; readonly from: Provenance },
  site: RouteSite,
): readonly WeightedCluster[] {
  const all = route.map(({ destination, weight }, index) => ({
    cluster: destinationCluster(model, destination, object, site),
    weight: route.length === 1 ? 1 : (weight ?? 0),
    provenance: { ...from, path: [...from.path, "route", index] },
  }));
  const weighted = all.filter(({ weight }) => weight > 0);
  return weighted.length > 0 ? weighted : all.slice(0, 1).map((only) => ({ ...only, weight: 1 }));
}

function destinationCluster(
  model: Model,
  { host, subset = "", port }: Destinations[number]["destination"],
  { metadata }: VirtualService,
  site: RouteSite,
): string {
  const full = resolveHost(host, metadata.namespace ?? "", model.domain);
  const ports = model.services.visible(site.namespace, full)?.ports ?? [];
  const only = ports.length === 1 ? ports[0]?.number : undefined;
  return outboundCluster({ port: port?.number ?? only ?? site.port, subset, host: full });
}

function retryPolicy(retries: HttpRule["retries"], mesh: MeshConfig): RetryPolicy | undefined {
  const attempts = retries?.attempts ?? mesh.defaultRetries.attempts;
  if (attempts <= 0) return undefined;
  const conditions = (nonEmpty(retries?.retryOn) ?? nonEmpty(mesh.defaultRetries.retryOn) ?? DEFAULT_RETRY_ON)
    .split(",")
    .map((part) => part.trim());
  const codes = conditions.filter((part) => /^\d{3}$/.test(part)).map(Number);
  const named = conditions.filter((part) => part !== "" && !/^\d{3}$/.test(part));
  if (codes.length > 0 && !named.includes("retriable-status-codes")) named.push("retriable-status-codes");
  const perTry = retries?.perTryTimeout === undefined ? undefined : durationMs(retries.perTryTimeout);
  return { attempts, on: named.join(","), retriableStatusCodes: codes, perTryTimeoutMs: perTry };
}

function operation({ host, port }: Pick<RouteSite, "host" | "port">, path: StringMatch | undefined): string {
  return `${host}:${port}${path === undefined || path.kind === "present" ? "/*" : `${path.value}${path.kind === "prefix" ? "*" : ""}`}`;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
