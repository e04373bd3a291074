import { join } from "node:path";
import { expect, test } from "vitest";
import { readPool, walk } from "../support/changes-of-world.ts";

const pool = readPool(join(import.meta.dirname, "testdata"));

test.each([11, 12, 13, 14, 15])("a thousand random changes (seed %i), held equals fresh", (seed) => {
  const kinds = walk(pool, { seed, changes: 1000, every: 10, proxies: 6 }, (held, fresh, at) =>
    expect(held, at).toEqual(fresh),
  );
  const all = new Set(pool.objects.map(({ kind }) => kind));
  expect([...all].filter((kind) => !kinds.has(kind))).toEqual([]);
});
