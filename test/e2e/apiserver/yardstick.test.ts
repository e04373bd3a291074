import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Justified, judge } from "../../support/yardstick/justified.ts";
import { type CrdObject, differences, type Structural } from "../../support/yardstick/walk.ts";

/**
 * Our CRDs against the published ones, field by field: every difference is in the reviewed list, with its reason. The published ones
 * come from the Go module proxy (npm's packages of them are older, or need a newer Node).
 */
const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);

const ISTIO = { module: "istio.io/api@v1.31.1", files: ["kubernetes/customresourcedefinitions.gen.yaml"] };

test("Istio's kinds: every difference to the published CRDs is justified, and every justification is needed", async () => {
  const theirs = await published(ISTIO.module, ISTIO.files);
  expect(theirs.length).toBeGreaterThan(10);
  const found = differences(theirs, await ours("manifests/base/crds"));
  const { open, unused } = judge(found, await justified("schemas/justified-differences.json"));
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

/** CRDs of a Go module, unpacked by the go command. */
async function published(module: string, files: readonly string[]): Promise<readonly CrdObject[]> {
  const env = { ...process.env, GOFLAGS: "-mod=mod" };
  const { stdout } = await run("go", ["mod", "download", "-json", module], { env });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const texts = await Promise.all(files.map((file) => readFile(join(Dir, file), "utf8")));
  return texts.flatMap(documents);
}

/** CRDs of a folder of ours. */
async function ours(folder: string): Promise<readonly CrdObject[]> {
  const files = await readdir(join(root, folder));
  const texts = await Promise.all(files.map((file) => readFile(join(root, folder, file), "utf8")));
  return texts.flatMap(documents);
}

function documents(text: string): readonly CrdObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS({ maxAliasCount: -1 }) as CrdObject | null)
    .filter((crd) => crd !== null);
}

async function justified(file: string): Promise<readonly Justified[]> {
  return JSON.parse(await readFile(join(root, file), "utf8")) as readonly Justified[];
}
