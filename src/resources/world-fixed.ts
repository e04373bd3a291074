import type { Derivations } from "../base/derive.ts";
import { createMemo } from "../base/memo.ts";
import { type KindName, type KindTypes, kindOf } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { IndexKinds, IndexName, World } from "./world.ts";
import { INDEXES } from "./world-indexes.ts";

/** A World that never changes, for commands that run once: no read is tracked, lists and indexes are made when first asked for. */
export interface FixedWorld extends World {
  /** Answers are worked out once and kept. */
  readonly derivations: Derivations;
}

type Names = Map<string, KubeObject>;

/** The World of these objects; of two with one name the later counts. Kinds not in the table are passed over. */
export function createFixedWorld(objects: readonly KubeObject[]): FixedWorld {
  const kinds = new Map<KindName, Map<string, Names>>();
  for (const object of objects) {
    const kind = kindOf(object);
    if (kind === undefined) continue;
    const namespaces = made(kinds, kind, () => new Map<string, Names>());
    made(namespaces, object.metadata.namespace ?? "", () => new Map<string, KubeObject>()).set(
      object.metadata.name,
      object,
    );
  }
  const all = new Map<KindName, readonly KubeObject[]>();
  const parts = new Map<Names, readonly KubeObject[]>();
  const indexes = new Map<IndexName, ReadonlyMap<string, readonly KubeObject[]>>();
  const part = (names: Names | undefined): readonly KubeObject[] =>
    names === undefined ? NONE : made(parts, names, () => sorted(names));
  const list = (kind: KindName, namespace?: string): readonly KubeObject[] => {
    const namespaces = kinds.get(kind);
    if (namespaces === undefined) return NONE;
    if (namespace !== undefined) return part(namespaces.get(namespace));
    return made(all, kind, () => [...namespaces.keys()].sort().flatMap((name) => part(namespaces.get(name))));
  };
  return {
    derivations: createMemo(),
    get: <K extends KindName>(kind: K, namespace: string, name: string) =>
      kinds.get(kind)?.get(namespace)?.get(name) as KindTypes[K] | undefined,
    list: <K extends KindName>(kind: K, namespace?: string) => list(kind, namespace) as readonly KindTypes[K][],
    by: <I extends IndexName>(name: I, key: string) => {
      const index = made(indexes, name, () => indexed(name, list(INDEXES[name].kind)));
      return (index.get(key) ?? NONE) as readonly KubeObject[] as readonly KindTypes[IndexKinds[I]][];
    },
  };
}

const NONE: readonly KubeObject[] = [];

function sorted(names: Names): readonly KubeObject[] {
  return [...names.keys()].sort().flatMap((name) => names.get(name) ?? []);
}

/** Objects by the keys of an index; they come sorted, and each stands once under a key. */
function indexed(name: IndexName, objects: readonly KubeObject[]): ReadonlyMap<string, readonly KubeObject[]> {
  const index = new Map<string, KubeObject[]>();
  for (const object of objects)
    for (const key of new Set(INDEXES[name].keys(object))) made(index, key, () => [] as KubeObject[]).push(object);
  return index;
}

function made<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
