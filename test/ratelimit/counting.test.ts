import fc from "fast-check";
import { expect, test } from "vitest";
import { createCounts } from "../../src/ratelimit/counts.ts";
import { askedBy } from "../../src/ratelimit/descriptors.ts";
import { ranked } from "../../src/ratelimit/owners.ts";
import { windowOf } from "../../src/ratelimit/windows.ts";

const at = (text: string): number => Date.parse(text);
const text = (seconds: number): string => new Date(seconds * 1000).toISOString();

test.each([
  ["SECOND", "2026-02-28T23:59:59.999Z", "2026-02-28T23:59:59.000Z", "2026-03-01T00:00:00.000Z"],
  ["MINUTE", "2026-02-28T23:59:59.999Z", "2026-02-28T23:59:00.000Z", "2026-03-01T00:00:00.000Z"],
  ["HOUR", "2026-02-28T23:00:00.000Z", "2026-02-28T23:00:00.000Z", "2026-03-01T00:00:00.000Z"],
  ["DAY", "2026-02-28T23:59:59.999Z", "2026-02-28T00:00:00.000Z", "2026-03-01T00:00:00.000Z"],
  ["MONTH", "2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
  ["YEAR", "2028-02-29T12:00:00.000Z", "2028-01-01T00:00:00.000Z", "2029-01-01T00:00:00.000Z"],
] as const)("a %s holds %s", (unit, now, start, end) => {
  const window = windowOf(unit, at(now));
  expect([text(window.start), text(window.end)]).toEqual([start, end]);
});

const first = { start: 0, end: 60 };
const second = { start: 60, end: 120 };

test("counts begin anew with a window, and go when it is over", () => {
  const counts = createCounts(10);
  expect([counts.add("a", first, 1), counts.add("a", first, 2), counts.add("a", second, 1)]).toEqual([1, 3, 1]);
  counts.add("b", first, 1);
  counts.sweep(60_000);
  expect([...counts.all()].map(({ key }) => key)).toEqual(["a"]);
});

test("no more keys than allowed: the one that stands longest goes", () => {
  const counts = createCounts(2);
  for (const key of ["a", "b", "c"]) counts.add(key, first, 1);
  expect([...counts.all()].map(({ key }) => key)).toEqual(["b", "c"]);
});

test("what another replica counted is taken over in any order, as often as it is told", () => {
  const told = [
    { key: "a", ...first, hits: 3 },
    { key: "a", ...first, hits: 7 },
    { key: "a", ...second, hits: 2 },
    { key: "b", ...first, hits: 1 },
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray([...told, ...told], { minLength: 8 }), (order) => {
      const counts = createCounts(10);
      for (const one of order) counts.merge(one);
      expect([...counts.all()].toSorted((x, y) => (x.key < y.key ? -1 : 1))).toEqual([told[2], told[3]]);
    }),
  );
});

test("only what changed here is told on", () => {
  const counts = createCounts(10);
  counts.add("a", first, 2);
  counts.merge({ key: "b", ...first, hits: 5 });
  expect(counts.takeChanged()).toEqual([{ key: "a", ...first, hits: 2 }]);
  expect(counts.takeChanged()).toEqual([]);
});

const replicas = ["10.0.0.1:8081", "10.0.0.2:8081", "10.0.0.3:8081"];

test("keys are spread over replicas; when one goes, only its keys move, each to the one that came second", () => {
  const owned = new Map<string, number>();
  for (let index = 0; index < 3_000; index++) {
    const [owner = "", next] = ranked(`key-${index}`, replicas);
    owned.set(owner, (owned.get(owner) ?? 0) + 1);
    const rest = replicas.filter((replica) => replica !== owner);
    expect(ranked(`key-${index}`, rest)[0]).toBe(next);
    for (const other of rest)
      expect(
        ranked(
          `key-${index}`,
          replicas.filter((replica) => replica !== other),
        )[0],
      ).toBe(owner);
  }
  for (const count of owned.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test("a descriptor says what to count by; without a limit nothing is counted", () => {
  const entries = [
    { key: "limit", value: "all" },
    { key: "header:x-user", value: "alice" },
  ];
  const limit = { requests_per_unit: 5, unit: "DAY" } as const;
  const asked = askedBy("shop/cart", { entries, limit }, 0);
  expect(asked).toMatchObject({ unit: "DAY", limit: 5, hits: 1, label: "shop/cart/all" });
  // another number for the same limit goes on with what was counted
  expect(askedBy("shop/cart", { entries, limit: { ...limit, requests_per_unit: 9 } }, 3)).toMatchObject({
    key: asked?.key,
    hits: 3,
  });
  expect(askedBy("shop/other", { entries, limit }, 0)?.key).not.toBe(asked?.key);
  expect(askedBy("shop/cart", { entries }, 0)).toBeUndefined();
  // of connections Envoy hands on no limit: an entry says it, and counts as what is asked with one
  const said = (value: string) => askedBy("shop/cart", { entries: [...entries, { key: "meshctl.limit", value }] }, 0);
  expect(said(`${limit.requests_per_unit} ${limit.unit}`)).toEqual(asked);
  for (const wrong of ["", "5", "x DAY", "-1 DAY", "5 WEEK"]) expect(said(wrong)).toBeUndefined();
  const long = askedBy("shop/cart", { entries: [{ key: "k", value: "x".repeat(100_000) }], limit }, 0);
  expect(long?.key.length).toBeLessThan(300);
});
