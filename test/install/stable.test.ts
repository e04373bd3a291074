import fc from "fast-check";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeObjectFiles } from "../../src/commands/object-files.ts";
import { profileNames } from "../../src/install/profiles.ts";
import { render, renderManifests, type Manifest } from "../../src/install/render.ts";
import { readSettings } from "../../src/install/settings.ts";
import { toYaml } from "../../src/resources/yaml-plain.ts";
import { renderedObjects } from "../support/injection.ts";

const LINES = [
  "hub=example.org/mesh",
  "revision=canary",
  "meshConfig.accessLogFile=/dev/stdout",
  "components.pilot.k8s.replicaCount=2",
  "components.pilot.k8s.nodeSelector.disk=ssd",
  "components.ingressGateways[name:inside].k8s.service.type=ClusterIP",
  "values.global.proxy.logLevel=debug",
  "values.pilot.autoscaleEnabled=true",
  "values.experimental.stableValidationPolicy=true",
];

const manifests = (profile: string, set: readonly string[] = []): readonly Manifest[] =>
  renderManifests(readSettings({ profile, set }).settings);
const bytes = (profile: string, set: readonly string[]): string =>
  manifests(profile, set)
    .map(({ text }) => text)
    .join("---\n");

test("the same settings give the same bytes, in whatever order they are asked for", () => {
  const asked = fc.record({ profile: fc.constantFrom(...profileNames()), set: fc.shuffledSubarray(LINES) });
  // the definitions of kinds are most of the text and know of the settings only what their labels tell
  const objects = (profile: string, set: readonly string[]): string[] =>
    manifests(profile, set)
      .filter(({ kind }, index) => kind !== "CustomResourceDefinition" || index === 0)
      .map(({ text }) => toSorted(text))
      .sort();
  fc.assert(
    fc.property(asked, ({ profile, set }) => {
      expect(bytes(profile, set)).toBe(bytes(profile, set));
      expect(objects(profile, set.toSorted())).toEqual(objects(profile, set));
    }),
    { numRuns: 20 },
  );
});

test.each([
  ["demo", ["revision=canary", "namespace=mesh"]],
  ["remote", []],
  ["stable", ["hub=example.org/mesh"]],
  ["empty", []],
])("%s as text is letter by letter its objects as YAML", (profile, set) => {
  const parts = render(readSettings({ profile, set }).settings);
  const texts = parts.flatMap(({ objects }) => objects.map((object) => toYaml(object)));
  expect(manifests(profile, set).map(({ text }) => text)).toEqual(texts);
  const of = parts.flatMap(({ component, objects }) => objects.map(({ kind }) => `${component} ${kind}`));
  expect(manifests(profile, set).map(({ component, kind }) => `${component} ${kind}`)).toEqual(of);
});

/** Lines of an object without regard to their order: maps keep the order in which their keys were set. */
function toSorted(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(/,$/, ""))
    .sort()
    .join("\n");
}

test("a folder holds a file per object, and a kustomization in the order of applying; what is gone goes, others' files stay", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "meshctl-objects-"));
  try {
    const demo = manifests("demo");
    expect(await writeObjectFiles("out", demo, { cwd })).toEqual({ written: demo.length, removed: 0 });
    const folder = join(cwd, "out");
    await writeFile(join(folder, "mine.yaml"), "kind: Mine\n");
    const minimal = manifests("minimal");
    const { written, removed } = await writeObjectFiles("out", minimal, { cwd });
    expect([written, removed]).toEqual([minimal.length, demo.length - minimal.length]);
    const files = await readdir(folder);
    expect(files).toContain("mine.yaml");
    expect(files.length).toBe(minimal.length + 2);
    expect(await readFile(join(folder, "deployment.istio-system.istiod.yaml"), "utf8")).toBe(
      minimal.find(({ kind }) => kind === "Deployment")?.text,
    );
    const listed = (await readFile(join(folder, "kustomization.yaml"), "utf8")).match(/(?<=^ {2}- ).+$/gm) ?? [];
    expect(listed.map((file) => file.split(".")[0])).toEqual(minimal.map(({ kind }) => kind.toLowerCase()));
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("a revision has names of its own, and leaves what only the default one answers to the default one", () => {
  const objects = renderedObjects("minimal", ["revision=canary"]);
  const own = objects.filter(({ kind }) => kind !== "CustomResourceDefinition");
  expect(own.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    "ServiceAccount istiod-canary",
    "ClusterRole istiod-clusterrole-canary-istio-system",
    "ClusterRoleBinding istiod-clusterrole-canary-istio-system",
    "Role istiod-canary",
    "RoleBinding istiod-canary",
    "ConfigMap istio-canary",
    "ConfigMap istio-sidecar-injector-canary",
    "Service istiod-canary",
    "Deployment istiod-canary",
    "MutatingWebhookConfiguration istio-sidecar-injector-canary",
    "ValidatingWebhookConfiguration istio-validator-canary-istio-system",
  ]);
  const hooks = own.flatMap((object) => (object["webhooks"] ?? []) as { name: string }[]).map(({ name }) => name);
  expect(hooks).toEqual([
    "rev.namespace.sidecar-injector.istio.io",
    "rev.object.sidecar-injector.istio.io",
    "rev.validation.istio.io",
    "rev.deletion.audit.meshctl.io",
  ]);
  const mesh = own.find(({ metadata }) => metadata.name === "istio-canary")?.["data"] as { mesh: string };
  expect(mesh.mesh).toContain("discoveryAddress: istiod-canary.istio-system.svc:15012");
  expect(own.every(({ metadata }) => metadata.labels?.["istio.io/rev"] === "canary")).toBe(true);
});

test("overlays change single objects at the end; one that is not rendered is refused", () => {
  const patch = (kind: string): string =>
    `components.pilot.k8s.overlays=[{kind: ${kind}, name: istiod, patches: [{path: "spec.template.spec.containers.[name:discovery].args.[0]", value: x}, {path: spec.strategy}]}]`;
  const istiod = renderedObjects("minimal", [patch("Deployment")]).find(({ kind }) => kind === "Deployment");
  expect(istiod?.spec).toMatchObject({ template: { spec: { containers: [{ name: "discovery", args: { 0: "x" } }] } } });
  expect(istiod?.spec).not.toHaveProperty("strategy");
  expect(() => renderedObjects("minimal", [patch("DaemonSet")])).toThrow("overlays: there is no DaemonSet istiod");
});
