import type { Model } from "../../model/model.ts";
import { type ApiRoute, type ParentOutcome, type Problem } from "../../model/gateway-api-types.ts";
import { type Condition, condition, type Knows, wordsOf } from "./condition.ts";

/** Status of a route: one entry for each parent that is ours. */
export interface RouteStatus {
  readonly parents: readonly {
    readonly parentRef: Readonly<Record<string, string | number>>;
    readonly controllerName: string;
    readonly conditions: readonly Condition[];
  }[];
}

/** The status that our controllers give a route. */
export function routeStatus(model: Model, route: ApiRoute, knows: Knows): RouteStatus {
  const filters = filterProblems(route);
  const backends = backendProblems(model, route);
  // one bad rule of several takes nothing from the others
  const isPartial = new Set(filters.map(({ path }) => path[2])).size < route.rules.length;
  const context = { generation: route.generation, knows };
  const parents = model.gatewayApi.outcomes(route).flatMap((outcome) => {
    if (outcome.controller === undefined) return [];
    const own = [
      ...(outcome.problem === undefined ? [] : [outcome.problem]),
      ...(isPartial ? [] : filters),
      ...backends,
    ];
    return [
      {
        parentRef: outcome.parent.written,
        controllerName: outcome.controller,
        conditions: [
          condition("Accepted", { reason: "Accepted", message: acceptedWords(outcome) }, own, context),
          condition("ResolvedRefs", { reason: "ResolvedRefs", message: "every backend is there" }, own, context),
          ...(isPartial && filters.length > 0 ? [partly(filters, route.generation)] : []),
        ],
      },
    ];
  });
  return { parents };
}

function partly(filters: readonly Problem[], observedGeneration: number): Condition {
  const message = `some rules are not applied: ${[...new Set(filters.map(wordsOf))].join("; ")}`;
  return { type: "PartiallyInvalid", status: "True", reason: "UnsupportedValue", message, observedGeneration };
}

/** Filters that are applied; of the others the API says UnsupportedValue. */
const FILTERS: { readonly [K in ApiRoute["kind"]]: ReadonlySet<string> } = {
  HTTPRoute: new Set([
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "URLRewrite",
    "CORS",
  ]),
  GRPCRoute: new Set(["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror"]),
  TLSRoute: new Set(),
  TCPRoute: new Set(),
};

/** Whether routes of a kind may have filters of a type. */
export function filterApplies(kind: ApiRoute["kind"], type: string): boolean {
  return FILTERS[kind].has(type);
}

/** What is wrong with the rules of a route, wherever it is attached. */
export function ruleProblems(model: Model, route: ApiRoute): readonly Problem[] {
  return [...filterProblems(route), ...backendProblems(model, route)];
}

function filterProblems({ kind, rules }: ApiRoute): readonly Problem[] {
  const unknown = rules.flatMap(({ filters }) => filters).filter(({ type }) => !filterApplies(kind, type));
  return unknown.map(({ type, path }): Problem => ({ code: "MSH0727", path, args: { filter: type } }));
}

function backendProblems(model: Model, route: ApiRoute): readonly Problem[] {
  return route.rules.flatMap(({ backends }) =>
    backends.flatMap((backend) => model.gatewayApi.backendProblem(route, backend) ?? []),
  );
}

function acceptedWords({ attachments, parent }: ParentOutcome): string {
  if (parent.kind !== "Gateway") return `calls to ${parent.kind} ${parent.name} follow this route`;
  const listeners = attachments.map(({ listener }) => listener).join(", ");
  return `attached to ${attachments.length === 1 ? "listener" : "listeners"} ${listeners}`;
}
