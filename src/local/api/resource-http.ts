import { type Call, writeRequestOf } from "./call.ts";
import { subjectOf } from "./core.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asObject, isObject } from "./json.ts";
import { patchTypes } from "./patch.ts";
import type { ListResult } from "./read.ts";
import { getObject, listBody, listObjects } from "./read.ts";
import type { ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import { deleteOptions, removeMany, removeObject } from "./remove.ts";
import { answerReview } from "./reviews.ts";
import { badRequest, methodNotAllowed, noSuchPath, StatusError, unsupportedMediaType } from "./status.ts";
import { handleSubresource, isOwnSubresource } from "./subresources.ts";
import { tableBookmark, tableOf } from "./table.ts";
import { partialObject, serveWatch, watchParameters } from "./watch-http.ts";
import { type Format, mediaType, negotiate, readBody, sendJson } from "./wire.ts";
import { createObject, patchObject, replaceObject, type Target } from "./write.ts";

function notAllowed(): StatusError {
  return methodNotAllowed("the server does not allow this method on the requested resource");
}

/** The object in the form that was asked for. */
function rendered(call: Call, format: Format, object: Obj): unknown {
  if (format === "partial") return partialObject(object);
  if (format === "table") {
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    return tableOf(call.info, [object], {
      metadata,
      include: call.query.get("includeObject") ?? undefined,
      withColumns: true,
    });
  }
  return object;
}

function sendList(call: Call, format: Format, result: ListResult): void {
  const body = listBody(call.info, apiVersionOf(call.info), result);
  if (format === "partial") {
    sendJson(call.response, 200, {
      kind: "PartialObjectMetadataList",
      apiVersion: "meta.k8s.io/v1",
      metadata: body["metadata"],
      items: result.items.map(partialObject),
    });
    return;
  }
  if (format === "table") {
    const include = call.query.get("includeObject") ?? undefined;
    sendJson(
      call.response,
      200,
      tableOf(call.info, result.items, { metadata: asObject(body["metadata"]), include, withColumns: true }),
    );
    return;
  }
  sendJson(call.response, 200, body);
}

function watch(call: Call, format: Format): void {
  const { deps, info, query } = call;
  let first = true;
  const render = (object: Obj): unknown => {
    if (format === "partial") return partialObject(object);
    if (format !== "table") return object;
    if (object.metadata.name === undefined) return tableBookmark(object);
    const options = {
      metadata: { resourceVersion: object.metadata.resourceVersion },
      include: query.get("includeObject") ?? undefined,
      withColumns: first,
    };
    first = false;
    return tableOf(info, [object], options);
  };
  const parameters = watchParameters(query);
  serveWatch(deps.core, info, { ...parameters, namespace: call.namespace, render }, call.response);
}

function handleGet(call: Call): void {
  const { deps, info, query, namespace, name } = call;
  const format = negotiate(call.message);
  if (name === undefined && ["true", "1"].includes(query.get("watch") ?? "")) {
    watch(call, format);
    return;
  }
  if (name !== undefined) {
    sendJson(call.response, 200, rendered(call, format, getObject(deps.core, { info, namespace, name })));
    return;
  }
  const limit = query.get("limit");
  const request = {
    namespace,
    labelSelector: query.get("labelSelector") ?? undefined,
    fieldSelector: query.get("fieldSelector") ?? undefined,
    limit: limit === null ? undefined : wholeNumber(limit),
    continue: query.get("continue") ?? undefined,
    resourceVersion: query.get("resourceVersion") ?? undefined,
    resourceVersionMatch: query.get("resourceVersionMatch") ?? undefined,
  };
  sendList(call, format, listObjects(deps.core, info, request));
}

function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

async function handlePost(call: Call): Promise<void> {
  const { deps, info, namespace } = call;
  const request = writeRequestOf(call);
  const format = negotiate(call.message);
  const body = await readBody(call.message);
  if (body === undefined) throw badRequest("the body of the request was empty");
  const object = await createObject(deps.core, { info, namespace }, body, request);
  sendJson(call.response, 201, rendered(call, format, object), request.warnings);
}

async function handlePut(call: Call, target: Target): Promise<void> {
  const request = writeRequestOf(call);
  const format = negotiate(call.message);
  const object = await replaceObject(call.deps.core, target, await readBody(call.message), request);
  sendJson(call.response, 200, rendered(call, format, object), request.warnings);
}

async function handlePatch(call: Call, target: Target): Promise<void> {
  const { deps, info, query } = call;
  const type = mediaType(call.message);
  const known: readonly string[] = Object.values(patchTypes);
  if (!known.includes(type) || (type === patchTypes.strategic && info.custom !== undefined)) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${known.filter((item) => info.custom === undefined || item !== patchTypes.strategic).join(", ")}`,
    );
  }
  const request = writeRequestOf(call);
  const format = negotiate(call.message);
  const force = query.get("force") === "true";
  if (force && type !== patchTypes.apply)
    throw new StatusError(
      422,
      "Invalid",
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      {},
    );
  const existed = deps.core.store.get(info.collection, target.namespace, target.name) !== undefined;
  const body = await readBody(call.message);
  const object = await patchObject(deps.core, target, { body, type, force }, request);
  sendJson(call.response, existed ? 200 : 201, rendered(call, format, object), request.warnings);
}

async function handleDelete(call: Call): Promise<void> {
  const { deps, info, namespace, name, query } = call;
  const body = await readBody(call.message);
  if (body !== undefined && !isObject(body)) throw badRequest("DeleteOptions must be an object");
  const options = deleteOptions(body, query);
  const dryRun = isObject(body) && Array.isArray(body["dryRun"]) && body["dryRun"].includes("All");
  const asked = writeRequestOf(call);
  const request = { ...asked, dryRun: asked.dryRun || dryRun };
  if (name === undefined) {
    const filter = {
      namespace,
      labelSelector: query.get("labelSelector") ?? undefined,
      fieldSelector: query.get("fieldSelector") ?? undefined,
    };
    const result = listObjects(deps.core, info, filter);
    const removed = await removeMany(deps.core, info, result.items, { options, request });
    sendJson(call.response, 200, listBody(info, apiVersionOf(info), { ...result, items: removed }));
    return;
  }
  const { gone, object } = await removeObject(deps.core, { info, namespace, name }, options, request);
  sendJson(call.response, gone ? 200 : 202, gone ? deletedStatus(info, object) : object, request.warnings);
}

function deletedStatus(info: ResourceInfo, object: Obj): JsonObject {
  const { group, resource, name } = subjectOf(info, object.metadata.name);
  const details = { name, ...(group === "" ? {} : { group }), kind: resource, uid: object.metadata.uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

/** Kinds that are only ever created, as a question, and answered. */
async function handleReview(call: Call): Promise<void> {
  const body = await readBody(call.message);
  if (!isObject(body)) throw badRequest("the body of the request is not an object");
  const asker = { user: call.user, namespace: call.namespace };
  const answer = await answerReview(call.info.kind, body, asker, call.deps);
  const typed = { kind: call.info.kind, apiVersion: apiVersionOf(call.info), metadata: {}, ...answer };
  sendJson(call.response, 201, typed);
}

const reviewGroups = ["authentication.k8s.io", "authorization.k8s.io"];

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Refuses methods that the resource, or this path of it, does not have. */
function checkMethod({ info, namespace, name, subresource }: Call, method: string): void {
  const verb = verbs[method];
  if (verb === undefined || !info.verbs.includes(verb)) throw notAllowed();
  if (subresource !== undefined && (verb === "create" || verb === "delete")) throw notAllowed();
  const everywhere = info.namespaced && namespace === undefined;
  if (everywhere && (method !== "GET" || name !== undefined)) throw notAllowed();
  if (["POST", "PUT", "PATCH"].includes(method) && (method === "POST") !== (name === undefined)) throw notAllowed();
}

async function handleWrite(call: Call, method: string): Promise<void> {
  const { info, namespace, name } = call;
  if (method === "DELETE") await handleDelete(call);
  else if (name === undefined) await handlePost(call);
  else if (method === "PUT") await handlePut(call, { info, namespace, name });
  else await handlePatch(call, { info, namespace, name });
}

/** Carries out a request that is authenticated and allowed. */
export async function handleResource(call: Call): Promise<void> {
  const { info, name, subresource, message } = call;
  const method = message.method === "HEAD" ? "GET" : (message.method ?? "GET");
  if (subresource !== undefined && (name === undefined || !info.subresources.has(subresource))) throw noSuchPath();
  if (subresource !== undefined && isOwnSubresource(subresource)) {
    await handleSubresource(call, subresource, method);
    return;
  }
  if (reviewGroups.includes(info.group) && method === "POST" && name === undefined) {
    await handleReview(call);
    return;
  }
  checkMethod(call, method);
  if (method === "GET") handleGet(call);
  else await handleWrite(call, method);
}
