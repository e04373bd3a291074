import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { meshKinds } from "../../../src/gen/mesh-kinds.ts";
import { isClusterScoped } from "../../../src/resources/files-world.ts";
import { completeManifests, readManifests } from "../../../src/resources/manifests.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { validateObject } from "../../../src/validation/index.ts";
import { type RealApiServer, startApiServer } from "../../support/kube/apiserver.ts";

/** Our CRDs at a real kube-apiserver: structural, established, and of one mind with our validators. */
const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
let server: RealApiServer;
let scratch: string;

beforeAll(async () => {
  server = await startApiServer();
  scratch = await mkdtemp(join(tmpdir(), "meshctl-crds-"));
  await kubectl("apply", "--server-side", "-f", join(root, "manifests/base/crds"));
  await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(join(server.assets, "kubectl"), ["--kubeconfig", server.kubeconfig, ...args], {
    maxBuffer: 1 << 26,
  });
  return stdout;
}

test("every CRD is accepted as structural, with its names and versions", async () => {
  const { items } = JSON.parse(await kubectl("get", "crd", "-o", "json")) as { items: Crd[] };
  const served = items.map(({ spec, status }) => ({
    kind: spec.names.kind,
    group: spec.group,
    versions: spec.versions.map(({ name }) => name),
    stored: status.storedVersions,
    problems: status.conditions.filter(({ type }) => type === "NonStructuralSchema"),
  }));
  const expected = Object.entries(meshKinds).map(([kind, { group, versions }]) => ({
    kind,
    group,
    versions: [...versions],
    stored: [versions[0]],
    problems: [],
  }));
  expect(served.toSorted(byKind)).toEqual(expected.toSorted(byKind));
});

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string }[];
  };
  readonly status: {
    readonly storedVersions: readonly string[];
    readonly conditions: readonly { readonly type: string }[];
  };
}

function byKind(a: { readonly kind: string }, b: { readonly kind: string }): number {
  return a.kind < b.kind ? -1 : 1;
}

test("what our validators take, the API server takes, in every version, and loses no field of it", async () => {
  const objects = await meshObjects();
  expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(Object.keys(meshKinds)));
  for (const object of objects) {
    expect(validateObject(object).filter(({ args }) => String(args["rule"]).startsWith("schema-"))).toEqual([]);
    const { group, versions } = meshKinds[object.kind as keyof typeof meshKinds];
    for (const version of versions) {
      const file = join(scratch, "object.json");
      await writeFile(file, JSON.stringify({ ...object, apiVersion: `${group}/${version}` }));
      const answer = JSON.parse(
        await kubectl("create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", file),
      ) as KubeObject;
      expect(answer.spec).toEqual(object.spec);
    }
  }
});

/** Objects of the mesh in the samples and in this test's data, one namespace for all. */
async function meshObjects(): Promise<readonly KubeObject[]> {
  const texts: { file: string; text: string }[] = [];
  for (const folder of ["samples/getting-started", "test/e2e/apiserver/testdata/objects"])
    for (const file of (await readdir(join(root, folder))).toSorted())
      if (file.endsWith(".yaml")) texts.push({ file, text: await readFile(join(root, folder, file), "utf8") });
  const { objects, findings } = readManifests(texts);
  expect(findings).toEqual([]);
  return completeManifests(objects, "default", isClusterScoped)
    .objects.map(({ object }) => object)
    .filter(({ kind }) => kind in meshKinds);
}

test.each([
  ["an unknown field", "VirtualService", { hosts: ["a"], htpp: [] }],
  ["a field of another type", "VirtualService", { hosts: "a" }],
  ["two conditions at once", "VirtualService", { http: [{ match: [{ uri: { exact: "/a", prefix: "/b" } }] }] }],
  ["a word that is none of the allowed", "PeerAuthentication", { mtls: { mode: "STRIKT" } }],
  ["a port that is none", "ServiceEntry", { hosts: ["a.b"], ports: [{ number: 70000, name: "x" }] }],
  ["a duration without unit", "DestinationRule", { host: "a", trafficPolicy: { outlierDetection: { interval: "5" } } }],
  ["a field that is missing", "DestinationRule", {}],
] as const)("%s is refused by both", async (_title, kind, spec) => {
  const { group, versions } = meshKinds[kind];
  const object = { apiVersion: `${group}/${versions[0]}`, kind, metadata: { name: "bad", namespace: "default" }, spec };
  expect(validateObject(object).map(({ level }) => level)).toContain("Error");
  const file = join(scratch, "bad.json");
  await writeFile(file, JSON.stringify(object));
  await expect(kubectl("create", "--dry-run=server", "--validate=strict", "-f", file)).rejects.toThrow(
    /invalid|unknown field|Required|BadRequest/i,
  );
});

test("kubectl shows the columns of the schemas and explains fields in our words", async () => {
  const explained = await kubectl("explain", "destinationrule.spec.subsets.name");
  expect(explained).toContain("Name that routes use.");
  const crd = await kubectl("get", "crd", "serviceentries.networking.istio.io", "-o", "json");
  expect(crd).toContain('"jsonPath": ".spec.resolution"');
});
