import { test } from "vitest";
import { fuzzObjects, fuzzTexts } from "./property.ts";

test("50,000 documents with slips in their text: no crash, no hang, every finding has a place", {
  timeout: 900_000,
}, () => {
  fuzzTexts(50_000);
});

test("50,000 documents with strange values: no crash, no hang, every finding has a place", { timeout: 900_000 }, () => {
  fuzzObjects(50_000);
});
