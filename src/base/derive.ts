import {
  computed,
  effect as rawEffect,
  effectScope,
  endBatch,
  getActiveSub,
  setActiveSub,
  signal,
  startBatch,
} from "alien-signals";
import { sameContent } from "./equal.ts";
import { errorText, MeshError } from "./errors.ts";

/** What keys are made of: plain values, so that equal keys are the same derivation. */
export type KeyPart = string | number;

/** A value that changes from outside: written by `set`, read (and tracked) by `get`. */
export interface Source<T> {
  get(): T;
  /** Refused inside a derivation. Equal content marks nothing. */
  set(value: T): void;
}

/**
 * A pure function of its key whose reads are tracked: called again with the same key it answers from memory until a source
 * it read has changed. Errors are kept like values and thrown again at each reader.
 */
export type Derived<A extends readonly KeyPart[], V> = (...key: A) => V;

/** A derivation over something that keeps its own data: after a change there, `changed` marks the answers concerned. */
export interface External<A extends readonly KeyPart[], V> {
  (...key: A): V;
  changed(...key: A): void;
}

/** A place that readers are linked to, whatever stands there: `touch` in reading, `changed` after a change. */
export interface Mark {
  touch(): void;
  /** Refused inside a derivation. */
  changed(): void;
}

/**
 * Keyed derivations, in memory as long as something holds them: an effect that read them (also through others), or a
 * `keep()` of a command that runs once. Read by nobody they are computed and forgotten.
 */
export interface Derivations {
  source<T>(value: T): Source<T>;
  /** Cheaper than a source or an external, for who keeps the values and their lives himself. */
  mark(): Mark;
  /** `name` stands in cycle messages. `fn` must be pure, synchronous, and return plain data (compared by content). */
  keyed<A extends readonly KeyPart[], V>(name: string, fn: (...key: A) => V): Derived<A, V>;
  external<A extends readonly KeyPart[], V>(name: string, read: (...key: A) => V): External<A, V>;
  /** All changes inside become one: readers run once, after `fn`. What effects throw is thrown from here, after all of them ran. */
  batch<T>(fn: () => T): T;
  /** Runs `fn` now and after each change of what it read, until the returned function is called. */
  effect(fn: () => void): () => void;
  /** Holds everything that is read outside effects, until the returned function is called. */
  keep(): () => void;
  /** How many derivations are in memory. */
  size(): number;
}

/** A derivation needs itself, directly or through others. `keys` is the way round, e.g. `["host a", "host b"]`. */
export class CycleError extends MeshError {
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    super("derive-cycle", `derivations need each other: ${[...keys, keys[0]].join(" -> ")}`);
    this.keys = keys;
  }
}

/** What a derivation last came to. The library would hand out a stale value after a throw; this keeps the error instead. */
type Outcome<V> = { readonly value: V } | { readonly error: unknown };

interface Entry<V> {
  readonly name: string;
  readonly key: readonly KeyPart[];
  /** Reads (and links) the computed. */
  readonly read: () => Outcome<V>;
  /** Only on externals: read by the computed, counted up by `changed`. */
  readonly version: Counter | undefined;
  running: boolean;
}

/** The words for a derivation in messages. */
function labelOf({ name, key }: Pick<Entry<unknown>, "name" | "key">): string {
  return [name, ...key].join(" ");
}

interface Counter {
  readonly bump: () => void;
  readonly touch: () => void;
}

function counter(): Counter {
  const value = signal(0);
  let count = 0;
  return { bump: () => value(++count), touch: value };
}

function sameOutcome<V>(a: Outcome<V> | undefined, b: Outcome<V>): boolean {
  if (a === undefined) return false;
  if ("error" in a || "error" in b) {
    return "error" in a && "error" in b && sameError(a.error, b.error);
  }
  return sameContent(a.value, b.value);
}

function sameError(a: unknown, b: unknown): boolean {
  return a === b || (a instanceof Error && b instanceof Error && a.name === b.name && a.message === b.message);
}

/** Shared by the parts of one Derivations. */
interface State {
  /** Derivations now running, outermost first. */
  readonly stack: Entry<unknown>[];
  /** Read by what ended in a cycle, so that any change tries it again: a cycle's members cannot be linked to each other. */
  readonly cycles: Counter;
  sawCycle: boolean;
  size: number;
  keeper: ReturnType<typeof createKeeper> | undefined;
  readonly failures: unknown[];
}

/** Derivations over alien-signals, whose traps are closed here, each with a test in test/base/derive.test.ts. */
export function createDerivations(): Derivations {
  const state: State = { stack: [], cycles: counter(), sawCycle: false, size: 0, keeper: undefined, failures: [] };
  let depth = 0;
  const batch = <T>(fn: () => T): T => {
    depth++;
    startBatch();
    try {
      return fn();
    } finally {
      try {
        endBatch();
      } finally {
        depth--;
      }
    }
  };
  const settled = <T>(fn: () => T): T => {
    const result = batch(fn);
    if (depth === 0) throwFailures(state.failures);
    return result;
  };
  const write = (bump: () => void): void => {
    const running = state.stack.at(-1);
    if (running !== undefined)
      throw new MeshError("derive-write", `derivation ${labelOf(running)} must not change a source`);
    settled(() => {
      bump();
      if (!state.sawCycle) return;
      state.sawCycle = false;
      state.cycles.bump();
    });
  };
  return {
    source: (value) => createSource(value, write),
    mark: () => {
      const { touch, bump } = counter();
      return { touch, changed: () => write(bump) };
    },
    keyed: (name, fn) => createKeyed(state, name, fn, false).read,
    external: (name, read) => createExternal(state, name, read, write),
    batch: settled,
    effect: (fn) => createEffect(fn, state),
    keep: () => {
      const keeper = createKeeper();
      const outer = state.keeper;
      state.keeper = keeper;
      return () => {
        if (state.keeper === keeper) state.keeper = outer;
        keeper.release();
      };
    },
    size: () => state.size,
  };
}

function throwFailures(failures: unknown[]): void {
  if (failures.length === 0) return;
  const all = failures.splice(0);
  if (all.length === 1) throw all[0] instanceof Error ? all[0] : new Error(errorText(all[0]));
  throw new AggregateError(all, all.map(errorText).join("; "));
}

function createSource<T>(initial: T, write: (bump: () => void) => void): Source<T> {
  let value = initial;
  const version = counter();
  return {
    get() {
      version.touch();
      return value;
    },
    set(next) {
      write(() => {
        if (sameContent(value, next)) return;
        value = next;
        version.bump();
      });
    },
  };
}

function createKeyed<A extends readonly KeyPart[], V>(
  state: State,
  name: string,
  fn: (...key: A) => V,
  isExternal: boolean,
): { readonly read: Derived<A, V>; readonly find: (key: A) => Entry<V> | undefined } {
  const shelves: Shelves<V> = new Map();
  const find = (key: A): Entry<V> | undefined => shelves.get(key[0])?.get(restOf(key));
  const read = (...key: A): V =>
    valueOf(state, find(key) ?? createEntry({ state, shelves, name, key, isExternal }, () => fn(...key)));
  return { read, find };
}

/** Entries by the first part of their key, then by the others: most keys have two parts, and need no joining. */
type Shelves<V> = Map<KeyPart | undefined, Map<KeyPart, Entry<V>>>;

const SEPARATOR = "\u0000";

function restOf(key: readonly KeyPart[]): KeyPart {
  return key.length <= 2 ? (key[1] ?? "") : key.slice(1).join(SEPARATOR);
}

function createExternal<A extends readonly KeyPart[], V>(
  state: State,
  name: string,
  fn: (...key: A) => V,
  write: (bump: () => void) => void,
): External<A, V> {
  const { read, find } = createKeyed<A, V>(state, name, fn, true);
  const changed = (...key: A): void => {
    const version = find(key)?.version;
    if (version !== undefined) write(version.bump);
  };
  return Object.assign((...key: A) => read(...key), { changed });
}

interface EntryPlace<V> {
  readonly state: State;
  readonly shelves: Shelves<V>;
  readonly name: string;
  readonly key: readonly KeyPart[];
  readonly isExternal: boolean;
}

function createEntry<V>({ state, shelves, name, key, isExternal }: EntryPlace<V>, fn: () => V): Entry<V> {
  const rest = restOf(key);
  const isListed = (): boolean => shelves.get(key[0])?.get(rest) === entry;
  const list = (): void => {
    const shelf = shelves.get(key[0]) ?? new Map<KeyPart, Entry<V>>();
    shelves.set(key[0], shelf.set(rest, entry));
    state.size++;
  };
  const drop = (): void => {
    const shelf = shelves.get(key[0]);
    if (shelf === undefined || !isListed()) return;
    shelf.delete(rest);
    if (shelf.size === 0) shelves.delete(key[0]);
    state.size--;
  };
  const hook = (): (() => void) => drop;
  const read = computed<Outcome<V>>((previous) => {
    if (!isListed()) list();
    // The library disposes a computed's child effects when its last reader has gone (and before each run, hence the listing
    // anew): the one sign of that it gives.
    rawEffect(hook);
    const outcome = run(state, entry, fn);
    return previous !== undefined && sameOutcome(previous, outcome) ? previous : outcome;
  });
  const version = isExternal ? counter() : undefined;
  const entry: Entry<V> = { name, key, read, version, running: false };
  return entry;
}

function run<V>(state: State, entry: Entry<V>, fn: () => V): Outcome<V> {
  entry.running = true;
  state.stack.push(entry);
  try {
    entry.version?.touch();
    return { value: refuseAsync(fn(), entry) };
  } catch (error) {
    if (error instanceof CycleError) {
      state.sawCycle = true;
      state.cycles.touch();
    }
    return { error };
  } finally {
    state.stack.pop();
    entry.running = false;
  }
}

function refuseAsync<V>(value: V, entry: Entry<V>): V {
  if (typeof value === "object" && value !== null && "then" in value && typeof value.then === "function") {
    throw new MeshError(
      "derive-async",
      `derivation ${labelOf(entry)} is asynchronous: what is fetched must be a source`,
    );
  }
  return value;
}

function valueOf<V>(state: State, entry: Entry<V>): V {
  if (entry.running) throw new CycleError(cycleKeys(state.stack, labelOf(entry)));
  const outcome = getActiveSub() === undefined ? readUnheld(state, entry) : entry.read();
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** The labels from `label` on, turned so that the least comes first: the same words wherever the cycle was entered. */
function cycleKeys(stack: readonly Entry<unknown>[], label: string): string[] {
  const all = stack.map(labelOf);
  const labels = all.slice(all.indexOf(label));
  const least = labels.indexOf(labels.toSorted()[0] ?? "");
  return [...labels.slice(least), ...labels.slice(0, least)];
}

/** A read from outside derivations and effects: held by the keeper, or for this one read. */
function readUnheld<V>(state: State, entry: Entry<V>): Outcome<V> {
  const keeper = state.keeper ?? createKeeper();
  try {
    return keeper.hold(entry);
  } finally {
    if (keeper !== state.keeper) keeper.release();
  }
}

/** Holds entries as a reader that never runs. */
function createKeeper(): { hold<V>(entry: Entry<V>): Outcome<V>; release(): void } {
  let node: ReturnType<typeof getActiveSub>;
  const release = effectScope(() => {
    node = getActiveSub();
  });
  const held = new WeakSet<object>();
  return {
    hold(entry) {
      // A second link of the same two would only cost memory.
      if (held.has(entry)) return entry.read();
      held.add(entry);
      const outer = setActiveSub(node);
      try {
        return entry.read();
      } finally {
        setActiveSub(outer);
      }
    },
    release,
  };
}

function createEffect(fn: () => void, state: State): () => void {
  let failed: { readonly error: unknown } | undefined;
  let first = true;
  // Not a child of whoever runs now: it lives until its own end is called.
  const outer = setActiveSub(undefined);
  let dispose: () => void;
  try {
    dispose = rawEffect(() => {
      try {
        fn();
      } catch (error) {
        // Thrown through the library it would leave the other effects of this change unrun.
        if (first) failed = { error };
        else state.failures.push(error);
      }
    });
  } finally {
    setActiveSub(outer);
    first = false;
  }
  if (failed === undefined) return dispose;
  dispose();
  throw failed.error;
}
