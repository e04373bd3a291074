import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gatewayApiKinds, type MeshKindName, meshKinds } from "../../../src/gen/mesh-kinds.ts";
import { readManifests } from "../../../src/resources/manifests.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { schemaFindings } from "../../../src/validation/schema.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";
import { createRestClient, type RestClient } from "../../support/kube/rest-client.ts";
import { mutated } from "../../support/mutate.ts";

/** Our CRDs at a real kube-apiserver: structural, established, and of one mind with our validators. */
const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
let server: RealApiServer;
let client: RestClient;

beforeAll(async () => {
  server = await startApiServer();
  client = createRestClient({ url: server.url, ca: server.caPem, token: server.adminToken });
  await kubectl("apply", "--server-side", "-f", join(root, "manifests/base/crds"));
  await kubectl("apply", "--server-side", "-f", join(root, "manifests/gateway-api"));
  await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(join(server.assets, "kubectl"), ["--kubeconfig", server.kubeconfig, ...args], {
    maxBuffer: 1 << 26,
  });
  return stdout;
}

/** What the API server says to an object: the object itself, or why it is refused. */
interface Answer {
  readonly status: number;
  readonly object: KubeObject;
  readonly message: string | undefined;
}

/** Asks for an object that nobody keeps. Unknown fields are refused unless `loose`. */
async function dryRun(object: KubeObject, options: { readonly loose?: boolean } = {}): Promise<Answer> {
  const { plural } = meshKinds[object.kind as MeshKindName];
  const validation = options.loose === true ? "Ignore" : "Strict";
  const query = `dryRun=All&fieldValidation=${validation}`;
  return answered(await client.post(`/apis/${object.apiVersion}/namespaces/default/${plural}?${query}`, object));
}

function answered({ status, body }: { readonly status: number; readonly body: unknown }): Answer {
  return { status, object: body as KubeObject, message: (body as { readonly message?: string }).message };
}

/** The object under a name of ours, in one of the versions that are served. */
function inVersion(object: KubeObject, version: string): KubeObject {
  const { group } = meshKinds[object.kind as MeshKindName];
  const { namespace: _namespace, ...rest } = object;
  return { ...rest, apiVersion: `${group}/${version}`, kind: object.kind, metadata: { name: "x" } };
}

function taken({ kind, spec }: KubeObject): boolean {
  const about = { kind, apiVersion: "", metadata: { name: "x" } };
  return schemaFindings(kind, spec === undefined ? about : { ...about, spec }).length === 0;
}

test("every CRD is accepted as structural, with its names, versions and scope", async () => {
  const { items } = JSON.parse(await kubectl("get", "crd", "-o", "json")) as { items: readonly Crd[] };
  const served = items.map(({ spec, status }) => ({
    kind: spec.names.kind,
    group: spec.group,
    versions: spec.versions.map(({ name }) => name),
    stored: status.storedVersions,
    namespaced: spec.scope === "Namespaced",
    problems: status.conditions.filter(({ type }) => type === "NonStructuralSchema"),
  }));
  const expected = [...Object.values(meshKinds), ...Object.values(gatewayApiKinds)].map((about) => ({
    kind: about.kind,
    group: about.group,
    versions: [...about.versions],
    stored: [about.stored],
    namespaced: about.namespaced,
    problems: [],
  }));
  expect(served.toSorted(byKind)).toEqual(expected.toSorted(byKind));
});

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string }[];
  };
  readonly status: {
    readonly storedVersions: readonly string[];
    readonly conditions: readonly { readonly type: string }[];
  };
}

function byKind(a: { readonly kind: string; readonly group: string }, b: typeof a): number {
  return `${a.kind} ${a.group}` < `${b.kind} ${b.group}` ? -1 : 1;
}

test("objects with every field of every kind are taken in every version, and lose no field", async () => {
  const objects = await meshObjects(["test/e2e/apiserver/testdata/objects/all-fields.yaml"]);
  expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(Object.keys(meshKinds)));
  for (const object of objects) {
    expect(schemaFindings(object.kind, object)).toEqual([]);
    for (const version of meshKinds[object.kind as MeshKindName].versions) {
      const answer = await dryRun(inVersion(object, version));
      expect([answer.status, answer.message]).toEqual([201, undefined]);
      expect(answer.object.spec).toEqual(object.spec);
    }
  }
});

test("the API server and our schemas give the same verdict of every object in docs, samples and tests", async () => {
  const objects = await meshObjects([
    ...(await filesBelow("docs", ".md")),
    ...(await filesBelow("samples", ".yaml")),
    ...(await filesBelow("test/validation/testdata", ".yaml")),
  ]);
  expect(objects.length).toBeGreaterThan(100);
  const verdicts = objects.map((object) => verdictOf(object));
  expect((await Promise.all(verdicts)).filter(({ ours, theirs }) => ours !== theirs)).toEqual([]);
});

async function verdictOf(object: KubeObject): Promise<Verdict> {
  const { versions } = meshKinds[object.kind as MeshKindName];
  const { status, message } = await dryRun(inVersion(object, versions[0]));
  const { kind, metadata, spec } = object;
  return { ours: taken(object), theirs: status === 201, kind, name: metadata.name, said: message, spec };
}

interface Verdict {
  readonly ours: boolean;
  readonly theirs: boolean;
  readonly kind: string;
  readonly name: string;
  readonly said: unknown;
  readonly spec: unknown;
}

test("whoever breaks a rule of a CRD is refused by the API server itself, with the rule's words", async () => {
  const cases = await meshObjects(["test/validation/crd-rules/refused.yaml"]);
  expect(cases.length).toBeGreaterThan(100);
  for (const object of cases) {
    const { versions } = meshKinds[object.kind as MeshKindName];
    const { status, message } = await dryRun(inVersion(object, versions[0]));
    const breaks = object.metadata.annotations?.["breaks"] ?? "";
    expect([object.metadata.name, status]).toEqual([object.metadata.name, 422]);
    // groups and keyed lists have the server's own words
    if (!/^expected|^two entries/.test(breaks)) expect(message).toContain(breaks);
  }
});

test("mutated objects: the API server and our schemas give the same verdict", async () => {
  const objects = await meshObjects(["test/e2e/apiserver/testdata/objects/all-fields.yaml"]);
  const samples = fc.sample(mutated(objects), { seed: 20261121, numRuns: 800 });
  const verdicts = await Promise.all(samples.map((object) => verdictOf(object)));
  expect(verdicts.filter(({ theirs }) => theirs).length).toBeGreaterThan(100);
  expect(verdicts.filter(({ ours, theirs }) => ours !== theirs).slice(0, 3)).toEqual([]);
});

test("fields nobody knows are pruned, but kept where a part is free", async () => {
  const vs = { spec: { hosts: ["a"], htpp: [], http: [{ unknown: 1 }] } };
  const pruned = await dryRun(mesh("VirtualService", vs), { loose: true });
  expect(pruned.object.spec).toEqual({ hosts: ["a"], http: [{}] });
  const config = { any: { thing: [1, { at: "all" }] } };
  const plugin = await dryRun(mesh("WasmPlugin", { spec: { url: "oci://a/b", pluginConfig: config } }));
  expect(plugin.object.spec).toEqual({ url: "oci://a/b", pluginConfig: config });
  const patch = { operation: "MERGE", value: config };
  const spec = { configPatches: [{ applyTo: "CLUSTER", patch }] };
  expect((await dryRun(mesh("EnvoyFilter", { spec }))).object.spec).toEqual(spec);
});

test("a status is kept as it is written, known fields in their types and others too", async () => {
  const path = "/apis/networking.istio.io/v1/namespaces/default/gateways";
  const created = await client.post(path, mesh("Gateway", { spec: { servers: [] } }));
  expect(created.status).toBe(201);
  const status = {
    observedGeneration: 1,
    conditions: [{ type: "Reconciled", status: "True", observedGeneration: "1" }],
    validationMessages: [{ level: "WARNING", type: { name: "A", code: "IST0001" }, documentationUrl: "https://a" }],
    ours: { more: true },
  };
  const written = answered(await client.patch(`${path}/x/status`, "merge", { status }));
  expect([written.status, written.object.status]).toEqual([200, status]);
  const bad = await client.patch(`${path}/x/status`, "merge", { status: { conditions: "none" } });
  expect(bad.status).toBe(422);
});

function mesh(kind: MeshKindName, rest: object): KubeObject {
  return inVersion({ kind, apiVersion: "", metadata: { name: "x" }, ...rest }, meshKinds[kind].versions[0]);
}

test("kubectl shows the columns of the schemas and explains fields in our words", async () => {
  const explained = await kubectl("explain", "destinationrule.spec.subsets.name");
  expect(explained).toContain("Name that routes use.");
  const crd = await kubectl("get", "crd", "serviceentries.networking.istio.io", "-o", "json");
  expect(crd).toContain('"jsonPath": ".spec.resolution"');
});

async function filesBelow(folder: string, ending: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { recursive: true });
  return entries.filter((file) => file.endsWith(ending)).map((file) => `${folder}/${file}`);
}

/** Objects of the mesh in YAML files and in the YAML of Markdown pages; what cannot be read, or has no kind of ours, is left out. */
async function meshObjects(files: readonly string[]): Promise<readonly KubeObject[]> {
  const texts = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(root, name), "utf8");
      if (!name.endsWith(".md")) return [{ file: name, text }];
      return [...text.matchAll(/```yaml[^\n]*\n(.*?)```/gs)].map(([, block = ""]) => ({ file: name, text: block }));
    }),
  );
  const { objects } = readManifests(texts.flat());
  return objects
    .map(({ object }) => object)
    .filter(({ kind, apiVersion }) => kind in meshKinds && /(?:istio|meshctl)\.io\//.test(apiVersion));
}
