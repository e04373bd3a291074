import { kindOf, type KindName } from "../resources/kinds.ts";
import type { WorldChange } from "../resources/world.ts";

/** When what stands in the World got there: refusals from before are not about it. */
export interface Arrivals {
  /** Notes changes that the World has just taken. */
  readonly note: (changes: readonly WorldChange[]) => void;
  /** Epoch milliseconds when the object, or its absence, came to be as it is; undefined: it was never there. */
  readonly of: (kind: KindName, namespace: string, name: string) => number | undefined;
}

/** Kinds that come and go too often to be worth it: nobody waits for their generation. */
const LEFT_OUT: ReadonlySet<KindName> = new Set<KindName>(["Pod", "EndpointSlice", "Node"]);

/** Remembers, of each object, its generation and when that came. */
export function createArrivals(now: () => number): Arrivals {
  const known = new Map<string, { readonly generation: number | undefined; readonly at: number }>();
  return {
    note(changes) {
      for (const { type, object } of changes) {
        const kind = kindOf(object);
        if (kind === undefined || LEFT_OUT.has(kind)) continue;
        const key = keyOf(kind, object.metadata.namespace ?? "", object.metadata.name);
        const generation = type === "set" ? object.metadata.generation : undefined;
        const before = known.get(key);
        // a change of its status, or the same object listed anew, is no new generation
        if (before === undefined || before.generation !== generation || type === "delete")
          known.set(key, { generation, at: now() });
      }
    },
    of: (kind, namespace, name) => known.get(keyOf(kind, namespace, name))?.at,
  };
}

function keyOf(kind: KindName, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`;
}
