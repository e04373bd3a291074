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

interface Hook {
  readonly configuration: string;
  readonly hook: JsonObject;
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

function ruleMatches(rule: JsonObject, attributes: Attributes, versions: readonly string[]): boolean {
  const { info, operation, request } = attributes;
  const scope = rule["scope"] ?? "*";
  const scopeFits = scope === "*" || (scope === "Namespaced") === info.namespaced;
  return (
    scopeFits &&
    oneOf(rule["operations"], operation) &&
    oneOf(rule["apiGroups"], info.group) &&
    versions.some((version) => oneOf(rule["apiVersions"], version)) &&
    resourceMatches(rule["resources"], info.resource, request.subresource)
  );
}

export function createWebhooks(store: Store, registry: Registry, call: WebhookCaller): Webhooks {
  const hooksOf = (collection: string): Hook[] =>
    store
      .list(collection)
      .flatMap((object) =>
        asObjects(object["webhooks"]).map((hook) => ({ configuration: object.metadata.name, hook })),
      );

  /** The version the hook is asked in, or undefined when it is not asked. */
  function matchedVersion(hook: JsonObject, attributes: Attributes): ResourceInfo | undefined {
    const { info } = attributes;
    if (exempt.includes(info.collection)) return undefined;
    const rules = asObjects(hook["rules"]);
    const own = rules.some((rule) => ruleMatches(rule, attributes, [info.version]));
    const others = registry
      .versions(info.group)
      .filter((version) => registry.find(info.group, version, info.resource) !== undefined);
    const equivalent = others.find((version) => rules.some((rule) => ruleMatches(rule, attributes, [version])));
    const version = own ? info.version : hook["matchPolicy"] === "Exact" ? undefined : equivalent;
    if (version === undefined || !selected(hook, attributes)) return undefined;
    return registry.find(info.group, version, info.resource) ?? info;
  }

  function selected(hook: JsonObject, attributes: Attributes): boolean {
    const { info, namespace, name, object, oldObject } = attributes;
    const fits = objectSelector(hook["objectSelector"]);
    const labelled = [object, oldObject].filter((value) => value !== undefined);
    if (!labelled.some((value) => fits(value.metadata.labels ?? {}))) return false;
    const inNamespace = objectSelector(hook["namespaceSelector"]);
    if (info.collection === "/namespaces") return inNamespace((object ?? oldObject)?.metadata.labels ?? {});
    if (!info.namespaced) return true;
    const found = store.get("/namespaces", undefined, namespace ?? "");
    return inNamespace(found?.metadata.labels ?? { "kubernetes.io/metadata.name": namespace ?? name });
  }

  async function ask(entry: Hook, attributes: Attributes, info: ResourceInfo): Promise<JsonObject | undefined> {
    const name = asString(entry.hook["name"]);
    const review = reviewOf(attributes, info);
    try {
      const answer = asObject(asObject(await call(entry.hook, review)));
      const response = asObject(answer["response"]);
      if (response["uid"] !== asObject(review["request"])["uid"])
        throw new WebhookCallError(`expected response.uid=${asString(asObject(review["request"])["uid"])}`);
      for (const warning of asStrings(response["warnings"])) attributes.request.warn(warning);
      if (response["allowed"] !== true) throw denied(name, response);
      return response;
    } catch (error) {
      if (!(error instanceof WebhookCallError)) throw error;
      if (entry.hook["failurePolicy"] === "Ignore") return undefined;
      throw internalError(`failed calling webhook "${name}": ${error.message}`);
    }
  }

  async function runMutating(entry: Hook, attributes: Attributes & { readonly object: Obj }): Promise<Obj> {
    const info = matchedVersion(entry.hook, attributes);
    if (info === undefined) return attributes.object;
    const response = await ask(entry, attributes, info);
    const patch = response?.["patch"];
    if (typeof patch !== "string" || patch === "") return attributes.object;
    const changed = patchedBy(asString(entry.hook["name"]), present(info, attributes.object), patch);
    return { ...changed, apiVersion: attributes.object.apiVersion };
  }

  return {
    async mutate(attributes) {
      const hooks = hooksOf(collections.mutating);
      const states: { entry: Hook; after: Obj }[] = [];
      let object: Obj = attributes.object;
      for (const entry of hooks) {
        object = await runMutating(entry, { ...attributes, object });
        states.push({ entry, after: object });
      }
      // One more call for those that asked for it, when a later webhook changed what they had seen.
      for (const { entry, after } of states) {
        if (entry.hook["reinvocationPolicy"] !== "IfNeeded" || equal(after, object)) continue;
        object = await runMutating(entry, { ...attributes, object });
      }
      return clone(object);
    },
    async validate(attributes) {
      const calls = hooksOf(collections.validating).map(async (entry) => {
        const info = matchedVersion(entry.hook, attributes);
        if (info !== undefined) await ask(entry, attributes, info);
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
