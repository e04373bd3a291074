import { randomUUID } from "node:crypto";
import { applyConfiguration, trackUpdate } from "./apply.ts";
import type { Core, WriteRequest } from "./core.ts";
import { kindSubject, nowText, present, randomSuffix, storedForm, subjectOf } from "./core.ts";
import { decode, defaultBySchema, newMetadata } from "./decode.ts";
import { defaultKind } from "./defaults.ts";
import type { Obj } from "./json.ts";
import { asObject, clone, equal } from "./json.ts";
import { applyPatch, patchTypes } from "./patch.ts";
import {
  finishWrite,
  labelJob,
  initialStatus,
  keepsGeneration,
  mergeForSubresource,
  nextGeneration,
} from "./prepare.ts";
import type { ResourceInfo } from "./registry.ts";
import { apiVersionOf } from "./registry.ts";
import { kindCauses, nameRule } from "./rules.ts";
import { alreadyExists, badRequest, conflict, forbidden, invalid, notFound, staleWrite } from "./status.ts";
import { withoutVersion } from "./store.ts";
import { validate, validateMeta } from "./validate.ts";

/** Where an object is: resource, namespace of namespaced ones, name. */
export interface Target {
  readonly info: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string;
}

function applyAllDefaults(info: ResourceInfo, object: Obj): void {
  defaultBySchema(info, object);
  if (info.custom === undefined) defaultKind(info.collection, object);
}

function checkValid(info: ResourceInfo, object: Obj, before: Obj | undefined, subresource?: string): void {
  const { metadata: _, ...rest } = object;
  const bySchema =
    info.custom === undefined ? [] : validate(rest, info.schema).filter((cause) => cause.field !== "metadata");
  const causes = [
    ...validateMeta(object.metadata, nameRule(info.collection)),
    ...bySchema,
    ...(info.custom === undefined ? kindCauses(info.collection, object, before, subresource) : []),
  ];
  if (causes.length > 0) throw invalid(kindSubject(info, object.metadata.name), causes);
}

/** A namespaced object needs its namespace, and one that is not going away. */
function checkNamespace(core: Core, { info, namespace, name }: Target): void {
  if (!info.namespaced || namespace === undefined) return;
  const found = core.store.get("/namespaces", undefined, namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces", name: namespace });
  if (found.metadata.deletionTimestamp === undefined) return;
  const message = `${info.resource}${info.group === "" ? "" : `.${info.group}`} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(message, {
    name,
    kind: info.resource,
    causes: [
      {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      },
    ],
  });
}

function placeIn(info: ResourceInfo, object: Obj, namespace: string | undefined): void {
  if (!info.namespaced) {
    delete object.metadata.namespace;
    return;
  }
  const named = object.metadata.namespace;
  if (named !== undefined && named !== "" && named !== namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (namespace !== undefined) object.metadata.namespace = namespace;
}

/** Creates an object of a request body. */
export async function createObject(
  core: Core,
  target: { readonly info: ResourceInfo; readonly namespace: string | undefined },
  body: unknown,
  request: WriteRequest,
): Promise<Obj> {
  const { info, namespace } = target;
  const object = decode(info, body, request);
  placeIn(info, object, namespace);
  const prefix = object.metadata.generateName;
  if (object.metadata.name === "" && prefix !== undefined && prefix !== "") {
    do object.metadata.name = `${prefix.slice(0, 58)}${randomSuffix()}`;
    while (core.store.get(info.collection, namespace, object.metadata.name) !== undefined);
  }
  return storeNew(core, { info, namespace, name: object.metadata.name }, { object, applied: false }, request);
}

async function storeNew(
  core: Core,
  target: Target,
  made: { readonly object: Obj; readonly applied: boolean },
  request: WriteRequest,
): Promise<Obj> {
  const { info, namespace, name } = target;
  checkNamespace(core, target);
  if (name !== "" && core.store.get(info.collection, namespace, name) !== undefined) {
    throw alreadyExists(subjectOf(info, name));
  }
  const { managedFields } = made.object.metadata;
  let object: Obj = made.object;
  object.metadata = newMetadata(object.metadata, {
    uid: randomUUID(),
    creationTimestamp: nowText(),
    ...(keepsGeneration(info) ? { generation: 1 } : {}),
  });
  if (!keepsGeneration(info)) delete object.metadata.generation;
  labelJob(info, object);
  applyAllDefaults(info, object);
  initialStatus(info, object);
  const attributes = { operation: "CREATE" as const, info, namespace, name, oldObject: undefined, request };
  object = await core.admission.mutate({ ...attributes, object });
  applyAllDefaults(info, object);
  if (made.applied && managedFields !== undefined) object.metadata.managedFields = managedFields;
  else trackUpdate(undefined, object, info.schema, writerOf(info, request));
  const { causes } = finishWrite(core, info, object, undefined);
  if (causes.length > 0) throw invalid(kindSubject(info, name), causes);
  checkValid(info, object, undefined);
  await core.admission.validate({ ...attributes, object });
  checkNamespace(core, target);
  if (core.store.get(info.collection, namespace, name) !== undefined) throw alreadyExists(subjectOf(info, name));
  if (info.collection === "/services") finishWrite(core, info, object, undefined);
  return request.dryRun ? object : present(info, core.store.put(info.collection, storedForm(info, object)));
}

function writerOf(info: ResourceInfo, request: WriteRequest): Parameters<typeof trackUpdate>[3] {
  return {
    manager: request.manager,
    apiVersion: apiVersionOf(info),
    subresource: request.subresource,
    time: nowText(),
  };
}

/** Replaces an object (PUT) or a subresource of it. With a resourceVersion in the body a newer state is a conflict. */
export async function replaceObject(core: Core, target: Target, body: unknown, request: WriteRequest): Promise<Obj> {
  const { info, namespace, name } = target;
  const object = decode(info, body, request);
  placeIn(info, object, namespace);
  if (object.metadata.name === "") object.metadata.name = name;
  if (object.metadata.name !== name) {
    throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
  }
  return change(core, target, request, () => ({ object: clone(object), applied: false }));
}

/** Patches an object; a server-side apply creates what is not there. */
export async function patchObject(
  core: Core,
  target: Target,
  patch: { readonly body: unknown; readonly type: string; readonly force: boolean },
  request: WriteRequest,
): Promise<Obj> {
  const { info, namespace, name } = target;
  if (patch.type === patchTypes.apply) return applyObject(core, target, patch, request);
  return change(core, target, request, (existing) => {
    const patched = applyPatch(existing, patch.body, patch.type, info.schema);
    const object = decode(info, patched, request);
    placeIn(info, object, namespace);
    if (object.metadata.name !== name) throw badRequest("the name of the object may not be changed by a patch");
    return { object, applied: false };
  });
}

async function applyObject(
  core: Core,
  target: Target,
  patch: { readonly body: unknown; readonly force: boolean },
  request: WriteRequest,
): Promise<Obj> {
  const { info, namespace, name } = target;
  if (request.manager === "")
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  const configuration = decode(info, patch.body, request);
  placeIn(info, configuration, namespace);
  if (configuration.metadata.name === "") configuration.metadata.name = name;
  if (configuration.metadata.name !== name)
    throw badRequest(
      `the name of the object (${configuration.metadata.name}) does not match the name on the URL (${name})`,
    );
  if (configuration.metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  const writer = { ...writerOf(info, request), force: patch.force };
  const merge = (live: Obj | undefined): Obj => clone(applyConfiguration(live, configuration, info.schema, writer));
  const existing = core.store.get(info.collection, namespace, name);
  if (existing === undefined) {
    if (request.subresource !== undefined) throw notFound(subjectOf(info, name));
    if (configuration.metadata.uid !== undefined)
      throw conflict(
        subjectOf(info, name),
        `uid mismatch: the provided object specified uid ${configuration.metadata.uid}, and no existing object was found`,
      );
    return storeNew(core, target, { object: merge(undefined), applied: true }, request);
  }
  return change(core, target, request, (live) => ({ object: merge(live), applied: true }));
}

const attempts = 8;

/** Runs a change against the newest state until no other write comes between. */
async function change(
  core: Core,
  target: Target,
  request: WriteRequest,
  make: (existing: Obj) => { object: Obj; applied: boolean },
): Promise<Obj> {
  const { info, namespace, name } = target;
  for (let attempt = 1; ; attempt++) {
    const stored = core.store.get(info.collection, namespace, name);
    if (stored === undefined) throw notFound(subjectOf(info, name));
    const existing = present(info, stored);
    const made = make(existing);
    checkPreconditions(info, made.object, existing);
    const pinned = !made.applied && made.object.metadata.resourceVersion !== undefined && attempt === 1;
    const result = await writeOver(core, target, { ...made, existing, stored }, request);
    if (result !== undefined) return result;
    const given = pinned && made.object.metadata.resourceVersion !== existing.metadata.resourceVersion;
    if (given || attempt === attempts) throw conflict(subjectOf(info, name), staleWrite);
  }
}

function checkPreconditions(info: ResourceInfo, object: Obj, existing: Obj): void {
  const { uid, resourceVersion } = object.metadata;
  const subject = subjectOf(info, existing.metadata.name);
  if (
    resourceVersion !== undefined &&
    resourceVersion !== "" &&
    resourceVersion !== existing.metadata.resourceVersion
  ) {
    throw conflict(subject, staleWrite);
  }
  if (uid !== undefined && uid !== "" && uid !== existing.metadata.uid) {
    throw conflict(
      subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${existing.metadata.uid}`,
    );
  }
}

/** One try: undefined when another write came between. */
async function writeOver(
  core: Core,
  target: Target,
  state: { readonly object: Obj; readonly applied: boolean; readonly existing: Obj; readonly stored: Obj },
  request: WriteRequest,
): Promise<Obj | undefined> {
  const { info, namespace, name } = target;
  const { existing, stored } = state;
  const { managedFields } = state.object.metadata;
  let object = mergeForSubresource(info, state.object, existing, request.subresource);
  applyAllDefaults(info, object);
  const attributes = { operation: "UPDATE" as const, info, namespace, name, oldObject: existing, request };
  object = await core.admission.mutate({ ...attributes, object });
  applyAllDefaults(info, object);
  object = mergeForSubresource(info, object, existing, request.subresource);
  const { causes } = finishWrite(core, info, object, existing);
  nextGeneration(info, object, existing);
  if (state.applied) object.metadata.managedFields = clone(managedFields ?? []);
  else trackUpdate(existing, object, info.schema, writerOf(info, request));
  if (causes.length > 0) throw invalid(kindSubject(info, name), causes);
  checkValid(info, object, existing, request.subresource);
  await core.admission.validate({ ...attributes, object });
  if (core.store.get(info.collection, namespace, name) !== stored) return undefined;
  if (request.dryRun) return object;
  if (isReleased(object)) {
    core.store.remove(info.collection, storedForm(info, object));
    return object;
  }
  const unchanged = equal(withoutVersion(object), withoutVersion(existing));
  const sameOwners = equal(object.metadata.managedFields, existing.metadata.managedFields);
  if (unchanged && (sameOwners || !state.applied)) return existing;
  return present(info, core.store.put(info.collection, storedForm(info, object)));
}

/** True when a deleted object waits for nothing any more: its last finalizer went with this write. */
function isReleased(object: Obj): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  const pending =
    object.kind === "Namespace" && object.apiVersion === "v1" ? asObject(object.spec)["finalizers"] : undefined;
  return !Array.isArray(pending) || pending.length === 0;
}
