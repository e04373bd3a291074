import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { largeMeshes } from "../../scripts/corpus/large.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { findingsOf, readCorpus, runCli } from "../support/corpus.ts";
import { similarity, structureOf } from "../support/mesh-structure.ts";

const meshes = await readCorpus();
const texts = (mesh: (typeof meshes)[number]): readonly string[] => mesh.files.map(({ text }) => text);
const sizeOf = (mesh: (typeof meshes)[number]): number => texts(mesh).flatMap((text) => readValues(text)).length;

/** From here on two meshes count as one. */
const CLONE = 0.85;

test("there are at least 34 meshes, from small ones to 300 objects", () => {
  expect(meshes.length).toBeGreaterThanOrEqual(34);
  const sizes = meshes.map(sizeOf);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(4);
  expect(Math.max(...sizes)).toBeGreaterThanOrEqual(200);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(300);
});

test("no mesh is a clone of another: kinds and fields differ", () => {
  const structures = meshes.map((mesh) => ({ name: mesh.name, structure: structureOf(texts(mesh)) }));
  const clones = structures.flatMap(({ name, structure }, index) =>
    structures
      .slice(index + 1)
      .map((other) => ({ pair: `${name} and ${other.name}`, alike: similarity(structure, other.structure) }))
      .filter(({ alike }) => alike >= CLONE),
  );
  expect(clones).toEqual([]);
});

test("the measure sees a clone under other names, and more of the same", () => {
  const [mesh] = meshes;
  if (mesh === undefined) throw new Error("no mesh");
  const renamed = texts(mesh).map((text) => text.replaceAll(/name: (\w)/g, "name: x$1"));
  const original = structureOf(texts(mesh));
  expect(similarity(original, structureOf(renamed))).toBe(1);
  expect(similarity(original, structureOf([...texts(mesh), ...renamed]))).toBe(1);
});

test("the large meshes are what scripts/corpus.ts writes", () => {
  for (const [name, text] of Object.entries(largeMeshes())) {
    const kept = readFileSync(join(import.meta.dirname, "../corpus", name, "mesh.yaml"), "utf8");
    expect(kept === text, `${name} is not what the script writes: run npx tsx scripts/corpus.ts`).toBe(true);
  }
});

test("the corpus as a whole uses every kind of the mesh", () => {
  const kinds = new Set(meshes.flatMap((mesh) => texts(mesh).flatMap((text) => readValues(text).map(nameOfKind))));
  for (const kind of KINDS) expect(kinds, kind).toContain(kind);
});

const SAMPLES = [
  ["samples/getting-started"],
  ...["canary-90-10.yaml", "canary-50-50.yaml"].map((canary) =>
    ["namespace.yaml", "shop.yaml", "gateway.yaml", "strict-mtls.yaml", canary].map((file) => `samples/shop/${file}`),
  ),
];

test.each(SAMPLES.map((files) => [files.join(" "), files] as const))(
  "%s: nothing is said about it",
  async (_name, files) => {
    const { stdout, exitCode } = await runCli(["analyze", "--use-kube=false", "-o", "json", ...files]);
    expect(saidAbout(stdout)).toEqual([]);
    expect(exitCode).toBe(0);
  },
);

/** Whole objects in the docs; pages of codes have tests of their own, and fragments are no objects. */
function examplesIn(folder: string): readonly string[] {
  const docs = join(import.meta.dirname, "../../docs", folder);
  return readdirSync(docs, { recursive: true, encoding: "utf8" })
    .filter((page) => page.endsWith(".md"))
    .flatMap((page) => [...readFileSync(join(docs, page), "utf8").matchAll(/^```yaml\n([\s\S]*?)^```/gm)])
    .flatMap(([, text = ""]) => (/^apiVersion: /m.test(text) && /^metadata:/m.test(text) ? [text] : []));
}

test("examples of the reference pages are one mesh, and nothing is said about it", async () => {
  const examples = examplesIn("reference");
  expect(examples.length).toBeGreaterThanOrEqual(20);
  const { stdout } = await runCli(["analyze", "--use-kube=false", "-o", "json", "-"], examples.join("---\n"));
  expect(saidAbout(stdout)).toEqual([]);
});

test.each(examplesIn("guides"))("example of a guide: nothing is said about it", async (text) => {
  const { stdout } = await runCli(["analyze", "--use-kube=false", "-o", "json", "-"], text);
  expect(saidAbout(stdout)).toEqual([]);
});

test.each(meshes.map((mesh) => [mesh.name, mesh] as const))("%s: nothing is said about it", async (_name, mesh) => {
  const text = texts(mesh).join("\n---\n");
  const validated = await runCli(["validate", "-f", "-"], text);
  expect(validated.stdout).not.toMatch(/error|warning/i);
  expect(validated.exitCode).toBe(0);
  const analyzed = await runCli(["analyze", "--use-kube=false", "-o", "json", "-"], text);
  expect(saidAbout(analyzed.stdout)).toEqual([]);
  expect(analyzed.exitCode).toBe(0);
});

function saidAbout(report: string): readonly string[] {
  return findingsOf(report).map(({ code, origin, reference, message }) => `${code} ${origin} ${reference}: ${message}`);
}

const KINDS = [
  "AuthorizationPolicy",
  "BackendTLSPolicy",
  "DestinationRule",
  "EnvoyFilter",
  "GRPCRoute",
  "GatewayClass",
  "HTTPRoute",
  "PeerAuthentication",
  "ProxyConfig",
  "ReferenceGrant",
  "RequestAuthentication",
  "ServiceEntry",
  "Sidecar",
  "TCPRoute",
  "TLSRoute",
  "Telemetry",
  "VirtualService",
  "WasmPlugin",
  "WorkloadEntry",
  "WorkloadGroup",
  "networking.istio.io/v1 Gateway",
  "gateway.networking.k8s.io/v1 Gateway",
];

function nameOfKind(value: unknown): string {
  const { apiVersion, kind } = value as { readonly apiVersion: string; readonly kind: string };
  return kind === "Gateway" ? `${apiVersion} ${kind}` : kind;
}
