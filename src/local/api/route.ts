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

interface Place {
  readonly group: string;
  readonly version: string;
  /** What follows the version. */
  readonly rest: readonly string[];
}

function placeOf(segments: readonly string[]): Place | undefined {
  const [root, second = "", third = ""] = segments;
  if (root === "api" && segments.length > 2) return { group: "", version: second, rest: segments.slice(2) };
  if (root === "apis" && segments.length > 3) return { group: second, version: third, rest: segments.slice(3) };
  return undefined;
}

/** `namespaces/shop/pods`, as against `namespaces/shop/status`, which is about the namespace itself. */
function isInNamespace({ group, rest }: Place): boolean {
  return rest[0] === "namespaces" && rest.length > 2 && !(group === "" && isNamespacePart(rest[2]));
}

/** Reads a path. `/api/v1/namespaces/shop/pods/web/log` is the subresource `log` of the pod `web`. */
export function parseRoute(registry: Registry, path: string): Route {
  const segments = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded);
  const place = placeOf(segments);
  if (place === undefined) return { type: "fixed", path };
  const { group, version, rest } = place;
  const inside = isInNamespace(place);
  const info = registry.find(group, version, (inside ? rest[2] : rest[0]) ?? "");
  if (info === undefined || (inside && !info.namespaced)) return { type: "missing", group, version, segments: rest };
  const namespace = inside ? rest[1] : undefined;
  return { type: "resource", info, namespace, ...below(rest.slice(inside ? 3 : 1)) };
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
