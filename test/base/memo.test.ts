import { expect, test } from "vitest";
import { createDerivations, CycleError } from "../../src/base/derive.ts";
import { createMemo } from "../../src/base/memo.ts";

test("each key is worked out once; errors are kept and thrown again", () => {
  const memo = createMemo();
  let runs = 0;
  const double = memo.keyed("double", (value: number, name: string, third: string) => {
    runs += 1;
    if (value < 0) throw new Error(`negative ${name}${third}`);
    return value * 2;
  });
  expect([double(2, "a", "x"), double(2, "a", "x"), double(2, "a", "y")]).toEqual([4, 4, 4]);
  expect(runs).toBe(2);
  expect(() => double(-1, "b", "z")).toThrow("negative bz");
  expect(() => double(-1, "b", "z")).toThrow("negative bz");
  expect(runs).toBe(3);
  expect(memo.size()).toBe(3);
});

test("a cycle is found, with the same words as where things change", () => {
  const wordsOf = (derivations: ReturnType<typeof createMemo>): string => {
    const b: (key: string) => number = derivations.keyed("b", (key: string) => a(key));
    const a: (key: string) => number = derivations.keyed("a", (key: string) => b(key) + 1);
    try {
      derivations.keep();
      return String(b("x"));
    } catch (error) {
      expect(error).toBeInstanceOf(CycleError);
      return (error as Error).message;
    }
  };
  expect(wordsOf(createMemo())).toBe(wordsOf(createDerivations()));
});

test("a change is refused", () => {
  const memo = createMemo();
  expect(() => memo.source(1).set(2)).toThrow("never changes");
  expect(() => memo.mark().changed()).toThrow("never changes");
  expect(() => memo.external("e", (key: string) => key).changed("x")).toThrow("never changes");
  let ran = 0;
  memo.effect(() => void (ran += 1))();
  expect(ran).toBe(1);
});
