import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { CorsPolicy, HeaderChanges, RetryPolicy, Rewrite } from "../../ir/route-features.ts";
import type { RouteAction } from "../../ir/route.ts";
import type { StringMatch } from "../../ir/string-match.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import type { MeshConfig } from "../../model/mesh-config.ts";
import { headerChanges } from "../header-changes.ts";
import { redirectOf } from "../redirect.ts";
import { retryPolicy } from "../retry-policy.ts";
import type { RouteSite } from "../route-site.ts";

export type HttpRule = NonNullable<NonNullable<KindTypes["HTTPRoute"]["spec"]>["rules"]>[number];
/** A filter of an HTTPRoute; GRPCRoutes have some of them. */
export type Filter = NonNullable<HttpRule["filters"]>[number];
type HeaderModifier = NonNullable<Filter["requestHeaderModifier"]>;

/** Header changes of a rule or of one backend; undefined: none. */
export function filterHeaders(filters: readonly Filter[]): HeaderChanges | undefined {
  const request = filters.find(({ type }) => type === "RequestHeaderModifier")?.requestHeaderModifier;
  const response = filters.find(({ type }) => type === "ResponseHeaderModifier")?.responseHeaderModifier;
  return headerChanges(
    compact({ request: request && operations(request), response: response && operations(response) }),
  );
}

function operations({ set = [], add = [], remove = [] }: HeaderModifier): {
  set: Record<string, string>;
  add: Record<string, string>;
  remove: string[];
} {
  // of two entries with one name the first counts
  const pairs = (list: typeof set): Record<string, string> =>
    Object.fromEntries(list.toReversed().map(({ name, value }) => [name, value]));
  return { set: pairs(set), add: pairs(add), remove: [...remove] };
}

/**
 * How paths are changed. Envoy joins what replaces a prefix and the rest as they are: a replacement that ends with a slash
 * needs the match in two parts, see `pathParts`.
 */
export function filterRewrite(filters: readonly Filter[]): Rewrite | undefined {
  const asked = filters.find(({ type }) => type === "URLRewrite")?.urlRewrite;
  if (asked === undefined) return undefined;
  const { hostname: host, path } = asked;
  const made: Rewrite = compact({ path: path && rewritePath(path), host });
  return Object.keys(made).length === 0 ? undefined : made;
}

type Modifier = NonNullable<NonNullable<Filter["urlRewrite"]>["path"]>;

function rewritePath({ type, replaceFullPath = "", replacePrefixMatch = "" }: Modifier): NonNullable<Rewrite["path"]> {
  if (type === "ReplacePrefixMatch") return { kind: "prefix", value: replacePrefixMatch };
  // a backslash would name a group
  return { kind: "regex", pattern: "/.*", substitution: replaceFullPath.replaceAll("\\", String.raw`\\`) };
}

/** A redirect; without a port the request's, or the new scheme's own. */
export function filterRedirect(
  filters: readonly Filter[],
  site: RouteSite,
): Extract<RouteAction, { kind: "redirect" }> | undefined {
  const asked = filters.find(({ type }) => type === "RequestRedirect")?.requestRedirect;
  if (asked === undefined) return undefined;
  const { scheme, hostname, path, port, statusCode = FOUND } = asked;
  const fromRequest = port === undefined && scheme === undefined ? ("FROM_REQUEST_PORT" as const) : undefined;
  return redirectOf(
    compact({
      scheme,
      authority: hostname,
      uri: path?.type === "ReplaceFullPath" ? path.replaceFullPath : undefined,
      prefixRewrite: path?.type === "ReplacePrefixMatch" ? path.replacePrefixMatch || "/" : undefined,
      port,
      derivePort: fromRequest,
      redirectCode: statusCode,
    }),
    site,
  );
}

/** Gateway API's default; a VirtualService's is 301. */
const FOUND = 302;

/** Answers to browsers. Preflights of other origins are answered too, without permission. */
export function filterCors(filters: readonly Filter[]): CorsPolicy | undefined {
  const asked = filters.find(({ type }) => type === "CORS")?.cors;
  if (asked === undefined) return undefined;
  return compact({
    origins: (asked.allowOrigins ?? []).map(originMatch),
    methods: asked.allowMethods ?? [],
    headers: asked.allowHeaders ?? [],
    exposeHeaders: asked.exposeHeaders ?? [],
    maxAgeSeconds: asked.maxAge,
    credentials: asked.allowCredentials === true ? true : undefined,
    forwardUnmatched: false,
  });
}

/** `*` stands for any part of an origin, alone for any origin. */
function originMatch(origin: string): StringMatch {
  if (origin === "*") return { kind: "regex", value: ".*" };
  if (!origin.includes("*")) return { kind: "exact", value: origin };
  const parts = origin.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return { kind: "regex", value: parts.join(".*") };
}

type Limits = Pick<HttpRule, "timeouts" | "retry">;

/** For the whole request. A limit for each try is one for all of it when nothing is said of retries. */
export function ruleTimeout({ timeouts = {}, retry }: Limits): number | undefined {
  const whole = positiveMs(timeouts.request);
  const each = retry === undefined ? positiveMs(timeouts.backendRequest) : undefined;
  return whole === undefined || each === undefined ? (whole ?? each) : Math.min(whole, each);
}

/** Retries as the rule says, else the mesh's default. Whoever asks for retries gets them for broken connections and tries that took too long too. */
export function ruleRetries({ timeouts = {}, retry }: Limits, mesh: MeshConfig): RetryPolicy | undefined {
  if (retry === undefined) return retryPolicy(undefined, mesh);
  const on = ["connect-failure,refused-stream,reset,unavailable,cancelled", ...(retry.codes ?? []).map(String)].join(
    ",",
  );
  const policy = retryPolicy({ attempts: retry.attempts ?? DEFAULT_ATTEMPTS, retryOn: on }, mesh);
  if (policy === undefined) return undefined;
  const perTryTimeoutMs = positiveMs(timeouts.backendRequest);
  const backoffMs = positiveMs(retry.backoff);
  return { ...policy, perTryTimeoutMs, ...(backoffMs === undefined ? {} : { backoffMs }) };
}

const DEFAULT_ATTEMPTS = 2;

/** 0 means no limit. */
function positiveMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? 0 : (durationMs(text) ?? 0);
  return ms === 0 ? undefined : ms;
}
