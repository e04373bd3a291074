import type { Messages } from "../../wire/codec.ts";

type Route = Messages["envoy.config.route.v3.Route"];

/** What a route matches, for one without a name. */
export function routeText({ match = {} }: Route): string {
  const path = match.path ?? match.prefix ?? match.path_separated_prefix ?? match.safe_regex?.regex ?? "/";
  const kind = match.path !== undefined ? "exact" : match.safe_regex !== undefined ? "regex" : "prefix";
  const more = [...(match.headers ?? []), ...(match.query_parameters ?? [])].map(({ name = "" }) => name);
  return `${kind} ${path}${more.length === 0 ? "" : ` if ${more.join(", ")}`}`;
}

/** What happens to a request on the route besides being sent on; empty: nothing. */
export function routeNotes({ route, typed_per_filter_config: filters = {} }: Route): string {
  const { timeout, retry_policy: retries, request_mirror_policies: mirrors = [] } = route ?? {};
  const asked = Object.keys(filters).filter((name) => name !== "istio.alpn");
  return [
    ...(timeout === undefined || timeout === "0s" ? [] : [`timeout ${timeout}`]),
    ...(retries === undefined ? [] : [`up to ${retries.num_retries ?? 1} retries on ${retries.retry_on ?? ""}`]),
    ...mirrors.map(({ cluster = "" }) => `a copy goes to ${cluster}`),
    ...asked.map((name) => `filter ${name} has settings of its own`),
  ].join("; ");
}
