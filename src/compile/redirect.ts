import { compact } from "../base/compact.ts";
import type { RouteAction } from "../ir/route.ts";
import type { HttpRule } from "./http-match.ts";
import type { RouteSite } from "./route-site.ts";

type Redirect = Extract<RouteAction, { kind: "redirect" }>;

const OWN_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/**
 * A rule's redirect. FROM_REQUEST_PORT means the port that these routes are for, since Envoy cannot take it from the request.
 * A port that is the scheme's own is left out, so that it does not stand in the answer.
 */
export function redirectOf(spec: NonNullable<HttpRule["redirect"]>, site: Pick<RouteSite, "port" | "tls">): Redirect {
  const { uri = "", prefixRewrite = "", authority = "", scheme = "", redirectCode = 0, derivePort } = spec;
  const byPrefix: Redirect["path"] = prefixRewrite === "" ? undefined : { kind: "prefix", value: prefixRewrite };
  const wanted = derivePort === "FROM_REQUEST_PORT" ? site.port : spec.port;
  const own = OWN_PORTS[scheme === "" ? (site.tls === true ? "https" : "http") : scheme];
  return {
    kind: "redirect",
    // 0 is what an absent number looks like to a client that writes all fields
    status: redirectCode === 0 ? 301 : redirectCode,
    path: uri === "" ? byPrefix : { kind: "full", value: uri },
    host: authority === "" ? undefined : authority,
    ...compact({
      scheme: scheme === "" ? undefined : scheme,
      port: wanted === own || wanted === 0 ? undefined : wanted,
    }),
  };
}
