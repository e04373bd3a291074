/** Random choices from a seed: the same seed, the same choices. */
export interface Dice {
  /** 0 to below 1. */
  next(): number;
  /** 0 to below `below`. */
  int(below: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** 1 to `most` different ones, in the order given. */
  some<T>(from: readonly T[], most: number): readonly T[];
}

/** mulberry32, a well-known small generator: good enough to choose test data. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  const pick = <T>(from: readonly T[]): T => {
    const item = from[int(from.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  const some = <T>(from: readonly T[], most: number): readonly T[] => {
    const left = [...from];
    const taken = Array.from({ length: 1 + int(most) }, () => left.splice(int(left.length), 1)).flat();
    return from.filter((item) => taken.includes(item));
  };
  return { next, int, chance: (share) => next() < share, pick, some };
}
