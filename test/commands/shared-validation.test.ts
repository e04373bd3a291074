import { expect, test } from "vitest";
import { bigMesh } from "../../scripts/bench/big-mesh.ts";
import { completeFiles } from "../../src/commands/analysis/files.ts";
import { type SharedRequest, shareValidation } from "../../src/commands/analysis/shared-validation.ts";
import type { SourcedObject } from "../../src/resources/manifests.ts";
import { validateObject } from "../../src/validation/index.ts";
import { validateFromBack } from "../../src/validation-worker.ts";

const NAMESPACE = "shop";

/** A spec that is wrong three times in a List, once in a document behind objects that are there twice, and no namespace. */
const WRONG = `apiVersion: v1
kind: List
items:
  - { apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: { name: a }, spec: { host: [a] } }
  - { apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: { name: b }, spec: { hosts: a } }
  - { apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: { name: a }, spec: { http: [{ rout: [] }] } }
---
# nothing
---
{ apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: { name: c }, spec: { hosts: c } }
`;
const texts = [
  { file: "wrong.yaml", text: WRONG },
  { file: "big.yaml", text: bigMesh({ objects: 1_700 }).yaml },
  { file: "wrong-too.yaml", text: WRONG.replaceAll("name: ", "name: z") },
];
const added = [
  {
    object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "istio-system" } },
    nth: Number.POSITIVE_INFINITY,
  } as SourcedObject,
];
const files = completeFiles(texts, added, { namespace: NAMESPACE });
const expected = files.objects.map(({ object }) => validateObject(object));
const blocks = Math.ceil(files.documents / 64);

/** A thread that takes all blocks but the first `left`. */
const leaving = (left: number) => async (_: string, data: unknown) => {
  const request = data as SharedRequest;
  Atomics.store(request.taken, 0, left);
  const answer = validateFromBack(request);
  Atomics.store(request.taken, 0, blocks - left);
  return answer;
};

test.each([0, 1, 7, blocks - 1, blocks])(
  "two threads find what one finds: %d blocks left to this one",
  async (left) => {
    const shared = shareValidation(texts, NAMESPACE, { thread: leaving(left) });
    expect(await shared?.(files)).toEqual(expected);
  },
);

test("a thread that fails leaves everything to this one", async () => {
  const thread = async (_: string, data: unknown): Promise<never> => {
    Atomics.add((data as SharedRequest).taken, 0, 3);
    throw new Error("out of memory");
  };
  expect(await shareValidation(texts, NAMESPACE, { thread })?.(files)).toEqual(expected);
});

test("no thread where there is none, or for little", () => {
  expect(shareValidation(texts, NAMESPACE, {})).toBeUndefined();
  expect(shareValidation([{ file: "one.yaml", text: WRONG }], NAMESPACE, { thread: leaving(0) })).toBeUndefined();
});

test("there is something to find on both sides", () => {
  const wrong = expected.map((findings, index) => (findings.length > 0 ? index : -1)).filter((index) => index >= 0);
  expect(wrong.length).toBeGreaterThan(8);
  expect(wrong.at(-1)).toBeGreaterThan(expected.length - 5);
});
