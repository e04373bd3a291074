import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readManifests } from "../../../src/resources/manifests.ts";
import { DOCUMENTS } from "../../resources/testdata/documents.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";

/** What kubectl sends and a real API server stores of each text is what we read of it; what it refuses, we refuse. */
const run = promisify(execFile);
let server: RealApiServer;
let scratch: string;

const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: blobs.meshctl.test}
spec:
  group: meshctl.test
  scope: Namespaced
  names: {kind: Blob, plural: blobs, singular: blob, listKind: BlobList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;

beforeAll(async () => {
  server = await startApiServer();
  scratch = await mkdtemp(join(tmpdir(), "meshctl-documents-"));
  await writeFile(join(scratch, "crd.yaml"), CRD);
  await kubectl("apply", "-f", join(scratch, "crd.yaml"));
  await kubectl("wait", "--for=condition=Established", "crd/blobs.meshctl.test", "--timeout=60s");
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const cache = join(scratch, "cache");
  const all = ["--kubeconfig", server.kubeconfig, "--cache-dir", cache, ...args];
  return (await run(join(server.assets, "kubectl"), all, { maxBuffer: 1 << 26 })).stdout;
}

type Fields = Readonly<Record<string, unknown>>;

/** The fields that a test is about, by the object's name. */
function fieldsOf(objects: readonly unknown[]): Readonly<Record<string, Fields>> {
  return Object.fromEntries(
    (objects as (Fields & { metadata: { name: string } })[]).map((object) => {
      const { apiVersion: _a, kind: _k, metadata, ...fields } = object;
      return [metadata.name, fields];
    }),
  );
}

/** What kubectl and the API server make of a text; "refused" when kubectl says no to any of it. */
async function theirs(name: string, text: string): Promise<unknown> {
  const file = join(scratch, `${name}.yaml`);
  await writeFile(file, text);
  try {
    await kubectl("create", "-f", file);
  } catch {
    return "refused";
  }
  const { items } = JSON.parse(await kubectl("get", "blobs", "-o", "json")) as {
    items: { metadata: { name: string } }[];
  };
  return fieldsOf(items.filter(({ metadata }) => metadata.name === name || metadata.name === `${name}b`));
}

function ours(text: string): unknown {
  const { objects, findings } = readManifests([{ file: "a.yaml", text }]);
  if (findings.some(({ code }) => code === "MSH0001")) return "refused";
  // through JSON, as kubectl sends it
  return JSON.parse(JSON.stringify(fieldsOf(objects.map(({ object }) => object)))) as unknown;
}

/** Differences that stay, with their reasons. */
const STRICTER = new Map([
  ["duplicate keys", "kubectl keeps the last one and says nothing: the other one is lost"],
  ["duplicate keys, nested", "the same"],
  ["JSON, a key twice", "the same"],
]);
const MILDER = new Map([
  ["tab in an empty line", "kubectl's reader takes it for indentation, though nothing is indented by it"],
  ["escaped pair", "halves of characters are read in JSON by kubectl too, in YAML it has a stricter reader"],
]);

function isKnown(what: string, mine: unknown, real: unknown): boolean {
  if (STRICTER.has(what)) return mine === "refused" && real !== "refused";
  return MILDER.has(what) && mine !== "refused" && real === "refused";
}

test("every text of the table is read as kubectl and the API server read it", async () => {
  expect(DOCUMENTS.length).toBeGreaterThan(60);
  const rows: (readonly [string, unknown])[] = [];
  const wanted: (readonly [string, unknown])[] = [];
  for (const [index, [what, text]] of DOCUMENTS.entries()) {
    const name = `t${index}`;
    const own = text.replaceAll("NAME", name);
    const [mine, real] = [ours(own), await theirs(name, own)];
    if (isKnown(what, mine, real)) continue;
    rows.push([what, mine]);
    wanted.push([what, real]);
  }
  expect(rows).toEqual(wanted);
});
