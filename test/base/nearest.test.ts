import { expect, test } from "vitest";
import { nearest } from "../../src/base/nearest.ts";

test.each([
  ["wbe", ["web", "api"], "web"],
  ["mach", ["match", "name"], "match"],
  ["htpp", ["http", "tcp"], "http"],
  ["Reviews", ["reviews"], "reviews"],
  ["label", ["labels", "trafficPolicy"], "labels"],
  ["zebra", ["http", "tcp"], undefined],
  ["x", [], undefined],
])("%s among %j is %s", (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
