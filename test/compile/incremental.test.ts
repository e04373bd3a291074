import { join } from "node:path";
import { expect, test } from "vitest";
import { readPool, walk } from "../support/changes-of-world.ts";

// Over the objects of all golden cases, so that every kind compile reads takes part; the long walks are in incremental.slow.test.ts.
const pool = readPool(join(import.meta.dirname, "testdata"));

test("a hundred random changes, what is held equals what a fresh start gives", () => {
  walk(pool, { seed: 1, changes: 100, every: 10, proxies: 4 }, (held, fresh, at) => expect(held, at).toEqual(fresh));
});
