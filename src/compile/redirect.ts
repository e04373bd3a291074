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
  const scheme = nonEmpty(spec.scheme);
  const wanted = spec.derivePort === "FROM_REQUEST_PORT" ? site.port : spec.port;
  const own = OWN_PORTS[scheme ?? (site.tls === true ? "https" : "http")];
  return {
    kind: "redirect",
    // 0 is what an absent number looks like to a client that writes all fields
    status: spec.redirectCode === 0 ? MOVED : (spec.redirectCode ?? MOVED),
    path: pathOf(spec),
    host: nonEmpty(spec.authority),
    ...compact({ scheme, port: wanted === own || wanted === 0 ? undefined : wanted }),
  };
}

const MOVED = 301;

function pathOf({ uri, prefixRewrite }: NonNullable<HttpRule["redirect"]>): Redirect["path"] {
  const [full, prefix] = [nonEmpty(uri), nonEmpty(prefixRewrite)];
  if (full !== undefined) return { kind: "full", value: full };
  return prefix === undefined ? undefined : { kind: "prefix", value: prefix };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
