import type { FieldPath } from "../diagnostics/finding.ts";
import type { KindTypes } from "../resources/kinds.ts";
import { refOf } from "../resources/object.ts";
import {
  type ApiRoute,
  GATEWAY_GROUP,
  type RouteBackend,
  type RouteKind,
  type RouteParent,
  type RouteRule,
} from "./gateway-api-types.ts";

type HttpRule = NonNullable<NonNullable<KindTypes["HTTPRoute"]["spec"]>["rules"]>[number];
type GrpcRule = NonNullable<NonNullable<KindTypes["GRPCRoute"]["spec"]>["rules"]>[number];

type HttpMatch = NonNullable<HttpRule["matches"]>[number];
type GrpcMatch = NonNullable<GrpcRule["matches"]>[number];

/** What rules of all kinds have in common, as written. */
interface WrittenRule {
  readonly name?: string;
  readonly matches?: HttpRule["matches"] | GrpcRule["matches"];
  readonly filters?: readonly WrittenFilter[];
  readonly backendRefs?: readonly (WrittenBackend & { readonly filters?: readonly WrittenFilter[] })[];
}

interface WrittenFilter {
  readonly type: string;
  readonly requestMirror?: { readonly backendRef: WrittenBackend };
}

interface WrittenBackend {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly weight?: number;
}

interface WrittenSpec {
  readonly parentRefs?: readonly (Omit<WrittenBackend, "weight"> & { readonly sectionName?: string })[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly WrittenRule[];
}

/** A route in the form that is the same for all kinds, defaults filled in. */
export function readRoute(object: KindTypes[RouteKind], kind: RouteKind): ApiRoute {
  const spec = (object.spec ?? {}) as WrittenSpec;
  const own = object.metadata.namespace ?? "";
  return {
    ref: refOf(object),
    kind,
    generation: object.metadata.generation ?? 0,
    hostnames: spec.hostnames ?? [],
    parents: (spec.parentRefs ?? []).map((written, index): RouteParent => {
      const { group = GATEWAY_GROUP, kind: parentKind = "Gateway", namespace = own, name, sectionName, port } = written;
      return { index, written: { ...written }, group, kind: parentKind, namespace, name, sectionName, port };
    }),
    rules: (spec.rules ?? []).map((rule, index) => readRule(rule, { kind, index, own })),
  };
}

interface RulePlace {
  readonly kind: RouteKind;
  readonly index: number;
  readonly own: string;
}

function readRule(rule: WrittenRule, { kind, index, own }: RulePlace): RouteRule {
  const path: FieldPath = ["spec", "rules", index];
  const backends = (rule.backendRefs ?? []).map((written, at) =>
    readBackend(written, own, [...path, "backendRefs", at]),
  );
  const filters = [
    ...placedFilters(rule.filters, path),
    ...(rule.backendRefs ?? []).flatMap((backend, at) => placedFilters(backend.filters, [...path, "backendRefs", at])),
  ];
  const mirrors = filters.flatMap(({ filter, path: at }) =>
    filter.requestMirror === undefined
      ? []
      : [
          {
            ...readBackend(filter.requestMirror.backendRef, own, [...at, "requestMirror", "backendRef"]),
            mirror: true,
          },
        ],
  );
  return {
    index,
    name: rule.name ?? "",
    matches: matchesOf(rule, kind, path),
    backends: [...backends, ...mirrors],
    filters: filters.map(({ filter, path: at }) => ({ type: filter.type, path: [...at, "type"] })),
  };
}

function placedFilters(
  filters: readonly WrittenFilter[] | undefined,
  path: FieldPath,
): readonly { readonly filter: WrittenFilter; readonly path: FieldPath }[] {
  return (filters ?? []).map((filter, at) => ({ filter, path: [...path, "filters", at] }));
}

function readBackend(written: WrittenBackend, own: string, path: FieldPath): RouteBackend {
  const { group = "", kind = "Service", name, namespace = own, port, weight = 1 } = written;
  return { group, kind, name, namespace, port, weight, path, mirror: false };
}

function matchesOf(rule: WrittenRule, kind: RouteKind, path: FieldPath): RouteRule["matches"] {
  if (kind !== "HTTPRoute" && kind !== "GRPCRoute") return [];
  const matches = rule.matches ?? [];
  // without matches everything is meant, as with one that says nothing
  const said = matches.length === 0 ? [{}] : matches;
  return said.map((match, at) => {
    const words = kind === "HTTPRoute" ? httpWords(match as HttpMatch) : grpcWords(match as GrpcMatch);
    const where = matches.length === 0 ? path : [...path, "matches", at];
    return { key: `${kind} ${words}`, words, path: where };
  });
}

type Pairs = readonly { readonly type?: string; readonly name: string; readonly value: string }[] | undefined;

/** Conditions on names in one order: headers in small letters, of two with one name the first counts. */
function pairWords(pairs: Pairs, noun: string, isHeader: boolean): readonly string[] {
  if (pairs === undefined || pairs.length === 0) return [];
  const byName = new Map<string, string>();
  for (const { type = "Exact", name, value } of pairs) {
    const key = isHeader ? name.toLowerCase() : name;
    if (!byName.has(key)) byName.set(key, `${noun} ${key} ${type === "Exact" ? "=" : "~"} ${value}`);
  }
  return [...byName.values()].toSorted();
}

function httpWords(match: HttpMatch): string {
  const { type = "PathPrefix", value = "/" } = match.path ?? {};
  // a prefix is the same with and without the slash at its end
  const path =
    type === "PathPrefix" ? `path ${value === "/" ? value : value.replace(/\/$/, "")}` : `path ${type} ${value}`;
  return [
    path,
    ...(match.method === undefined ? [] : [`method ${match.method}`]),
    ...pairWords(match.headers, "header", true),
    ...pairWords(match.queryParams, "query", false),
  ].join(", ");
}

function grpcWords(match: GrpcMatch): string {
  const { type = "Exact", service = "*", method = "*" } = match.method ?? {};
  return [
    `method ${type === "Exact" ? "" : "~ "}${service}/${method}`,
    ...pairWords(match.headers, "header", true),
  ].join(", ");
}
