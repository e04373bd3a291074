import type { Window } from "./windows.ts";

/** How often something was counted in a window. */
export interface Count extends Window {
  readonly key: string;
  readonly hits: number;
}

/** What a replica has counted. */
export interface Counts {
  /** Counts `hits` more and answers how many there are now. */
  add(key: string, window: Window, hits: number): number;
  /**
   * Takes over what another replica counted. Of one window the larger number stands, so that the same may be told several times
   * and in any order; a later window replaces an earlier one.
   */
  merge(count: Count): void;
  /** What was counted here since it was last asked for. */
  takeChanged(): readonly Count[];
  all(): Iterable<Count>;
  /** Forgets windows that ended. `now` in milliseconds since the epoch. */
  sweep(now: number): void;
  readonly size: number;
}

interface Entry {
  start: number;
  end: number;
  hits: number;
}

/** The largest number that the protocol carries. */
const MOST = 4_294_967_295;

/** `maxKeys`: how many are kept; of more, those go first that stand longest. */
export function createCounts(maxKeys: number): Counts {
  const entries = new Map<string, Entry>();
  const changed = new Set<string>();
  const put = (key: string, entry: Entry): void => {
    const oldest = entries.size >= maxKeys ? entries.keys().next().value : undefined;
    if (oldest !== undefined) {
      entries.delete(oldest);
      changed.delete(oldest);
    }
    entries.set(key, entry);
  };
  const countOf = (key: string, { start, end, hits }: Entry): Count => ({ key, start, end, hits });
  return {
    add(key, { start, end }, hits) {
      const known = entries.get(key);
      changed.add(key);
      if (known !== undefined && known.start >= start) {
        known.hits = Math.min(MOST, known.hits + hits);
        return known.hits;
      }
      entries.delete(key);
      put(key, { start, end, hits: Math.min(MOST, hits) });
      return hits;
    },
    merge({ key, start, end, hits }) {
      const known = entries.get(key);
      if (known === undefined || known.start < start) {
        entries.delete(key);
        put(key, { start, end, hits });
      } else if (known.start === start) known.hits = Math.max(known.hits, hits);
    },
    takeChanged() {
      const taken = [...changed].flatMap((key) => {
        const entry = entries.get(key);
        return entry === undefined ? [] : [countOf(key, entry)];
      });
      changed.clear();
      return taken;
    },
    *all() {
      for (const [key, entry] of entries) yield countOf(key, entry);
    },
    sweep(now) {
      for (const [key, { end }] of entries) if (end * 1000 <= now) entries.delete(key);
    },
    get size() {
      return entries.size;
    },
  };
}
