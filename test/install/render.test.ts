import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.ts";
import { KIND_ORDER } from "../../src/install/render.ts";
import { profileNames } from "../../src/install/profiles.ts";
import { settingsOf } from "../../src/install/settings.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { parseYaml, toYaml } from "../../src/resources/yaml-plain.ts";
import { expectGolden, expectNoStaleGoldens } from "../support/golden.ts";
import { renderedObjects } from "../support/injection.ts";

const folder = join(import.meta.dirname, "testdata");
const golden = (name: string): string => join(folder, `${name}.yaml`);
const OTHERS = profileNames().filter((profile) => profile !== "default");
const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;

/** Without CRDs (schemas/ has its own goldens) and without the injection templates (test/inject has them). */
function reviewable(object: KubeObject): KubeObject {
  const data = object["data"] as Record<string, string> | undefined;
  const { labels, ...metadata } = object.metadata;
  const own = Object.entries(labels ?? {}).filter(
    ([key]) => !/^(operator|install\.operator)\.istio|^app\.kubern/.test(key),
  );
  return {
    ...object,
    metadata: { ...metadata, labels: Object.fromEntries(own) },
    ...(data?.["config"] === undefined ? {} : { data: { ...data, config: "(manifests/injection)" } }),
  };
}

test("default: every object, one golden per kind of component", () => {
  const objects = renderedObjects("default").filter(({ kind }) => kind !== "CustomResourceDefinition");
  const parts = {
    "default.rbac": objects.filter(({ kind }) => /Role|ServiceAccount/.test(kind)),
    "default.webhooks": objects.filter(({ kind }) => kind.endsWith("WebhookConfiguration")),
    "default.config": objects.filter(({ kind }) => kind === "ConfigMap"),
    "default.workloads": objects.filter(({ kind }) => ["Deployment", "Service"].includes(kind)),
  };
  expect(Object.values(parts).flat().length).toBe(objects.length);
  for (const [name, list] of Object.entries(parts))
    expectGolden(golden(name), list.map((object) => `---\n${toYaml(reviewable(object))}`).join(""));
});

test.each(OTHERS)("%s: only what differs from default", (profile) => {
  const base = new Map(renderedObjects("default").map((object) => [nameOf(object), reviewable(object)]));
  const own = new Map(renderedObjects(profile).map((object) => [nameOf(object), reviewable(object)]));
  const lines = [...new Set([...base.keys(), ...own.keys()])].sort().flatMap((name) => {
    const [before, after] = [base.get(name), own.get(name)];
    if (after === undefined) return [`- ${name}`];
    return before === undefined ? [`+ ${name}`] : differences(before, after, "").map((line) => `${name}${line}`);
  });
  expectGolden(golden(`${profile}.difference`), `${lines.join("\n")}\n`);
});

test("every golden belongs to a test", () => {
  const parts = ["rbac", "webhooks", "config", "workloads"].map((part) => `default.${part}.yaml`);
  const others = OTHERS.map((profile) => `${profile}.difference.yaml`);
  expectNoStaleGoldens(folder, [...parts, ...others]);
  expect(profileNames()).toEqual([
    "ci",
    "default",
    "demo",
    "empty",
    "local",
    "minimal",
    "preview",
    "production",
    "remote",
    "stable",
  ]);
  expect(readdirSync(join(import.meta.dirname, "../../manifests/profiles")).sort()).toEqual(
    profileNames().map((name) => `${name}.yaml`),
  );
});

function differences(before: unknown, after: unknown, path: string): string[] {
  if (typeof before === "string" && typeof after === "string" && before !== after && before.includes("\n"))
    return differences(parseYaml(before), parseYaml(after), path);
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const isTree = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isTree(before) || !isTree(after)) return [` ${path}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    differences((before as Record<string, unknown>)[key], (after as Record<string, unknown>)[key], `${path}.${key}`),
  );
}

test("all objects have the ownership labels, a known kind, and no hole left unfilled", () => {
  for (const object of renderedObjects("demo")) {
    expect(KIND_ORDER, nameOf(object)).toContain(object.kind);
    expect(object.metadata.labels, nameOf(object)).toMatchObject({
      "operator.istio.io/managed": "Reconcile",
      "install.operator.istio.io/owning-resource-namespace": "istio-system",
    });
    if (object.kind !== "ConfigMap") expect(JSON.stringify(object), nameOf(object)).not.toContain("${");
  }
});

test("hub, tag, namespace and every other setting reach the objects", () => {
  const objects = renderedObjects("default", [
    "hub=example.org/mesh",
    "tag=9.9",
    "namespace=mesh",
    "components.pilot.k8s.replicaCount=3",
    "components.pilot.k8s.env.LOG=x",
    "meshConfig.accessLogFile=/dev/stdout",
    "meshConfig.defaultConfig.concurrency=2",
    "values.global.proxy.interceptionMode=NONE",
    "components.ingressGateways[0].enabled=false",
  ]);
  const text = JSON.stringify(objects.filter(({ kind }) => kind !== "CustomResourceDefinition"));
  expect(text).not.toContain("istio-system");
  expect(text).not.toContain("istio-ingressgateway");
  const istiod = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "istiod");
  expect(istiod?.spec).toMatchObject({
    replicas: 3,
    template: { spec: { containers: [{ image: "example.org/mesh/meshd:9.9" }] } },
  });
  expect(text).toContain('{"name":"LOG","value":"x"}');
  expect(text).toContain("accessLogFile: /dev/stdout\\n");
  expect(text).toContain("concurrency: 2\\n");
});

test("network policies where they are asked for: each lets in what its pods serve", () => {
  const isPolicy = ({ kind }: { readonly kind: string }): boolean => kind === "NetworkPolicy";
  expect(renderedObjects("default").filter(isPolicy)).toEqual([]);
  const policies = renderedObjects("demo", ["values.global.networkPolicy.enabled=true"]).filter(isPolicy);
  const open = policies.map(({ metadata, spec }) => {
    const { ingress, podSelector } = spec as {
      readonly ingress: readonly { readonly ports: readonly { readonly port: number }[] }[];
      readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
    };
    expect(podSelector.matchLabels["app"]).toBe(metadata.name);
    return [metadata.name, ingress.flatMap(({ ports }) => ports.map(({ port }) => port))];
  });
  expect(Object.fromEntries(open)).toEqual({
    istiod: [15012, 15017, 15014, 8080],
    "istio-ingressgateway": [15021, 8080, 8443, 31400, 15443, 15020, 15090],
    "istio-egressgateway": [8080, 8443, 15021, 15020, 15090],
  });
});

test.each([
  ["values.global.proxy.logLevl=info", /no setting values\.global\.proxy\.logLevl/, /values\.global\.proxy\.logLevel/],
  ["component.pilot.enabled=true", /no setting component/, /components/],
  ["meshConfig.accesLogFile=x", /no setting meshConfig\.accesLogFile/, /meshConfig\.accessLogFile/],
  [
    "meshConfig.defaultConfig.tracing.samplng=1",
    /no setting meshConfig\.defaultConfig\.tracing\.samplng/,
    /meshConfig\.defaultConfig\.tracing\.sampling/,
  ],
  ["meshConfig.defaultConfig.concurrency=two", /expected a number/, undefined],
  ["meshConfig.enableTracing=yes", /expected true or false, got "yes"/, undefined],
  ["components.pilot.enabled=maybe", /expected true or false, got "maybe"/, undefined],
  ["components.pilot.k8s.replicaCount=two", /expected a number/, undefined],
  ["components.pilot=x", /group of settings/, /members/],
  ["noequals", /expected path=value/, undefined],
  ["a..b=1", /not a path/, undefined],
  ["profile=dmo", /unknown profile "dmo"/, /demo/],
])("--set %s is refused, with what was probably meant", (line, message, hint) => {
  let error: unknown;
  try {
    settingsOf(undefined, [line]);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UsageError);
  expect((error as UsageError).message).toMatch(message);
  if (hint !== undefined) expect((error as UsageError).hint).toMatch(hint);
});

test("--set profile=demo is --profile demo", () => {
  expect(settingsOf(undefined, ["profile=demo"])).toEqual(settingsOf("demo", []));
});

test("certificates from elsewhere: the control plane has a place for its own, the rate limit service asks the same issuer", () => {
  const deployment = (name: string, set: readonly string[]): string => {
    const found = renderedObjects("default", set).find(
      (each) => each.kind === "Deployment" && each.metadata.name === name,
    );
    return JSON.stringify(found);
  };
  const env = "components.pilot.k8s.env.ENABLE_CA_SERVER";
  const volume = '{"name":"istio-csr-dns-cert","secret":{"secretName":"istiod-tls","optional":true}}';
  expect(deployment("istiod", [`${env}=false`])).toContain(volume);
  for (const set of [[], [`${env}=true`]]) expect(deployment("istiod", set)).not.toContain("istio-csr");
  const limits = "values.ratelimit.enabled=true";
  const issuer = "cert-manager-istio-csr.cert-manager.svc:443";
  const asked = (address: string): string => `{"name":"CA_ADDR","value":"${address}"}`;
  expect(deployment("ratelimit", [limits])).toContain(asked("istiod.istio-system.svc:15012"));
  expect(deployment("ratelimit", [limits, `values.global.caAddress=${issuer}`])).toContain(asked(issuer));
});
