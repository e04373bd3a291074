import { compact } from "../../base/compact.ts";
import type { Core, WriteRequest } from "./core.ts";
import { present, storedForm, subjectOf } from "./core.ts";
import { crdCollection, crdFinalizer } from "./crd.ts";
import type { JsonObject, Obj } from "./json.ts";
import { asArray, asObject, asString, at, clone } from "./json.ts";
import type { ResourceInfo } from "./registry.ts";
import { badRequest, conflict, notFound } from "./status.ts";
import type { Target } from "./write.ts";

/** DeleteOptions, from the body or the query. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

/** What a deletion came to: gone, or still there and waiting for finalizers or the node. */
export interface Removal {
  readonly gone: boolean;
  readonly object: Obj;
}

function checkPreconditions(target: Target, existing: Obj, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const subject = subjectOf(target.info, target.name);
  const mismatch = (what: string, given: string, found: string | undefined): Error =>
    conflict(
      { ...subject, resource: target.info.kind },
      `the ${what} in the precondition (${given}) does not match the ${what} in record (${found}). The object might have been ${what === "UID" ? "deleted and then recreated" : "modified"}`,
    );
  if (uid !== undefined && uid !== existing.metadata.uid) throw mismatch("UID", uid, existing.metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== existing.metadata.resourceVersion) {
    throw mismatch("ResourceVersion", resourceVersion, existing.metadata.resourceVersion);
  }
}

/** Finalizers after the propagation policy: Foreground and Orphan leave work for garbage collection. */
function finalizersFor(existing: Obj, options: DeleteOptions): string[] {
  const kept = (existing.metadata.finalizers ?? []).filter(
    (name) => name !== "orphan" && name !== "foregroundDeletion",
  );
  switch (options.propagationPolicy) {
    case undefined:
      return [...(existing.metadata.finalizers ?? [])];
    case "Foreground":
      return [...kept, "foregroundDeletion"];
    case "Orphan":
      return [...kept, "orphan"];
    case "Background":
      return kept;
    default:
      throw badRequest(
        `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "${options.propagationPolicy}"`,
      );
  }
}

/** Seconds a pod is given to end: none when no node runs it or it has ended. */
function graceOf(info: ResourceInfo, existing: Obj, options: DeleteOptions): number {
  if (info.collection !== "/pods") return 0;
  const phase = at(existing, "status", "phase");
  const nodeName = asString(at(existing, "spec", "nodeName"));
  if (nodeName === "" || phase === "Succeeded" || phase === "Failed") return 0;
  const grace = options.gracePeriodSeconds ?? Number(at(existing, "spec", "terminationGracePeriodSeconds") ?? 30);
  return Math.max(0, grace);
}

function pendingSpecFinalizers(info: ResourceInfo, existing: Obj): boolean {
  return info.collection === "/namespaces" && asArray(asObject(existing.spec)["finalizers"]).length > 0;
}

/** Deletes an object, or marks it deleted when finalizers, a namespace's content or a node's running pod stand in between. */
export async function removeObject(
  core: Core,
  target: Target,
  options: DeleteOptions,
  request: WriteRequest,
): Promise<Removal> {
  const { info, namespace, name } = target;
  const stored = core.store.get(info.collection, namespace, name);
  if (stored === undefined) throw notFound(subjectOf(info, name));
  checkPreconditions(target, stored, options);
  const oldObject = present(info, stored);
  await core.admission.validate({ operation: "DELETE", info, namespace, name, object: undefined, oldObject, request });
  const existing = core.store.get(info.collection, namespace, name);
  if (existing === undefined) throw notFound(subjectOf(info, name));
  checkPreconditions(target, existing, options);
  const marked = markDeleted(info, existing, options);
  const { finalizers = [], deletionGracePeriodSeconds = 0 } = marked.metadata;
  const waits = finalizers.length > 0 || deletionGracePeriodSeconds > 0 || pendingSpecFinalizers(info, existing);
  if (request.dryRun) return { gone: !waits, object: present(info, marked) };
  if (waits) {
    const same = JSON.stringify(existing) === JSON.stringify(marked);
    const object = same ? existing : core.store.put(info.collection, storedForm(info, marked));
    return { gone: false, object: present(info, object) };
  }
  return { gone: true, object: present(info, core.store.remove(info.collection, existing)) };
}

function markDeleted(info: ResourceInfo, existing: Obj, options: DeleteOptions): Obj {
  const marked = clone(existing);
  const grace = graceOf(info, existing, options);
  const finalizers = finalizersFor(existing, options);
  if (info.collection === crdCollection && !finalizers.includes(crdFinalizer)) finalizers.push(crdFinalizer);
  if (finalizers.length === 0) delete marked.metadata.finalizers;
  else marked.metadata.finalizers = finalizers;
  const before = existing.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY;
  if (existing.metadata.deletionTimestamp === undefined || grace < before) {
    const end = new Date(Date.now() + grace * 1000).toISOString();
    marked.metadata.deletionTimestamp = `${end.slice(0, 19)}Z`;
    marked.metadata.deletionGracePeriodSeconds = grace;
    if (marked.metadata.generation !== undefined && info.collection !== "/pods") marked.metadata.generation++;
  }
  if (info.collection === "/namespaces") marked.status = { ...marked.status, phase: "Terminating" };
  return marked;
}

/** Deletes all objects that match; those that vanish meanwhile are skipped. */
export async function removeMany(
  core: Core,
  info: ResourceInfo,
  objects: readonly Obj[],
  context: { readonly options: DeleteOptions; readonly request: WriteRequest },
): Promise<Obj[]> {
  const removed: Obj[] = [];
  for (const object of objects) {
    const target = { info, namespace: object.metadata.namespace, name: object.metadata.name };
    if (core.store.get(info.collection, target.namespace, target.name) === undefined) continue;
    removed.push((await removeObject(core, target, context.options, context.request)).object);
  }
  return removed;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function policyOf(given: JsonObject, query: URLSearchParams): string | undefined {
  const orphan = given["orphanDependents"] ?? query.get("orphanDependents");
  const legacy = orphan === true || orphan === "true" ? "Orphan" : undefined;
  return textOf(given["propagationPolicy"]) ?? textOf(query.get("propagationPolicy")) ?? legacy;
}

/** Reads DeleteOptions of a body (may be absent) and of query parameters. Throws 400. */
export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const given: JsonObject = asObject(body);
  const grace = given["gracePeriodSeconds"] ?? query.get("gracePeriodSeconds") ?? undefined;
  const seconds = grace === undefined ? undefined : Number(grace);
  if (seconds !== undefined && !Number.isInteger(seconds)) {
    throw badRequest("gracePeriodSeconds must be a whole number");
  }
  const { uid, resourceVersion } = asObject(given["preconditions"]);
  const preconditions = compact({ uid: textOf(uid), resourceVersion: textOf(resourceVersion) });
  return { gracePeriodSeconds: seconds, propagationPolicy: policyOf(given, query), preconditions };
}
