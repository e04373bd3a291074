import { expect, test } from "vitest";
import { completeManifests, readManifests } from "../../src/resources/manifests.ts";
import { isClusterScoped } from "../../src/resources/files-world.ts";

const read = (text: string): ReturnType<typeof readManifests> => readManifests([{ file: "a.yaml", text }]);
const SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n";

test("several documents, comments between them, byte order mark, Windows line ends", () => {
  const { objects, findings } = read(
    `\uFEFF---\n# nothing\n--- # first\n${SERVICE}---\n\n---\n${SERVICE}`.replaceAll("\n", "\r\n"),
  );
  expect(findings).toEqual([]);
  expect(objects.map(({ object, position }) => [object.metadata.name, position(["metadata", "name"]).line])).toEqual([
    ["web", 7],
    ["web", 14],
  ]);
});

test("Lists are taken apart, nested ones too, with positions in the List", () => {
  const text = `apiVersion: v1\nkind: List\nitems:\n- kind: ServiceList\n  apiVersion: v1\n  items:\n  - apiVersion: v1\n    kind: Service\n    metadata: {name: a}\n`;
  const { objects } = read(text);
  expect(objects.map(({ object }) => object.metadata.name)).toEqual(["a"]);
  expect(objects[0]?.position(["metadata", "name"])).toEqual({ file: "a.yaml", line: 9, column: 16 });
});

test("JSON is read, tabs and all", () => {
  const { objects, findings } = read(`{\n\t"apiVersion": "v1",\n\t"kind": "Service", "metadata": {"name": "a"}\n}`);
  expect(findings).toEqual([]);
  expect(objects[0]?.object.kind).toBe("Service");
  expect(objects[0]?.position(["kind"])).toMatchObject({ line: 3, column: 2 });
});

test("a path that is not there gives its nearest existing parent; a value has its own place", () => {
  const [object] = read(`${SERVICE}spec:\n  ports:\n    - port: 80\n`).objects;
  expect(object?.position(["spec", "ports", 0, "name"])).toMatchObject({ line: 7, column: 7 });
  expect(object?.position(["spec", "ports", 0, "port"], "value")).toMatchObject({ line: 7, column: 13 });
  expect(object?.position(["spec", "selector", "app"])).toMatchObject({ line: 5, column: 1 });
  expect(object?.position([])).toMatchObject({ line: 1, column: 1 });
});

test("anchors and merge keys are followed for values and for positions", () => {
  const [object] = read(`${SERVICE}one: &x\n  a: 1\ntwo:\n  <<: *x\n  b: 2\nthree: *x\n`).objects;
  expect(object?.object["two"]).toEqual({ a: 1, b: 2 });
  expect(object?.position(["three", "a"])).toMatchObject({ line: 6, column: 3 });
});

test.each([
  ["a tab in indentation", `${SERVICE}spec:\n\tports: []\n`, 6, 1, /spaces/],
  ["a key given twice", `${SERVICE}kind: Service\n`, 5, 1, /keep the last one/],
  ["a colon in a value", "apiVersion: v1\nkind: a: b\n", 2, 8, /quotes/],
  ["an infinite number", `${SERVICE}x: .inf\n`, 5, 4, /finite/],
] as const)("%s: line, column and what to do", (...[, text, line, column, hint]) => {
  const { findings } = read(`# comment\n---\n${text}---\n${SERVICE}`);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ code: "MSH0001", position: { file: "a.yaml", line: line + 2, column } });
  expect(findings[0]?.args["hint"]).toMatch(hint);
});

test("an error in one document does not hide the others", () => {
  const { objects, findings } = read(`a: [\n---\n${SERVICE}`);
  expect(objects).toHaveLength(1);
  expect(findings.map(({ code }) => code)).toEqual(["MSH0001"]);
});

test.each([
  ["a list", "- a\n", "MSH0003"],
  ["a text", "hello\n", "MSH0003"],
  ["values of a chart", "replicas: 3\n", "MSH0003"],
  ["no kind", "apiVersion: v1\nmetadata: {name: a}\n", "MSH0002"],
  ["no name", "apiVersion: v1\nkind: Service\n", "MSH0002"],
  ["metadata of another type", "apiVersion: v1\nkind: Service\nmetadata: 5\n", "MSH0002"],
])("%s is no object", (_name, text, code) => {
  const { objects, findings } = read(text);
  expect(objects).toEqual([]);
  expect(findings.map((finding) => finding.code)).toEqual([code]);
});

test("namespaces are filled in where the kind has one; the last of two definitions counts", () => {
  const text = `${SERVICE}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n${SERVICE}  namespace: web\n---\n${SERVICE}  labels: {v: "2"}\n`;
  const { objects, findings } = completeManifests(read(text).objects, "web", isClusterScoped);
  expect(objects.map(({ object }) => [object.kind, object.metadata.namespace, object.metadata.labels])).toEqual([
    ["Namespace", undefined, undefined],
    ["Service", "web", { v: "2" }],
  ]);
  expect(findings.map(({ code, position }) => [code, position?.line])).toEqual([
    ["MSH0004", 1],
    ["MSH0004", 10],
  ]);
});
