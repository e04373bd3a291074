import { sameContent } from "../base/equal.ts";
import { type KindName, kindOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { WorldChange } from "../resources/world.ts";

/** Objects of several sources as one: of two with the same kind and name the cluster's counts, then the earlier registry's. */
export interface Layers {
  /** Changes that the API server's watches report, with what follows from them for objects of registries. */
  ofCluster(changes: readonly WorldChange[]): readonly WorldChange[];
  /** All objects of a registry now; `hidden` are those that give way to others. */
  ofRegistry(
    index: number,
    objects: readonly KubeObject[],
  ): { readonly changes: readonly WorldChange[]; readonly hidden: readonly KubeObject[] };
}

/** `isInCluster`: whether the World has it, asked only of objects that no registry has put there. */
export function createLayers(
  count: number,
  isInCluster: (kind: KindName, namespace: string, name: string) => boolean,
): Layers {
  const registries = Array.from({ length: count }, () => new Map<string, KubeObject>());
  /** What registries put into the World, by key. */
  const shown = new Map<string, KubeObject>();
  const wanted = (key: string): KubeObject | undefined => registries.find((objects) => objects.has(key))?.get(key);

  const settle = (key: string, example: KubeObject): WorldChange | undefined => {
    const kind = kindOf(example);
    const before = shown.get(key);
    const { namespace = "", name } = example.metadata;
    if (kind === undefined || (before === undefined && isInCluster(kind, namespace, name))) return undefined;
    const after = wanted(key);
    if (after === undefined) {
      shown.delete(key);
      return before === undefined ? undefined : { type: "delete", object: before };
    }
    shown.set(key, after);
    return before !== undefined && sameContent(before, after) ? undefined : { type: "set", object: after };
  };
  return {
    ofCluster: (changes) =>
      changes.map((change): WorldChange => {
        const key = keyOf(change.object);
        if (change.type === "set") {
          shown.delete(key);
          return change;
        }
        const instead = wanted(key);
        if (instead === undefined) return change;
        shown.set(key, instead);
        return { type: "set", object: instead };
      }),
    ofRegistry(index, objects) {
      const before = registries[index] ?? new Map<string, KubeObject>();
      const after = new Map(objects.map((object) => [keyOf(object), object]));
      registries[index] = after;
      const examples = new Map([...before, ...after]);
      const changes = [...examples].flatMap(([key, example]) => settle(key, example) ?? []);
      return { changes, hidden: [...after].flatMap(([key, object]) => (shown.get(key) === object ? [] : [object])) };
    },
  };
}

function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  const [group] = apiVersion.includes("/") ? apiVersion.split("/") : [""];
  return `${group}/${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}
