import type { Messages } from "../wire/codec.ts";
import type { SimulatedRequest } from "./request.ts";
import { rewrittenPath } from "./rewrite.ts";

type Route = Messages["envoy.config.route.v3.Route"];
type Redirect = Messages["envoy.config.route.v3.RedirectAction"];

const STATUS: Readonly<Record<NonNullable<Redirect["response_code"]>, number>> = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
};

const DEFAULT_PORT = { http: ":80", https: ":443" } as const;

/** Status and Location of a redirect (Envoy's RouteEntryImplBase::newUri). */
export function redirectTarget(
  route: Route,
  redirect: Redirect,
  request: SimulatedRequest,
): { readonly status: number; readonly location: string } {
  const scheme = redirect.scheme_redirect ?? (redirect.https_redirect === true ? "https" : request.scheme);
  const port = redirect.port_redirect === undefined || redirect.port_redirect === 0 ? "" : `:${redirect.port_redirect}`;
  const authority = redirect.host_redirect ?? keptAuthority(request, scheme, port);
  return {
    status: STATUS[redirect.response_code ?? "MOVED_PERMANENTLY"],
    location: `${scheme}://${authority}${port}${pathOf(route, redirect, request)}`,
  };
}

/** The client's authority, without a port that is replaced or that was the default of the old scheme. */
function keptAuthority({ authority, scheme }: SimulatedRequest, newScheme: string, newPort: string): string {
  const port = /:\d+$/.exec(authority)?.[0];
  if (port === undefined) return authority;
  const stale = newScheme !== scheme && port === DEFAULT_PORT[scheme];
  return newPort !== "" || stale ? authority.slice(0, -port.length) : authority;
}

function pathOf(route: Route, redirect: Redirect, request: SimulatedRequest): string {
  const given = redirect.path_redirect;
  if (given !== undefined && given !== "") {
    // a query of the redirect's own replaces the client's and is never stripped
    if (given.includes("?")) return given;
    const at = request.path.indexOf("?");
    return at < 0 || redirect.strip_query === true ? given : given + request.path.slice(at);
  }
  const path = rewrittenPath(request.path, route, redirect) ?? request.path;
  return redirect.strip_query === true ? (path.split("?", 1)[0] ?? "") : path;
}
