import { CycleError, type Derivations, type Derived, type KeyPart } from "./derive.ts";
import { MeshError } from "./errors.ts";

interface Slot<V> {
  state: "running" | "value" | "error";
  value: V | undefined;
  error: unknown;
}

interface Running {
  readonly name: string;
  readonly key: readonly KeyPart[];
}

/**
 * Derivations over data that never changes: each is worked out once and kept, nothing is tracked. The same answers as
 * createDerivations() gives, errors and cycles too, at a fraction of the cost; a change is refused.
 */
export function createMemo(): Derivations {
  const running: Running[] = [];
  let size = 0;
  const keyed = <A extends readonly KeyPart[], V>(name: string, fn: (...key: A) => V): Derived<A, V> => {
    const shelves = new Map<KeyPart | undefined, Map<KeyPart, Slot<V>>>();
    return (...key) => {
      let shelf = shelves.get(key[0]);
      if (shelf === undefined) {
        shelf = new Map<KeyPart, Slot<V>>();
        shelves.set(key[0], shelf);
      }
      const rest = key.length <= 2 ? (key[1] ?? "") : key.slice(1).join("\u0000");
      const known = shelf.get(rest);
      if (known?.state === "value") return known.value as V;
      if (known !== undefined) return answer(known, running, { name, key });
      const slot: Slot<V> = { state: "running", value: undefined, error: undefined };
      shelf.set(rest, slot);
      size += 1;
      running.push({ name, key });
      try {
        slot.value = fn(...key);
        slot.state = "value";
      } catch (error) {
        slot.error = error;
        slot.state = "error";
      } finally {
        running.pop();
      }
      return answer(slot, running, { name, key });
    };
  };
  return {
    source: (value) => ({ get: () => value, set: refuse }),
    mark: () => ({ touch: () => undefined, changed: refuse }),
    keyed,
    external: (name, read) => Object.assign(keyed(name, read), { changed: refuse }),
    batch: (fn) => fn(),
    effect: (fn) => {
      fn();
      return () => undefined;
    },
    keep: () => () => undefined,
    size: () => size,
  };
}

function answer<V>(slot: Slot<V>, running: readonly Running[], asked: Running): V {
  if (slot.state === "running") throw new CycleError(wayRound(running.map(labelOf), labelOf(asked)));
  if (slot.state === "error") throw slot.error;
  return slot.value as V;
}

/** The way round a cycle, the least label first: the same words wherever it was entered. */
function wayRound(all: readonly string[], label: string): string[] {
  const labels = all.slice(all.indexOf(label));
  const least = labels.indexOf(labels.toSorted()[0] ?? "");
  return [...labels.slice(least), ...labels.slice(0, least)];
}

function labelOf({ name, key }: Running): string {
  return [name, ...key].join(" ");
}

function refuse(): never {
  throw new MeshError("memo-write", "this World never changes");
}
