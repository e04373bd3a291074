import type { IncomingMessage, ServerResponse } from "node:http";
import { authenticate } from "./authenticate.ts";
import type { User } from "./core.ts";
import { aggregatedDiscovery, coreVersions, groupList, oneGroup, resourceList } from "./discovery.ts";
import { openapiDocument, openapiIndex } from "./openapi.ts";
import type { JsonObject } from "./json.ts";
import type { AccessQuestion } from "./rbac.ts";
import type { Registry } from "./registry.ts";
import type { Call } from "./call.ts";
import { handleResource } from "./resource-http.ts";
import { parseRoute, questionOf, type Route } from "./route.ts";
import type { ServerDeps } from "./server-deps.ts";
import { forbidden, methodNotAllowed, noSuchPath } from "./status.ts";
import { issuer } from "./tokens.ts";
import { refusal } from "./unsupported.ts";
import { kubeVersion } from "./version.ts";
import { sendError, sendJson, sendText } from "./wire.ts";

/** What every request has been found to be, before it is handled. */
export interface Admitted {
  readonly user: User;
  readonly url: URL;
  readonly route: Route;
}

function questionText(question: AccessQuestion, user: User): string {
  const { verb, group = "", resource = "", subresource, namespace, name, path } = question;
  if (path !== undefined) return `forbidden: User "${user.username}" cannot ${verb} path "${path}"`;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const what = `${resource}${group === "" ? "" : `.${group}`}${name === undefined ? "" : ` "${name}"`} is forbidden`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  return `${what}: User "${user.username}" cannot ${verb} resource "${full}" in API group "${group}" ${where}`;
}

function isWatch(query: URLSearchParams): boolean {
  return ["true", "1"].includes(query.get("watch") ?? "");
}

/** A list or watch that selects one name asks about that name: rules with resourceNames allow it (as kube-apiserver does). */
function withSelectedName(question: AccessQuestion, query: URLSearchParams): AccessQuestion {
  const name = /(?:^|,)metadata\.name==?([^,]+)/.exec(query.get("fieldSelector") ?? "")?.[1];
  return question.name === undefined && name !== undefined ? { ...question, name } : question;
}

/** Authentication, the list of lacks, routing and authorization. Throws StatusError. */
export async function admit(deps: ServerDeps, message: IncomingMessage): Promise<Admitted> {
  const url = new URL(message.url ?? "/", "https://localhost");
  const user = await authenticate(message, deps.tokens);
  const route = parseRoute(deps.core.registry, url.pathname);
  const method = message.method ?? "GET";
  const question: AccessQuestion =
    route.type === "resource"
      ? withSelectedName(questionOf(route, method, isWatch(url.searchParams)), url.searchParams)
      : { verb: method.toLowerCase(), path: url.pathname };
  // Finding out what is there is open to all who are known, as is learning that a kind is not served.
  const open = route.type === "missing" && user.username !== "system:anonymous";
  if (!open && !deps.authorizer.allows(user, question)) throw forbidden(questionText(question, user));
  const lacking = refusal(url.pathname);
  if (lacking !== undefined) throw lacking;
  return { user, url, route };
}

type Fixed = (context: { deps: ServerDeps; message: IncomingMessage; url: URL; response: ServerResponse }) => void;

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** /api or /apis: everything at once for those who ask for it, otherwise the plain list. */
function discovery(core: boolean): Fixed {
  return ({ deps, message, response }) => {
    const { registry } = deps.core;
    const accepts = (message.headers.accept ?? "").replaceAll(" ", "").split(",");
    const wants = accepts.some(
      (type) => type.includes("as=APIGroupDiscoveryList") && type.includes("v=v2") && !type.includes("v=v2beta1"),
    );
    if (!wants) {
      sendJson(response, 200, core ? coreVersions(message.headers.host ?? "") : groupList(registry));
      return;
    }
    response.writeHead(200, { "content-type": aggregatedType, etag: `"${registry.revision}"`, vary: "Accept" });
    response.end(JSON.stringify(aggregatedDiscovery(registry, core)));
  };
}

const healthy: Fixed = ({ response }) => sendText(response, 200, "ok");

const fixed: Readonly<Record<string, Fixed>> = {
  "/": ({ response }) => sendJson(response, 200, { paths: Object.keys(fixed) }),
  "/version": ({ response }) => sendJson(response, 200, kubeVersion()),
  "/healthz": healthy,
  "/livez": healthy,
  "/readyz": healthy,
  "/api": discovery(true),
  "/apis": discovery(false),
  "/openapi/v3": ({ deps, response }) => sendJson(response, 200, openapiIndex(deps.core.registry)),
  "/openid/v1/jwks": ({ deps, response }) => sendJson(response, 200, deps.tokens.keys),
  "/.well-known/openid-configuration": ({ response }) =>
    sendJson(response, 200, {
      issuer,
      jwks_uri: `${issuer}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    }),
};

/** What stands behind a path with names in it: OpenAPI documents, groups, and the resources of a version. */
function documentAt(registry: Registry, path: string): JsonObject | undefined {
  const document = /^\/openapi\/v3\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path);
  if (document !== null) return openapiDocument(registry, document[1] ?? "", document[2] ?? "");
  const group = /^\/apis\/([^/]+)$/.exec(path)?.[1];
  if (group !== undefined) return oneGroup(registry, group);
  const list = /^\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path);
  return list === null ? undefined : resourceList(registry, list[1] ?? "", list[2] ?? "");
}

function handleFixed(deps: ServerDeps, message: IncomingMessage, url: URL, response: ServerResponse): void {
  if (message.method !== "GET" && message.method !== "HEAD") {
    throw methodNotAllowed("the server does not allow this method on the requested resource");
  }
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, "") : url.pathname;
  const handler = fixed[path] ?? (/^\/(healthz|livez|readyz)\//.test(path) ? healthy : undefined);
  if (handler !== undefined) {
    handler({ deps, message, url, response });
    return;
  }
  const document = documentAt(deps.core.registry, path);
  if (document === undefined) throw noSuchPath();
  sendJson(response, 200, document);
}

/** Answers one request; never throws and never leaves one unanswered. */
export async function handleRequest(
  deps: ServerDeps,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { user, url, route } = await admit(deps, message);
    if (route.type === "missing") throw noSuchPath();
    if (route.type === "fixed") handleFixed(deps, message, url, response);
    else {
      const call: Call = { deps, message, response, user, query: url.searchParams, ...route };
      await handleResource(call);
    }
  } catch (error) {
    sendError(response, error, deps.core.log);
  }
}
