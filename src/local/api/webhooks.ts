import { randomUUID } from "node:crypto";
import { errorText } from "../../base/errors.ts";
import type { Attributes } from "./core.ts";
import { present } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, asObjects, asString, asStrings, clone, equal, isObject } from "./json.ts";
import { jsonPatched } from "./patch.ts";
import type { Registry, ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import { objectSelector } from "./selectors.ts";
import { internalError, StatusError } from "./status.ts";
import type { Store } from "./store.ts";
import type { WebhookCaller } from "./webhook-call.ts";
import { WebhookCallError } from "./webhook-call.ts";

/** Runs the admission webhooks that are registered in the store. */
export interface Webhooks {
  mutate(attributes: Attributes & { readonly object: Obj }): Promise<Obj>;
  validate(attributes: Attributes): Promise<void>;
}

const collections = {
  mutating: "admissionregistration.k8s.io/mutatingwebhookconfigurations",
  validating: "admissionregistration.k8s.io/validatingwebhookconfigurations",
} as const;

/** Webhooks never see the objects that configure webhooks: a wrong one could not be removed any more. */
const exempt: readonly string[] = Object.values(collections);

function oneOf(list: unknown, value: string): boolean {
  const values = asStrings(list);
  return values.includes("*") || values.includes(value);
}

/** `pods` matches `pods` and `*`; `pods/status` matches `pods/status`, `pods/*`, `*\/status` and `*\/*`. */
function resourceMatches(list: unknown, resource: string, subresource: string | undefined): boolean {
  return asStrings(list).some((entry) => {
    const [main = "", sub] = entry.split("/");
    const mainFits = main === "*" || main === resource;
    if (entry === "*/*") return true;
    return mainFits && (sub === "*" ? subresource !== undefined : sub === subresource);
  });
}

function ruleMatches(rule: JsonObject, attributes: Attributes, version: string): boolean {
  const { info, operation, request } = attributes;
  const scope = rule["scope"] ?? "*";
  const scopeFits = scope === "*" || (scope === "Namespaced") === info.namespaced;
  return (
    scopeFits &&
    oneOf(rule["operations"], operation) &&
    oneOf(rule["apiGroups"], info.group) &&
    oneOf(rule["apiVersions"], version) &&
    resourceMatches(rule["resources"], info.resource, request.subresource)
  );
}

interface Deps {
  readonly store: Store;
  readonly registry: Registry;
  readonly call: WebhookCaller;
}

/** The version the hook is asked in, or undefined when it is not asked. */
function matchedVersion(deps: Deps, hook: JsonObject, attributes: Attributes): ResourceInfo | undefined {
  const { registry } = deps;
  const { info } = attributes;
  if (exempt.includes(info.collection)) return undefined;
  const rules = asObjects(hook["rules"]);
  const matches = (version: string): boolean => rules.some((rule) => ruleMatches(rule, attributes, version));
  const others = registry
    .versions(info.group)
    .filter((version) => registry.find(info.group, version, info.resource) !== undefined);
  const equivalent = hook["matchPolicy"] === "Exact" ? undefined : others.find(matches);
  const version = matches(info.version) ? info.version : equivalent;
  if (version === undefined || !isSelected(deps.store, hook, attributes)) return undefined;
  return registry.find(info.group, version, info.resource) ?? info;
}

function isSelected(store: Store, hook: JsonObject, attributes: Attributes): boolean {
  const { info, namespace, name, object, oldObject } = attributes;
  const fits = objectSelector(hook["objectSelector"]);
  const states = [object, oldObject].filter((value) => value !== undefined);
  if (!states.some((value) => fits(value.metadata.labels ?? {}))) return false;
  const inNamespace = objectSelector(hook["namespaceSelector"]);
  if (info.collection === "/namespaces") return inNamespace(states[0]?.metadata.labels ?? {});
  if (!info.namespaced) return true;
  const found = store.get("/namespaces", undefined, namespace ?? "");
  return inNamespace(found?.metadata.labels ?? { "kubernetes.io/metadata.name": namespace ?? name });
}

/** The response of an allowed review; undefined when the webhook failed and is to be ignored. Throws what refuses. */
async function ask(
  deps: Deps,
  hook: JsonObject,
  attributes: Attributes,
  info: ResourceInfo,
): Promise<JsonObject | undefined> {
  const name = asString(hook["name"]);
  const review = reviewOf(attributes, info);
  const uid = asString(asObject(review["request"])["uid"]);
  try {
    const response = asObject(asObject(await deps.call(hook, review))["response"]);
    if (response["uid"] !== uid) throw new WebhookCallError(`expected response.uid=${uid}`);
    for (const warning of asStrings(response["warnings"])) attributes.request.warn(warning);
    if (response["allowed"] !== true) throw denied(name, response);
    return response;
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    if (hook["failurePolicy"] === "Ignore") return undefined;
    throw internalError(`failed calling webhook "${name}": ${error.message}`);
  }
}

async function runMutating(
  deps: Deps,
  hook: JsonObject,
  attributes: Attributes & { readonly object: Obj },
): Promise<Obj> {
  const info = matchedVersion(deps, hook, attributes);
  if (info === undefined) return attributes.object;
  const response = await ask(deps, hook, attributes, info);
  const patch = response?.["patch"];
  if (typeof patch !== "string" || patch === "") return attributes.object;
  const changed = patchedBy(asString(hook["name"]), present(info, attributes.object), patch);
  return { ...changed, apiVersion: attributes.object.apiVersion };
}

export function createWebhooks(store: Store, registry: Registry, call: WebhookCaller): Webhooks {
  const deps: Deps = { store, registry, call };
  const hooksOf = (collection: string): JsonObject[] =>
    store.list(collection).flatMap((object) => asObjects(object["webhooks"]));
  return {
    async mutate(attributes) {
      const states: { hook: JsonObject; after: Obj }[] = [];
      let object: Obj = attributes.object;
      for (const hook of hooksOf(collections.mutating)) {
        object = await runMutating(deps, hook, { ...attributes, object });
        states.push({ hook, after: object });
      }
      // One more call for those that asked for it, when a later webhook changed what they had seen.
      for (const { hook, after } of states) {
        if (hook["reinvocationPolicy"] !== "IfNeeded" || equal(after, object)) continue;
        object = await runMutating(deps, hook, { ...attributes, object });
      }
      return clone(object);
    },
    async validate(attributes) {
      const calls = hooksOf(collections.validating).map(async (hook) => {
        const info = matchedVersion(deps, hook, attributes);
        if (info !== undefined) await ask(deps, hook, attributes, info);
      });
      await Promise.all(calls);
    },
  };
}

/** A webhook's patch that cannot be read or does not fit is the cluster's fault, not the client's: 500. */
function patchedBy(name: string, object: Obj, patch: string): Obj {
  try {
    const operations: unknown = JSON.parse(Buffer.from(patch, "base64").toString("utf8"));
    return jsonPatched(object, operations) as Obj;
  } catch (error) {
    throw internalError(`the patch of webhook "${name}" does not apply: ${errorText(error)}`);
  }
}

function denied(name: string, response: JsonObject): StatusError {
  const status = asObject(response["status"]);
  const message = asString(status["message"]);
  const code = typeof status["code"] === "number" && status["code"] >= 400 ? status["code"] : 403;
  const reason = asString(status["reason"]) || (code === 403 ? "Forbidden" : "");
  const text =
    message === ""
      ? `admission webhook "${name}" denied the request without explanation`
      : `admission webhook "${name}" denied the request: ${message}`;
  return new StatusError(code, reason, text, isObject(status["details"]) ? status["details"] : undefined);
}

function reviewOf(attributes: Attributes, info: ResourceInfo): JsonObject {
  const { request, operation, namespace, name, object, oldObject } = attributes;
  const kind = { group: info.group, version: info.version, kind: info.kind };
  const resource = { group: info.group, version: info.version, resource: info.resource };
  const { username, uid, groups, extra } = request.user;
  const asked = { group: attributes.info.group, version: attributes.info.version };
  const sub =
    request.subresource === undefined
      ? {}
      : { subResource: request.subresource, requestSubResource: request.subresource };
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: randomUUID(),
      kind,
      resource,
      ...sub,
      requestKind: { ...asked, kind: info.kind },
      requestResource: { ...asked, resource: info.resource },
      name,
      ...(namespace === undefined ? {} : { namespace }),
      operation,
      userInfo: { username, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) },
      object: object === undefined ? null : { ...present(info, object), apiVersion: apiVersionOf(info) },
      oldObject: oldObject === undefined ? null : { ...present(info, oldObject), apiVersion: apiVersionOf(info) },
      dryRun: request.dryRun,
      options: {
        kind: `${operation.charAt(0)}${operation.slice(1).toLowerCase()}Options`,
        apiVersion: "meta.k8s.io/v1",
      },
    },
  };
}
