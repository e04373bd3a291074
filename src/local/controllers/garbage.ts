import type { KubeObject, OwnerReference } from "../../resources/object.ts";
import type { ResourceId } from "../api/types.ts";
import { ids } from "../ids.ts";
import { type CollectionInfo, allCollections, builtinCollections, crdCollection } from "./collections.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { createQueue, statusCode } from "./queue.ts";

/**
 * Deletes objects whose owners are gone, and carries out the deletions that wait for their dependents (finalizers
 * `foregroundDeletion` and `orphan`). Watches every collection, so that nothing stays behind unseen.
 */
export const garbageController: Controller = {
  name: "garbage",
  summary: "Deletes objects whose owners are gone",
  start(context) {
    const known = new Map<string, Entry>();
    const dependents = new Map<string, Set<string>>();
    const state: State = { known, dependents };
    const add = createQueue({
      work: async (key) => {
        await collect(key, state, context);
        return undefined;
      },
      onError: (key, error) => {
        context.log.debug({ controller: "garbage", key, error }, "will try again");
      },
      signal: context.signal,
    });
    const watching = new Set<string>();
    const watch = (id: CollectionInfo): void => {
      const name = `${id.group}/${id.resource}`;
      if (watching.has(name) || id.resource === "events") return;
      watching.add(name);
      context.cache.subscribe(id, ({ type, object }) => {
        const key = `${name}|${object.metadata.namespace ?? ""}|${object.metadata.name}`;
        track(state, key, { id, object }, type === "DELETED");
        if (type !== "DELETED") add(key);
        for (const related of relatedKeys(state, object)) add(related);
      });
    };
    for (const id of builtinCollections()) watch(id);
    context.cache.subscribe(ids.crds, ({ object }) => {
      const id = crdCollection(object);
      if (id !== undefined) watch(id);
    });
  },
};

interface Entry {
  readonly id: CollectionInfo;
  readonly object: KubeObject;
}

interface State {
  /** Objects by collection, namespace and name. */
  readonly known: Map<string, Entry>;
  /** Keys of the objects that name an owner, by the owner's uid. */
  readonly dependents: Map<string, Set<string>>;
}

function track({ known, dependents }: State, key: string, entry: Entry, gone: boolean): void {
  for (const owner of known.get(key)?.object.metadata.ownerReferences ?? []) dependents.get(owner.uid)?.delete(key);
  if (gone) {
    known.delete(key);
    return;
  }
  known.set(key, entry);
  for (const owner of entry.object.metadata.ownerReferences ?? []) {
    const keys = dependents.get(owner.uid) ?? new Set();
    dependents.set(owner.uid, keys.add(key));
  }
}

/** What may have to move when this object changed: its dependents, and owners that wait for it to go. */
function relatedKeys({ known, dependents }: State, object: KubeObject): readonly string[] {
  const own = [...(dependents.get(object.metadata.uid ?? "") ?? [])];
  const owners = new Set(object.metadata.ownerReferences?.map((owner) => owner.uid));
  if (owners.size === 0) return own;
  const waiting = [...known].filter(
    ([, entry]) => isWaiting(entry.object) && owners.has(entry.object.metadata.uid ?? ""),
  );
  return [...own, ...waiting.map(([key]) => key)];
}

function isWaiting(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined && finalizersOf(object).length > 0;
}

function finalizersOf(object: KubeObject): readonly string[] {
  return (object.metadata["finalizers"] as readonly string[] | undefined) ?? [];
}

async function collect(key: string, state: State, context: ControllerContext): Promise<void> {
  const entry = state.known.get(key);
  if (entry === undefined) return;
  const { id, object } = entry;
  if (object.metadata.deletionTimestamp !== undefined) return finish(entry, state, context);
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0) return;
  const states = await Promise.all(owners.map((owner) => ownerState(object, owner, context)));
  if (states.includes("there") || states.includes("unknown")) return;
  // All owners are gone or wait for this one.
  const propagationPolicy = states.includes("waits") ? "Foreground" : "Background";
  await context.client.delete(id, object.metadata.namespace, object.metadata.name, { propagationPolicy }).catch(gone);
}

async function ownerState(
  object: KubeObject,
  owner: OwnerReference,
  context: ControllerContext,
): Promise<"there" | "waits" | "gone" | "unknown"> {
  const id = collectionOf(owner, context);
  if (id === undefined) return "unknown";
  const namespace = id.namespaced ? object.metadata.namespace : undefined;
  const found = await context.client.get(id, namespace, owner.name);
  if (found?.metadata.uid !== owner.uid) return "gone";
  return isWaiting(found) && finalizersOf(found).includes("foregroundDeletion") ? "waits" : "there";
}

function collectionOf(owner: OwnerReference, context: ControllerContext): CollectionInfo | undefined {
  const group = owner.apiVersion.includes("/") ? owner.apiVersion.slice(0, owner.apiVersion.indexOf("/")) : "";
  return allCollections(context.cache).find((info) => info.group === group && info.kind === owner.kind);
}

/** Foreground: wait for the dependents, then let it go. Orphan: take its name off them, then let it go. */
async function finish({ id, object }: Entry, state: State, context: ControllerContext): Promise<void> {
  const finalizers = finalizersOf(object);
  const uid = object.metadata.uid ?? "";
  const entries = [...(state.dependents.get(uid) ?? [])].flatMap((key) => state.known.get(key) ?? []);
  if (finalizers.includes("orphan")) {
    for (const dependent of entries) await release(dependent, uid, context);
    await removeFinalizer(id, object, { finalizer: "orphan", context });
  } else if (finalizers.includes("foregroundDeletion")) {
    const left = entries.filter((dependent) => ownerBlocks(dependent.object, uid));
    for (const { id: collection, object: dependent } of left) {
      if (dependent.metadata.deletionTimestamp !== undefined) continue;
      const { namespace, name } = dependent.metadata;
      await context.client.delete(collection, namespace, name, { propagationPolicy: "Foreground" }).catch(gone);
    }
    if (left.length === 0) await removeFinalizer(id, object, { finalizer: "foregroundDeletion", context });
  }
}

function ownerBlocks(object: KubeObject, uid: string): boolean {
  return object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
}

async function release({ id, object }: Entry, uid: string, context: ControllerContext): Promise<void> {
  const ownerReferences = object.metadata.ownerReferences?.filter((owner) => owner.uid !== uid) ?? [];
  const { namespace, name } = object.metadata;
  await context.client.mergePatch(id, namespace, name, { metadata: { ownerReferences } }).catch(gone);
}

async function removeFinalizer(
  id: ResourceId,
  object: KubeObject,
  { finalizer, context }: { finalizer: string; context: ControllerContext },
): Promise<void> {
  const { namespace, name } = object.metadata;
  const finalizers = finalizersOf(object).filter((entry) => entry !== finalizer);
  await context.client.mergePatch(id, namespace, name, { metadata: { finalizers } }).catch(gone);
}

function gone(error: unknown): void {
  if (statusCode(error) !== 404) throw error;
}
