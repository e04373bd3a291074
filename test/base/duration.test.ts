import { expect, test } from "vitest";
import { durationMs } from "../../src/base/duration.ts";

test.each([
  ["24h", 86_400_000],
  ["1h30m", 5_400_000],
  ["1m30s", 90_000],
  ["1.5s", 1500],
  ["0.5s", 500],
  ["250ms", 250],
  ["250us", 0.25],
  ["0", 0],
  ["", undefined],
  ["5", undefined],
  ["5s ", undefined],
  ["1s junk", undefined],
  ["-5s", undefined],
  ["soon", undefined],
])("%j is %j ms", (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});
