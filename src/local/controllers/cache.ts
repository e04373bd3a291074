import { setMaxListeners } from "node:events";
import type { KubeObject } from "../../resources/object.ts";
import type { LocalClient, ResourceId } from "../api/types.ts";

/** What happened to one object; `previous` is what the cache held before. */
export interface CacheChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

/** Objects as the endpoint last reported them; one watch per collection however many readers there are. */
export interface Cache {
  get<T extends KubeObject = KubeObject>(id: ResourceId, namespace: string | undefined, name: string): T | undefined;
  list<T extends KubeObject = KubeObject>(id: ResourceId, namespace?: string): readonly T[];
  /** Existing objects as ADDED first, then every change. */
  subscribe(id: ResourceId, onChange: (change: CacheChange) => void): void;
}

interface Collection {
  readonly objects: Map<string, KubeObject>;
  readonly subscribers: ((change: CacheChange) => void)[];
}

/** A cache whose watches end when `signal` aborts. */
export function createCache(client: Pick<LocalClient, "watch">, signal: AbortSignal): Cache {
  setMaxListeners(0, signal); // one per collection
  const collections = new Map<string, Collection>();
  const open = (id: ResourceId): Collection => {
    const name = `${id.group}/${id.resource}`;
    const known = collections.get(name);
    if (known !== undefined) return known;
    const collection: Collection = { objects: new Map(), subscribers: [] };
    collections.set(name, collection);
    client.watch(
      id,
      {},
      (event) => {
        if (event.type !== "BOOKMARK") accept(collection, event.type, event.object);
      },
      signal,
    );
    return collection;
  };
  return {
    get: <T extends KubeObject>(id: ResourceId, namespace: string | undefined, name: string) =>
      open(id).objects.get(`${namespace ?? ""}/${name}`) as T | undefined,
    list: <T extends KubeObject>(id: ResourceId, namespace?: string) => {
      const all = [...open(id).objects.values()] as T[];
      return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
    },
    subscribe(id, onChange) {
      const collection = open(id);
      for (const object of collection.objects.values()) onChange({ type: "ADDED", object, previous: undefined });
      collection.subscribers.push(onChange);
    },
  };
}

function accept(collection: Collection, type: CacheChange["type"], object: KubeObject): void {
  const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  const previous = collection.objects.get(key);
  if (type === "DELETED") collection.objects.delete(key);
  else collection.objects.set(key, object);
  for (const subscriber of collection.subscribers) subscriber({ type, object, previous });
}
