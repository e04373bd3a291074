import type { ObjectRef } from "../diagnostics/finding.ts";
import type { ModelContext } from "./context.ts";
import { createAttachment } from "./gateway-api-attachment.ts";
import { createBackendProblem } from "./gateway-api-backends.ts";
import { createGatewayClasses, type GatewayClasses } from "./gateway-api-classes.ts";
import { createReferenceGrants, type ReferenceGrants } from "./gateway-api-grants.ts";
import { type ApiListeners, createApiListeners } from "./gateway-api-listeners.ts";
import { readRoute } from "./gateway-api-routes.ts";
import { type ApiSecrets, createApiSecrets } from "./gateway-api-secrets.ts";
import {
  type ApiRoute,
  type Attachment,
  type ParentOutcome,
  type Problem,
  ROUTE_KINDS,
  type RouteBackend,
  type RouteKind,
} from "./gateway-api-types.ts";
import type { HostLookup } from "./host-lookup.ts";
import { byAge } from "./order.ts";

/**
 * Questions about Gateway API, for status, findings and traffic. Answers are plain data with the fields they come from; what is
 * wrong is a Problem with the code that says so.
 */
export interface GatewayApi {
  readonly classes: GatewayClasses;
  readonly grants: ReferenceGrants;
  readonly listeners: ApiListeners;
  readonly secrets: ApiSecrets;
  /** Every route, the older first: the order that decides between equal matches. */
  routes(): readonly ApiRoute[];
  /** What came of each parentRef. */
  outcomes(route: ApiRoute): readonly ParentOutcome[];
  backendProblem(route: ApiRoute, backend: RouteBackend): Problem | undefined;
  /** How many routes each listener of a Gateway has. */
  attachedRoutes(namespace: string, name: string): ReadonlyMap<string, number>;
  /** Routes at the listeners of a Gateway, the older first. */
  attached(namespace: string, name: string): readonly AttachedAt[];
  /** Routes of calls to a Service or ServiceEntry (`Service/shop/web`), the older first. */
  ofMesh(parent: string): readonly MeshRoute[];
  /** Our Gateways that have a route to a Service. */
  gatewaysOfService(namespace: string, name: string): readonly ObjectRef[];
}

/** A route at one listener. */
export interface AttachedAt {
  readonly route: ApiRoute;
  readonly attachment: Attachment;
}

/** A route of calls inside the mesh; `port`: only of calls to that port. */
export interface MeshRoute {
  readonly route: ApiRoute;
  readonly port: number | undefined;
}

export function createGatewayApi(context: ModelContext, hosts: HostLookup): GatewayApi {
  const { world, derivations } = context;
  const grants = createReferenceGrants(context);
  const classes = createGatewayClasses(context);
  const secrets = createApiSecrets(context, grants);
  const listeners = createApiListeners(context, secrets);
  const attachment = createAttachment(context, classes, listeners);
  const route = derivations.keyed("api route", (kind: RouteKind, namespace: string, name: string) => {
    const object = world.get(kind, namespace, name);
    return object === undefined ? undefined : readRoute(object, kind);
  });
  const outcomes = derivations.keyed(
    "api route parents",
    (kind: RouteKind, namespace: string, name: string): readonly ParentOutcome[] => {
      const read = route(kind, namespace, name);
      return read === undefined ? [] : attachment(read);
    },
  );
  const routes = derivations.keyed("api routes", () =>
    ROUTE_KINDS.flatMap((kind) => world.list(kind).map((object) => ({ kind, object })))
      .toSorted((a, b) => byAge(a.object, b.object))
      .flatMap(({ kind, object: { metadata } }) => route(kind, metadata.namespace ?? "", metadata.name) ?? []),
  );
  const outcomesOf = ({ kind, ref }: ApiRoute): readonly ParentOutcome[] => outcomes(kind, ref.namespace, ref.name);
  const counts = derivations.keyed("attached routes", () => countRoutes(routes(), outcomesOf));
  const byGateway = derivations.keyed("api routes by gateway", () => routesByGateway(routes(), outcomesOf));
  const byService = derivations.keyed("api routes by service", () => routesByService(routes(), outcomesOf));
  const users = derivations.keyed("gateways of services", () => gatewaysByService(routes(), outcomesOf));
  return {
    classes,
    grants,
    listeners,
    secrets,
    routes,
    outcomes: outcomesOf,
    backendProblem: createBackendProblem(context, grants, hosts),
    attachedRoutes: (namespace, name) => counts().get(`${namespace}/${name}`) ?? new Map<string, number>(),
    // one derivation each: a route makes work for its own parents alone
    attached: derivations.keyed(
      "api routes of gateway",
      (namespace: string, name: string) => byGateway().get(`${namespace}/${name}`) ?? [],
    ),
    ofMesh: derivations.keyed("api routes of service", (parent: string) => byService().get(parent) ?? []),
    gatewaysOfService: (namespace, name) => users().get(`${namespace}/${name}`) ?? [],
  };
}

type Outcomes = (route: ApiRoute) => readonly ParentOutcome[];

/** Gateway -> listener -> routes; a route counts once for a listener, however often it asks for it. */
function countRoutes(
  routes: readonly ApiRoute[],
  outcomes: Outcomes,
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const counts = new Map<string, Map<string, number>>();
  for (const route of routes) {
    const seen = new Set<string>();
    for (const { gateway, listener } of outcomes(route).flatMap(({ attachments }) => attachments)) {
      const key = `${gateway.namespace}/${gateway.name}`;
      if (seen.has(`${key} ${listener}`)) continue;
      seen.add(`${key} ${listener}`);
      const ofGateway = counts.get(key) ?? new Map<string, number>();
      ofGateway.set(listener, (ofGateway.get(listener) ?? 0) + 1);
      counts.set(key, ofGateway);
    }
  }
  return counts;
}

function routesByGateway(routes: readonly ApiRoute[], outcomes: Outcomes): ReadonlyMap<string, readonly AttachedAt[]> {
  const found = new Map<string, AttachedAt[]>();
  for (const route of routes) {
    const seen = new Set<string>();
    for (const attachment of outcomes(route).flatMap(({ attachments }) => attachments)) {
      const { gateway, listener } = attachment;
      const key = `${gateway.namespace}/${gateway.name}`;
      if (seen.has(`${key} ${listener}`)) continue;
      seen.add(`${key} ${listener}`);
      found.set(key, [...(found.get(key) ?? []), { route, attachment }]);
    }
  }
  return found;
}

function routesByService(routes: readonly ApiRoute[], outcomes: Outcomes): ReadonlyMap<string, readonly MeshRoute[]> {
  const found = new Map<string, MeshRoute[]>();
  for (const route of routes)
    for (const { parent, problem, controller } of outcomes(route)) {
      if (problem !== undefined || controller === undefined || parent.kind === "Gateway") continue;
      const key = `${parent.kind}/${parent.namespace}/${parent.name}`;
      found.set(key, [...(found.get(key) ?? []), { route, port: parent.port }]);
    }
  return found;
}

function gatewaysByService(routes: readonly ApiRoute[], outcomes: Outcomes): ReadonlyMap<string, readonly ObjectRef[]> {
  const found = new Map<string, Map<string, ObjectRef>>();
  for (const route of routes) {
    const gateways = outcomes(route).flatMap(({ attachments }) => attachments.map(({ gateway }) => gateway));
    if (gateways.length === 0) continue;
    for (const { namespace, name } of route.rules.flatMap(({ backends }) => backends)) {
      const known = found.get(`${namespace}/${name}`) ?? new Map<string, ObjectRef>();
      for (const gateway of gateways) known.set(`${gateway.namespace}/${gateway.name}`, gateway);
      found.set(`${namespace}/${name}`, known);
    }
  }
  return new Map([...found].map(([key, gateways]) => [key, [...gateways.values()]]));
}
