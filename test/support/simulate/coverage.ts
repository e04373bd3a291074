import type { Walk } from "../../../src/simulate/outcome.ts";
import type { StringMatcher } from "../../../src/simulate/string-match.ts";
import type { Miss } from "../../../src/simulate/verdict.ts";
import type { Messages } from "../../../src/wire/codec.ts";

type Route = Messages["envoy.config.route.v3.Route"];
type Header = Messages["envoy.config.route.v3.HeaderMatcher"];

/** How often each kind of condition was met and missed, and each kind of action taken. */
export interface Coverage {
  count(walk: Walk): void;
  readonly met: ReadonlyMap<string, number>;
  readonly missed: ReadonlyMap<string, number>;
}

export function coverage(): Coverage {
  const met = new Map<string, number>();
  const missed = new Map<string, number>();
  const add = (to: Map<string, number>, kind: string): void => void to.set(kind, (to.get(kind) ?? 0) + 1);
  return {
    met,
    missed,
    count({ chosen, outcome }) {
      for (const { miss } of chosen.routesRejected) for (const kind of missKinds(miss)) add(missed, kind);
      if (chosen.domain !== undefined) add(met, domainKind(chosen.domain));
      else add(missed, "domain");
      for (const kind of chosen.route === undefined ? [] : routeKinds(chosen.route)) add(met, kind);
      add(met, `outcome ${outcome.kind}`);
    },
  };
}

function missKinds({ condition, wanted }: Miss): readonly string[] {
  const subject = condition.split(" ")[0] ?? "";
  const inverted = wanted.startsWith("not ");
  const words = inverted ? wanted.slice("not ".length) : wanted;
  const kind = /^(path prefix|prefix|exact|suffix|contains|regex|from|present|absent|gRPC)/.exec(words)?.[0] ?? words;
  return [
    `${subject} ${kind}`,
    ...(inverted ? [`${subject} inverted`] : []),
    ...(words.endsWith("any case") ? [`${subject} any case`] : []),
  ];
}

function domainKind(domain: string): string {
  if (domain === "*") return "domain any";
  if (domain.startsWith("*")) return "domain suffix";
  return domain.endsWith("*") ? "domain prefix" : "domain exact";
}

function routeKinds({ match = {}, route, redirect }: Route): readonly string[] {
  const path = (["path", "path_separated_prefix", "safe_regex"] as const).find((key) => match[key] !== undefined);
  return [
    `path ${path ?? "prefix"}`,
    ...(match.case_sensitive === false ? ["path any case"] : []),
    ...(match.headers ?? []).flatMap(headerKinds),
    ...(match.query_parameters ?? []).flatMap(({ string_match }) => stringKinds("query", string_match)),
    ...(match.grpc === undefined ? [] : ["gRPC"]),
    ...["weighted_clusters", "prefix_rewrite", "regex_rewrite", "host_rewrite_literal", "host_rewrite_header"].filter(
      (key) => route !== undefined && key in route,
    ),
    ...Object.keys(redirect ?? {}).map((key) => `redirect ${key}`),
  ];
}

function headerKinds(header: Header): readonly string[] {
  return [
    ...(header.range_match === undefined ? stringKinds("header", header.string_match) : ["header range"]),
    ...(header.invert_match === true ? ["header inverted"] : []),
    ...(header.treat_missing_header_as_empty === true ? ["header missing as empty"] : []),
  ];
}

function stringKinds(subject: string, string: StringMatcher | undefined): readonly string[] {
  const kind = Object.keys(string ?? {}).find((key) => key !== "ignore_case") ?? "present";
  return [`${subject} ${kind}`, ...(string?.ignore_case === true ? [`${subject} any case`] : [])];
}
