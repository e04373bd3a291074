import { expect, test } from "vitest";
import { peerLabel } from "../../src/base/peer.ts";

// what Envoy makes of a value in its statistics is the real test: test/e2e/envoy/mtls.test.ts
test.each([
  [undefined, "unknown"],
  ["", "unknown"],
  ["...", "unknown"],
  ["v1.2.", "v1.2"],
  [".v1..2", ".v1..2"],
  ["a,b=c", "a_b_c"],
])("a peer says %j as %s", (value, label) => {
  expect(peerLabel("version", value)).toBe(label);
});

test("a revision that is missing or made of dots is the latest", () => {
  expect([undefined, "", "."].map((value) => peerLabel("revision", value))).toEqual(["latest", "latest", "latest"]);
});

test("values of more than 64 characters stay apart", () => {
  const [one, other] = ["a", "b"].map((end) => peerLabel("workload", "x".repeat(70) + end));
  expect(one).toHaveLength(64);
  expect(other).not.toBe(one);
});
