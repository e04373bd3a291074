import { test } from "vitest";
import { fuzzObjects, fuzzTexts } from "./property.ts";

/** A short run; test/fuzz/validate.slow.test.ts has the long one. fast-check prints the seed of a failure. */
test("2,000 mutated documents: no crash, no hang, every finding has a place", () => {
  fuzzTexts(1000);
  fuzzObjects(1000);
});
