import type { Messages } from "../wire/codec.ts";
import { firstValue, pathOnly, type SimulatedRequest } from "./request.ts";
import { regexOf } from "./string-match.ts";

type Route = Messages["envoy.config.route.v3.Route"];
type RouteAction = Messages["envoy.config.route.v3.RouteAction"];
type Substitution = Messages["envoy.type.matcher.v3.RegexMatchAndSubstitute"];

/** A request with the path and the authority that its route gives it. Envoy keeps the old path in `x-envoy-original-path`. */
export function rewritten(request: SimulatedRequest, route: Route, action: RouteAction): SimulatedRequest {
  const path = rewrittenPath(request.path, route, action);
  const headers =
    path === undefined ? request.headers : [...request.headers, ["x-envoy-original-path", request.path] as const];
  return { ...request, headers, path: path ?? request.path, authority: authorityOf(request, action) };
}

/** The new path with its query; undefined: no rewrite. */
export function rewrittenPath(
  path: string,
  { match = {} }: Route,
  action: Pick<RouteAction, "prefix_rewrite" | "regex_rewrite">,
): string | undefined {
  const bare = pathOnly(path);
  const rest = path.slice(bare.length);
  if (action.regex_rewrite !== undefined) return substituted(bare, action.regex_rewrite) + rest;
  if (action.prefix_rewrite === undefined || action.prefix_rewrite === "") return undefined;
  // an exact path or a regular expression matched all of it
  const matched = match.prefix ?? match.path_separated_prefix;
  return action.prefix_rewrite + (matched === undefined ? "" : bare.slice(matched.length)) + rest;
}

/** RE2::GlobalReplace: `\1` names a group, `\0` all, `\\` a backslash; a group that is not there leaves the text as it is. */
function substituted(text: string, { pattern, substitution = "" }: Substitution): string {
  const matcher = regexOf(pattern?.regex ?? "").matcher(text);
  const groups = [...substitution.matchAll(/\\(\d)/g)].map(([, group]) => Number(group));
  if (Math.max(0, ...groups) > matcher.groupCount()) return text;
  let result = "";
  let done = 0;
  while (matcher.find()) {
    result += text.slice(done, matcher.start());
    result += substitution.replaceAll(/\\(\d|\\)/g, (_, escape: string) =>
      escape === "\\" ? "\\" : (matcher.group(Number(escape)) ?? ""),
    );
    done = matcher.end();
  }
  return result + text.slice(done);
}

function authorityOf(request: SimulatedRequest, action: RouteAction): string {
  if (action.host_rewrite_literal !== undefined && action.host_rewrite_literal !== "")
    return action.host_rewrite_literal;
  // a header that is missing or empty changes nothing
  if (action.host_rewrite_header !== undefined)
    return firstValue(request, action.host_rewrite_header) || request.authority;
  if (action.host_rewrite_path_regex !== undefined)
    return substituted(pathOnly(request.path), action.host_rewrite_path_regex);
  return request.authority;
}
