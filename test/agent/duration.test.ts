import { expect, test } from "vitest";
import { parseDuration } from "../../src/agent/duration.ts";

test.each([
  ["24h", 86_400_000],
  ["1m30s", 90_000],
  ["0.5s", 500],
  [".5s", 500],
  ["100ms", 100],
  ["250us", 0.25],
  ["0", 0],
  ["", undefined],
  ["5", undefined],
  ["5s ", undefined],
  ["-5s", undefined],
  ["soon", undefined],
])("%j is %j ms", (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});
