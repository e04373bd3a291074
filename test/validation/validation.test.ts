import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { meshKinds } from "../../src/gen/mesh-kinds.ts";
import { shapes } from "../../src/gen/validators/shapes.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { soundObject, validateForAdmission, validateObject } from "../../src/validation/index.ts";
import { readCase } from "../support/case-findings.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";

const folder = join(import.meta.dirname, "testdata");
const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

test.each(cases)("%s", (name) => {
  const { objects, report } = readCase(join(folder, `${name}.in.yaml`));
  expectGolden(join(folder, `${name}.out.txt`), report(objects.flatMap(validateObject)));
});

test("no golden without its case", () => {
  expectNoStaleGoldens(folder, [
    ...Object.keys(meshKinds),
    ...cases.flatMap((name) => [`${name}.in.yaml`, `${name}.out.txt`]),
  ]);
});

const gateway = (spec: unknown): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "Gateway",
  metadata: { name: "g", namespace: "shop" },
  spec,
});

test("admission: errors refuse with every problem and what to do, the rest warns", () => {
  const server = { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] };
  expect(validateForAdmission(gateway({ servers: [server] }))).toEqual({
    allowed: true,
    message: "",
    warnings: [],
    causes: [],
  });
  expect(validateForAdmission(gateway({ servers: [] }))).toEqual({
    allowed: false,
    message:
      "[IST0106] Schema validation error: spec.servers: expected at least one server. Add a port with its hosts.",
    warnings: [],
    causes: [
      {
        field: "spec.servers",
        message: "[IST0106] Schema validation error: spec.servers: expected at least one server",
      },
    ],
  });
  const old = {
    hosts: ["a"],
    http: [{ route: [{ destination: { host: "a" } }], mirror: { host: "b" }, mirrorPercent: 5 }],
  };
  expect(validateForAdmission({ ...gateway(old), kind: "VirtualService" })).toEqual({
    allowed: true,
    message: "",
    warnings: ["[IST0002] Deprecated field in VirtualService: mirrorPercent. Use mirrorPercentage."],
    causes: [],
  });
});

/** Specs that are nearly right: real field names, values of any type. */
function specOf(type: string, depth: number): fc.Arbitrary<unknown> {
  const junk = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant([]), fc.constant({}));
  if (depth === 0) return junk;
  const inner = type.slice(2);
  if (type.startsWith("[]")) return fc.oneof(junk, fc.array(specOf(inner, depth - 1), { maxLength: 3 }));
  if (type.startsWith("{}"))
    return fc.oneof(junk, fc.dictionary(fc.string(), specOf(inner, depth - 1), { maxKeys: 2 }));
  const fields = shapes[type];
  if (fields === undefined) return junk;
  const names = Object.keys(fields);
  return fc.oneof(
    { arbitrary: junk, weight: 1 },
    {
      arbitrary: fc
        .subarray(names, { maxLength: Math.min(4, names.length) })
        .chain((chosen) =>
          fc.record(Object.fromEntries(chosen.map((name) => [name, specOf(fields[name] ?? "any", depth - 1)]))),
        ),
      weight: 4,
    },
  );
}

test("a field that is called like a member of every object is just unknown", () => {
  const spec = { egress: [{ hosts: ["./*"], valueOf: {} }], toString: 1 };
  const object = { apiVersion: "networking.istio.io/v1", kind: "Sidecar", metadata: { name: "x" }, spec };
  expect(validateObject(object).map(({ path }) => path.at(-1))).toEqual(
    expect.arrayContaining(["toString", "valueOf"]),
  );
  expect(validateObject(object)).toHaveLength(2);
});

test.each(Object.entries(meshKinds))(
  "%s: no spec whatever makes validation fail, and a sound object is sound",
  (kind, about) => {
    fc.assert(
      fc.property(specOf(kind, 6), (spec) => {
        const object = {
          apiVersion: `${about.group}/${about.versions[0]}`,
          kind,
          metadata: { name: "x", namespace: "d" },
          spec,
        };
        for (const finding of validateObject(object)) expect(finding.path[0]).toBe("spec");
        const left = validateObject(soundObject(object)).filter(({ args }) =>
          /^schema-(?!x-|additionalProperties)/.test(String(args["rule"])),
        );
        // an object that needs a field it does not have stays so: there is nothing to take out
        expect(left.filter(({ path }) => path.length > 1)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  },
);
