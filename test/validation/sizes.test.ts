import { expect, test } from "vitest";
import type { KubeObject } from "../../src/resources/object.ts";
import { validateForAdmission, validateObject } from "../../src/validation/index.ts";

// Limits on size, and what is said of objects with very many mistakes: too big for case files.

const answer = (body: object): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "v", namespace: "d" },
  spec: { hosts: ["a"], http: [{ directResponse: { status: 200, body } }] },
});
const KIB = 1024;

test("the body of a fixed answer: small, large, too large", () => {
  const said = (body: object): readonly unknown[] => validateObject(answer(body)).map(({ args }) => args["rule"]);
  expect(said({ string: "a".repeat(100 * KIB) })).toEqual([]);
  expect(said({ string: "a".repeat(100 * KIB + 1) })).toEqual(["virtual-service-direct-response-large"]);
  expect(said({ string: "ä".repeat(51 * KIB) })).toEqual(["virtual-service-direct-response-large"]);
  expect(said({ string: "a".repeat(KIB * KIB + 1) })).toEqual(["virtual-service-direct-response"]);
  expect(said({ bytes: Buffer.alloc(KIB * KIB + 1).toString("base64") })).toEqual(["virtual-service-direct-response"]);
});

test("a refusal names ten problems and counts the others", () => {
  const hosts = Array.from({ length: 500 }, (_, index) => `bad_${index}`);
  const { message, allowed } = validateForAdmission({
    ...answer({ string: "a" }),
    spec: { hosts, http: [{ directResponse: { status: 200 } }] },
  });
  expect(allowed).toBe(false);
  expect(message.split("; ")).toHaveLength(11);
  expect(message).toMatch(/and 490 more: run meshctl validate$/);
});

test("a very long value is shown in part", () => {
  const { message } = validateForAdmission({
    ...answer({ string: "a" }),
    spec: { hosts: [`${"a".repeat(100_000)}!`], http: [{ directResponse: { status: 200 } }] },
  });
  expect(message.length).toBeLessThan(2000);
});
