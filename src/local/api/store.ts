import type { JsonObject, Obj } from "./json.ts";
import { freeze } from "./json.ts";
import { expired } from "./status.ts";

/** A change as it stands in the log; `previous` is what it replaced, so older states can be rebuilt. */
export interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Obj;
  readonly previous: Obj | undefined;
}

interface Collection {
  readonly objects: Map<string, Obj>;
  readonly log: Change[];
  /** Changes up to this version are no longer in the log. */
  compacted: number;
  readonly listeners: Set<(change: Change) => void>;
}

/** Changes kept per collection for watches that come back and lists that continue. */
const LOG_LENGTH = 2000;

/** The key of an object in its collection: sorting by it gives the order of lists. */
function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

/**
 * Objects in memory, one collection per stored resource, and one counter of versions over all. Objects are frozen.
 * Versions start at the time of day in milliseconds: a client that comes back to a later endpoint is told 410, never
 * served from a foreign history.
 */
export class Store {
  private readonly collections = new Map<string, Collection>();
  private counter = Date.now();

  /** The version of the newest change. */
  get version(): number {
    return this.counter;
  }

  private collection(name: string): Collection {
    let found = this.collections.get(name);
    if (found === undefined) {
      found = { objects: new Map(), log: [], compacted: this.counter, listeners: new Set() };
      this.collections.set(name, found);
    }
    return found;
  }

  get(collection: string, namespace: string | undefined, name: string): Obj | undefined {
    return this.collection(collection).objects.get(keyOf(namespace, name));
  }

  /** All objects (of a namespace), sorted by namespace and name. */
  list(collection: string, namespace?: string): Obj[] {
    return inOrder(this.collection(collection).objects, namespace);
  }

  /** The objects as they were at a version. Throws 410 when the log does not reach back so far. */
  listAt(collection: string, namespace: string | undefined, version: number): Obj[] {
    const { objects, log, compacted } = this.collection(collection);
    if (version >= this.counter) return this.list(collection, namespace);
    if (version < compacted) throw expired(`The provided continue parameter is too old: resource version ${version}`);
    const state = new Map(objects);
    for (let index = log.length - 1; index >= 0; index--) {
      const change = log[index];
      if (change === undefined || change.version <= version) break;
      const key = keyOf(change.object.metadata.namespace, change.object.metadata.name);
      if (change.previous === undefined) state.delete(key);
      else state.set(key, change.previous);
    }
    return inOrder(state, namespace);
  }

  /** Stores an object under a new resourceVersion and tells the watchers. Takes over the value and freezes it. */
  put(collection: string, object: Obj): Obj {
    const target = this.collection(collection);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const previous = target.objects.get(key);
    object.metadata.resourceVersion = String(++this.counter);
    const stored = freeze(object);
    target.objects.set(key, stored);
    this.publish(target, { version: this.counter, type: previous ? "MODIFIED" : "ADDED", object: stored, previous });
    return stored;
  }

  /** Takes an object out; the DELETED event carries its last state with a new resourceVersion. */
  remove(collection: string, object: Obj): Obj {
    const target = this.collection(collection);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const previous = target.objects.get(key);
    const version = ++this.counter;
    const last = freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    target.objects.delete(key);
    this.publish(target, { version, type: "DELETED", object: last, previous });
    return last;
  }

  private publish(target: Collection, change: Change): void {
    target.log.push(change);
    if (target.log.length > LOG_LENGTH * 2) {
      const dropped = target.log.splice(0, target.log.length - LOG_LENGTH);
      target.compacted = dropped.at(-1)?.version ?? target.compacted;
    }
    for (const listener of target.listeners) listener(change);
  }

  /** Changes after `since`; throws 410 when some of them are no longer known. */
  changesSince(collection: string, since: number): readonly Change[] {
    const { log, compacted } = this.collection(collection);
    if (since < compacted) throw expired(`too old resource version: ${since} (${compacted})`);
    return log.filter((change) => change.version > since);
  }

  /** Calls `listener` for each later change, in order, until the returned function is called. */
  listen(collection: string, listener: (change: Change) => void): () => void {
    const { listeners } = this.collection(collection);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }
}

function inOrder(objects: ReadonlyMap<string, Obj>, namespace: string | undefined): Obj[] {
  const prefix = namespace === undefined ? "" : `${namespace}/`;
  const entries = [...objects].filter(([key]) => key.startsWith(prefix));
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return entries.map(([, object]) => object);
}

/** The list key of an object, for continue tokens. */
export function listKey(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return keyOf(object.metadata.namespace, object.metadata.name);
}

/** Fields that hold no meaning of their own when two states are compared. */
export function withoutVersion(object: Obj): JsonObject {
  const { resourceVersion: _version, managedFields: _fields, ...metadata } = object.metadata;
  return { ...object, metadata };
}
