import { createDerivations, type Derivations, type Mark } from "../base/derive.ts";
import { sameContent } from "../base/equal.ts";
import { type KindName, type KindTypes, kindOf } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { IndexKinds, IndexName, World, WorldChange } from "./world.ts";
import { INDEX_NAMES, INDEXES } from "./world-indexes.ts";

export { hostKeys } from "./world-indexes.ts";

/** A World that changes: what a watch or a set of files feeds. */
export interface WorldStore extends World {
  /** The derivations its buckets belong to; whatever is derived from this World is made with them. */
  readonly derivations: Derivations;
  /**
   * All changes as one: readers run once. Kinds not in the table are passed over. An object whose content is the same as
   * before, apart from what only the API server reads (resourceVersion, managedFields), marks nothing.
   */
  apply(changes: readonly WorldChange[]): void;
}

type Bucket = Map<string, KubeObject>;

/** An empty World. Buckets (kind; kind and namespace; object; index key) are tracked apart from each other. */
export function createWorldStore(derivations: Derivations = createDerivations()): WorldStore {
  const objects = createObjects(derivations);
  const indexes = createIndexes(derivations);
  const put = (
    kind: KindName,
    object: KubeObject | undefined,
    { namespace = "", name }: KubeObject["metadata"],
  ): void => {
    const before = objects.peek(kind, namespace, name);
    if (before === object) return;
    if (before !== undefined && object !== undefined && sameForMesh(before, object)) {
      objects.refresh(kind, object);
      return;
    }
    objects.put(kind, namespace, name, object);
    indexes.put(kind, before, object);
  };
  return {
    derivations,
    get: <K extends KindName>(kind: K, namespace: string, name: string) =>
      objects.one(kind, namespace, name) as KindTypes[K] | undefined,
    list: <K extends KindName>(kind: K, namespace?: string) => objects.list(kind, namespace) as readonly KindTypes[K][],
    by: <I extends IndexName>(index: I, key: string) =>
      indexes.at(index, key) as readonly KubeObject[] as readonly KindTypes[IndexKinds[I]][],
    apply: (changes) =>
      derivations.batch(() => {
        for (const { type, object } of changes) {
          const kind = kindOf(object);
          if (kind !== undefined) put(kind, type === "set" ? object : undefined, object.metadata);
        }
      }),
  };
}

interface Objects {
  /** Untracked. */
  peek(kind: KindName, namespace: string, name: string): KubeObject | undefined;
  one(kind: KindName, namespace: string, name: string): KubeObject | undefined;
  list(kind: KindName, namespace: string | undefined): readonly KubeObject[];
  put(kind: KindName, namespace: string, name: string, object: KubeObject | undefined): void;
  /** Puts an object in the place of one with the same content, unmarked: who writes it names its newest version. */
  refresh(kind: KindName, object: KubeObject): void;
}

function createObjects(derivations: Derivations): Objects {
  const kinds = new Map<KindName, Map<string, Bucket>>();
  const bucket = (kind: KindName, namespace: string): Bucket | undefined => kinds.get(kind)?.get(namespace);
  const peek = (kind: KindName, namespace: string, name: string): KubeObject | undefined =>
    bucket(kind, namespace)?.get(name);
  /** Of objects that stand and were read. What is read and does not stand is a derivation, which goes with its reader. */
  const marks = new Map<string, Mark>();
  const markId = (kind: KindName, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
  let runs = 0;
  // A new number each time: an equal answer would stop the marking.
  const missing = derivations.external("missing", (_kind: KindName, _namespace: string, _name: string) => ++runs);
  const some = derivations.external("objects", (kind: KindName, namespace: string) => sorted(bucket(kind, namespace)));
  const all = derivations.external("all objects", (kind: KindName) =>
    [...(kinds.get(kind)?.keys() ?? [])].toSorted(byText).flatMap((namespace) => some(kind, namespace)),
  );
  return {
    peek,
    one(kind, namespace, name) {
      const object = peek(kind, namespace, name);
      if (object === undefined) {
        missing(kind, namespace, name);
        return undefined;
      }
      const id = markId(kind, namespace, name);
      const mark = marks.get(id) ?? derivations.mark();
      marks.set(id, mark);
      mark.touch();
      return object;
    },
    list: (kind, namespace) => (namespace === undefined ? all(kind) : some(kind, namespace)),
    refresh(kind, object) {
      const { namespace = "", name } = object.metadata;
      bucket(kind, namespace)?.set(name, object);
    },
    put(kind, namespace, name, object) {
      const namespaces = kinds.get(kind) ?? new Map<string, Bucket>();
      kinds.set(kind, namespaces);
      place(namespaces, namespace, name, object);
      const id = markId(kind, namespace, name);
      marks.get(id)?.changed();
      // Who still wants it will read it as missing.
      if (object === undefined) marks.delete(id);
      missing.changed(kind, namespace, name);
      some.changed(kind, namespace);
      all.changed(kind);
    },
  };
}

interface Indexes {
  at(index: IndexName, key: string): readonly KubeObject[];
  put(kind: KindName, before: KubeObject | undefined, after: KubeObject | undefined): void;
}

function createIndexes(derivations: Derivations): Indexes {
  const indexes = new Map(INDEX_NAMES.map((name) => [name, new Map<string, Bucket>()]));
  const at = derivations.external("index", (index: IndexName, key: string) => sorted(indexes.get(index)?.get(key)));
  const id = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;
  const reindex = (index: IndexName, before: KubeObject | undefined, after: KubeObject | undefined): void => {
    const places = indexes.get(index) ?? new Map<string, Bucket>();
    const old = before === undefined ? [] : INDEXES[index].keys(before);
    const now = after === undefined ? [] : INDEXES[index].keys(after);
    if (before !== undefined) for (const key of old) place(places, key, id(before), undefined);
    if (after !== undefined) for (const key of now) place(places, key, id(after), after);
    for (const key of new Set([...old, ...now])) at.changed(index, key);
  };
  return {
    at,
    put(kind, before, after) {
      for (const index of INDEX_NAMES) if (INDEXES[index].kind === kind) reindex(index, before, after);
    },
  };
}

/** A World of these objects, for files and tests. Of two with one name the later wins. */
export function worldOf(objects: readonly KubeObject[]): WorldStore {
  const store = createWorldStore();
  store.apply(objects.map((object) => ({ type: "set", object })));
  return store;
}

/** Puts an object into a bucket or, when undefined, takes it out; empty buckets go. */
function place(places: Map<string, Bucket>, key: string, id: string, object: KubeObject | undefined): void {
  const bucket = places.get(key) ?? new Map<string, KubeObject>();
  if (object === undefined) bucket.delete(id);
  else bucket.set(id, object);
  if (bucket.size === 0) places.delete(key);
  else places.set(key, bucket);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sorted(bucket: Bucket | undefined): readonly KubeObject[] {
  if (bucket === undefined) return [];
  return [...bucket].toSorted(([a], [b]) => byText(a, b)).map(([, object]) => object);
}

function sameForMesh(a: KubeObject, b: KubeObject): boolean {
  return sameContent(forMesh(a), forMesh(b));
}

function forMesh(object: KubeObject): unknown {
  return { ...object, metadata: { ...object.metadata, resourceVersion: undefined, managedFields: undefined } };
}
