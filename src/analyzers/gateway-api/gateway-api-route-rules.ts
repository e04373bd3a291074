import type { FieldPath } from "../../diagnostics/finding.ts";
import type { ApiRoute, RouteRule } from "../../model/gateway-api-types.ts";
import { serviceHost } from "../../model/host.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

const READS = [
  "ConfigMap",
  "GRPCRoute",
  "GatewayClass",
  "HTTPRoute",
  "KubernetesGateway",
  "Namespace",
  "Secret",
  "Service",
  "TCPRoute",
  "TLSRoute",
  "VirtualService",
] as const;

type Input = AnalyzerInput<(typeof READS)[number], "MSH0730" | "MSH0731" | "MSH0732">;

/** Rules that never apply: the API sorts all rules of a host by precision, and of equal matches the oldest route's first counts. */
export const gatewayApiRouteRules = defineAnalyzer({
  name: "gateway-api-route-rules",
  summary:
    "Finds rules of routes that never apply: no weight, a match taken by another rule, a VirtualService replaced.",
  reads: READS,
  codes: ["MSH0730", "MSH0731", "MSH0732"],
  analyze: (input) => {
    const taken: Taken = new Map();
    for (const route of input.model.gatewayApi.routes()) {
      for (const rule of route.rules) checkWeights(input, route, rule);
      checkMatches(input, route, taken);
      checkVirtualServices(input, route);
    }
  },
});

function objectOf({ world }: Input, { kind, ref }: ApiRoute): ReturnType<Input["world"]["get"]> {
  return world.get(kind, ref.namespace, ref.name);
}

function checkWeights(input: Input, route: ApiRoute, { index, name, backends }: RouteRule): void {
  const served = backends.filter(({ mirror }) => !mirror);
  if (served.length === 0 || served.some(({ weight }) => weight > 0)) return;
  const object = objectOf(input, route);
  const rule = name === "" ? `rule ${index + 1}` : `rule ${name}`;
  if (object !== undefined) input.report(object, ["spec", "rules", index, "backendRefs"], "MSH0730", { rule });
}

/** Place (listener and host, or Service) and match -> who has it. */
type Taken = Map<string, { readonly route: ApiRoute; readonly rule: RouteRule; readonly path: FieldPath }>;

interface Place {
  readonly key: string;
  readonly words: string;
}

/** Where a route's rules apply, each with its own table of matches. */
function placesOf({ model }: Input, route: ApiRoute): readonly Place[] {
  return model.gatewayApi.outcomes(route).flatMap(({ parent, controller, attachments, problem }): readonly Place[] => {
    if (controller === undefined || problem !== undefined) return [];
    if (parent.kind !== "Gateway") {
      // a route in the Service's own namespace is for all callers, in another one for callers from there
      const audience = parent.namespace === route.ref.namespace ? "" : ` ${route.ref.namespace}`;
      const words = `${parent.kind} ${parent.namespace}/${parent.name}`;
      return [{ key: `${words} ${parent.port ?? ""}${audience}`, words }];
    }
    return attachments.flatMap(({ gateway, listener, hostnames }) =>
      hostnames.map((host) => ({
        key: `${gateway.namespace}/${gateway.name} ${listener} ${host}`,
        words: `listener ${listener} for ${host === "*" ? "any host" : host}`,
      })),
    );
  });
}

/** A match is told when it is taken wherever its route applies. */
function checkMatches(input: Input, route: ApiRoute, taken: Taken): void {
  const places = placesOf(input, route);
  if (places.length === 0) return;
  for (const rule of route.rules)
    for (const { key, words, path } of rule.matches) {
      const winners = places.map((place) => ({ place, winner: taken.get(`${place.key} ${key}`) }));
      for (const place of places)
        if (!taken.has(`${place.key} ${key}`)) taken.set(`${place.key} ${key}`, { route, rule, path });
      const [first] = winners;
      if (first?.winner === undefined || winners.some(({ winner }) => winner === undefined)) continue;
      tell(input, route, { path, words, place: first.place, winner: first.winner });
    }
}

interface Loss {
  readonly path: FieldPath;
  readonly words: string;
  readonly place: Place;
  readonly winner: NonNullable<ReturnType<Taken["get"]>>;
}

function tell(input: Input, route: ApiRoute, { path, words, place, winner }: Loss): void {
  const [object, other] = [objectOf(input, route), objectOf(input, winner.route)];
  if (object === undefined || other === undefined) return;
  const isOwn =
    winner.route.kind === route.kind &&
    winner.route.ref.namespace === route.ref.namespace &&
    winner.route.ref.name === route.ref.name;
  const number = `rule ${winner.rule.index + 1}`;
  const owner = isOwn
    ? number
    : `${number} of ${winner.route.kind} ${winner.route.ref.namespace}/${winner.route.ref.name}`;
  const args = { match: words, winner: owner, where: place.words };
  input.report(object, path, "MSH0731", args, { object: other, path: winner.path, words: "the rule that counts" });
}

/** A route for a Service takes the whole host from VirtualServices of the mesh. */
function checkVirtualServices(input: Input, route: ApiRoute): void {
  const { model, report } = input;
  for (const { parent, problem } of model.gatewayApi.outcomes(route)) {
    if (parent.kind !== "Service" || problem !== undefined) continue;
    const host = serviceHost(parent.name, parent.namespace, model.domain);
    const bound = model.virtualServices.forHost(parent.namespace, host);
    const replaced = bound?.host === host ? bound.object : undefined;
    const object = objectOf(input, route);
    if (replaced === undefined || object === undefined) continue;
    const virtualService = `VirtualService ${replaced.metadata.namespace ?? ""}/${replaced.metadata.name}`;
    const args = { service: `Service ${parent.namespace}/${parent.name}`, virtualService };
    const place = { object: replaced, path: ["spec", "hosts"], words: "what is not used" };
    report(object, ["spec", "parentRefs", parent.index], "MSH0732", args, place);
  }
}
