import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../e2e/apiserver");

/** Addresses of pods in a file: the second number of 127.N.0.1 and of prefixes. */
function places(file: string): readonly string[] {
  const found = readFileSync(join(folder, file), "utf8").matchAll(/\b127\.([1-9]\d*)\b/g);
  return [...new Set([...found].map(([, number = ""]) => number))];
}

// two files of the tier run at once, and real Envoys listen at these addresses
test("each loopback address of a pod is one file's of the API server tier", () => {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const owners = new Map<string, string[]>();
  for (const file of files) for (const place of places(file)) owners.set(place, [...(owners.get(place) ?? []), file]);
  expect(owners.size).toBeGreaterThan(5);
  expect([...owners].filter(([, by]) => by.length > 1)).toEqual([]);
});
