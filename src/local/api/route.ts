import type { AccessQuestion } from "./rbac.ts";
import type { Registry, ResourceInfo } from "./registry.ts";

/** What a path asks for: a resource (or an object, or something below it), or a fixed path. */
export type Route =
  | {
      readonly type: "resource";
      readonly info: ResourceInfo;
      readonly namespace: string | undefined;
      readonly name: string | undefined;
      readonly subresource: string | undefined;
    }
  /** A path of the resource API whose group, version or resource is not served. */
  | { readonly type: "missing"; readonly group: string; readonly version: string; readonly segments: readonly string[] }
  | { readonly type: "fixed"; readonly path: string };

/** Reads a path. `/api/v1/namespaces/shop/pods/web/log` is the subresource `log` of the pod `web`. */
export function parseRoute(registry: Registry, path: string): Route {
  const segments = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded);
  const core = segments[0] === "api" && segments.length > 2;
  if (!core && !(segments[0] === "apis" && segments.length > 3)) return { type: "fixed", path };
  const group = core ? "" : (segments[1] ?? "");
  const version = (core ? segments[1] : segments[2]) ?? "";
  const rest = segments.slice(core ? 2 : 3);
  const find = (resource: string | undefined): ResourceInfo | undefined =>
    resource === undefined ? undefined : registry.find(group, version, resource);
  if (rest[0] === "namespaces" && rest.length > 2 && !(core && isNamespacePart(rest[2]))) {
    const info = find(rest[2]);
    if (info?.namespaced !== true) return { type: "missing", group, version, segments: rest };
    return { type: "resource", info, namespace: rest[1], ...below(rest.slice(3)) };
  }
  const info = find(rest[0]);
  if (info === undefined) return { type: "missing", group, version, segments: rest };
  return { type: "resource", info, namespace: undefined, ...below(rest.slice(1)) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function isNamespacePart(segment: string | undefined): boolean {
  return segment === "status" || segment === "finalize";
}

function below(rest: readonly string[]): { name: string | undefined; subresource: string | undefined } {
  return { name: rest[0], subresource: rest.length > 1 ? rest.slice(1).join("/") : undefined };
}

/** What authorization is asked about a request to a resource. */
export function questionOf(
  route: Extract<Route, { type: "resource" }>,
  method: string,
  watch: boolean,
): AccessQuestion {
  const { info, namespace, name, subresource } = route;
  const inNamespace = info.collection === "/namespaces" ? name : namespace;
  const verb = verbOf(method, name !== undefined, watch);
  return { verb, group: info.group, resource: info.resource, subresource, namespace: inNamespace, name };
}

function verbOf(method: string, named: boolean, watch: boolean): string {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return named ? "delete" : "deletecollection";
    default:
      return named ? "get" : watch ? "watch" : "list";
  }
}
