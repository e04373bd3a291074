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

/** Specs near the limit of etcd, 1.5 MiB, made to cost as much as they can. */
const HOSTILE: Readonly<Record<string, (count: number) => KubeObject>> = {
  "hosts that all end alike": (count) => ({
    ...answer({ string: "a" }),
    spec: { hosts: many(count, (index) => `*.a${index}.example.com`), http: [{ directResponse: { status: 200 } }] },
  }),
  "matches with prefixes of prefixes": (count) => ({
    ...answer({ string: "a" }),
    spec: {
      hosts: ["a"],
      http: [{ match: many(count, (index) => ({ uri: { prefix: `/a/${index}` } })), directResponse: { status: 200 } }],
    },
  }),
  "placeholders that never close": (count) => ({
    ...answer({ string: "a" }),
    spec: {
      hosts: ["a"],
      http: [
        { route: [{ destination: { host: "a" } }], headers: { request: { set: { a: "%a(".repeat(10 * count) } } } },
      ],
    },
  }),
  "localities one inside the other": (count) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "d", namespace: "d" },
    spec: {
      host: "a",
      trafficPolicy: {
        loadBalancer: {
          localityLbSetting: { distribute: many(count, (index) => ({ from: `r/${index}`, to: { r: 100 } })) },
        },
      },
    },
  }),
  "labels of one letter": (count) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadEntry",
    metadata: { name: "w", namespace: "d" },
    spec: { address: "10.0.0.1", labels: { a: `${"a-".repeat(20 * count)}!` } },
  }),
  "an expression of groups": (count) => ({
    ...answer({ string: "a" }),
    spec: {
      hosts: ["a"],
      http: [
        {
          match: [{ uri: { regex: "(a*)*".repeat(200) } }, { uri: { regex: "a".repeat(count) } }],
          directResponse: { status: 200 },
        },
      ],
    },
  }),
};

function many<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function seconds(object: KubeObject): number {
  const started = process.cpuUsage();
  validateForAdmission(object);
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

test.each(Object.entries(HOSTILE))("%s: the control plane lives on", (_name, make) => {
  seconds(make(100));
  const [small, large] = [seconds(make(5000)), seconds(make(20_000))];
  // four times the size must not cost sixteen times the time; the floor is for the noise of small numbers
  expect(large).toBeLessThan(Math.max(0.25, 9 * small));
});
