import { expect, test } from "vitest";
import { judge } from "../../support/yardstick/justified.ts";
import { justifiedDifferences, ownCrds, publishedCrds } from "../../support/yardstick/read.ts";
import { type CrdObject, differences, type Structural } from "../../support/yardstick/walk.ts";

/**
 * Our CRDs against the published ones, field by field: every difference is in the reviewed list, with its reason. The published ones
 * come from the Go module proxy (npm's packages of them are older, or need a newer Node).
 */
const ISTIO = { module: "istio.io/api@v1.31.1", files: ["kubernetes/customresourcedefinitions.gen.yaml"] };

test("Istio's kinds: every difference to the published CRDs is justified, and every justification is needed", async () => {
  const theirs = await publishedCrds(ISTIO.module, ISTIO.files);
  expect(theirs.length).toBeGreaterThan(10);
  const ours = (await ownCrds("manifests/base/crds")).filter(({ spec }) => spec.group.endsWith(".istio.io"));
  const found = differences(theirs, ours);
  const { open, unused } = judge(found, await justifiedDifferences("schemas/justified-differences.json"));
  expect(open).toEqual([]);
  expect(unused).toEqual([]);
});

test("the walk finds what differs: a field, a type, a default, a rule, a version", () => {
  const spec = (properties: Readonly<Record<string, Structural>>): CrdObject => ({
    metadata: { name: "things.example.io" },
    spec: {
      group: "example.io",
      scope: "Namespaced",
      names: { kind: "Thing", plural: "things" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { properties } } }],
    },
  });
  const rule = { "x-kubernetes-validations": [{ rule: "self > 0" }] };
  const left = spec({
    a: { type: "string" },
    b: { type: "integer", default: 1, ...rule },
    c: { items: { enum: ["x"] } },
  });
  const right = spec({ a: { type: "integer" }, b: { type: "integer" }, c: { items: { enum: ["x", "y"] } }, d: {} });
  const found = differences([left], [right]).map(({ path, what }) => `${path} ${what}`);
  expect(found).toEqual(["a type", "b default", "b cel", "c[] enum", "d field"]);
  const { open, unused } = judge(differences([left], [right]), [
    { kind: "Thing", path: "**", what: "type", reason: "a reason" },
    { kind: "Other", path: "**", what: "enum", reason: "of another kind" },
  ]);
  expect(open).toHaveLength(4);
  expect(unused.map(({ kind }) => kind)).toEqual(["Other"]);
});
