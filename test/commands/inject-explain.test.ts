import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import type { InjectExplainResult } from "../../src/commands/inject-explain.ts";
import type { InjectListResult } from "../../src/commands/inject-list.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { renderedObjects } from "../support/injection.ts";

const ajv = new Ajv({ strict: false, unicodeRegExp: false });

function expectValid(name: string, data: unknown): void {
  const file = new URL(`../../schemas/output/${name}.schema.json`, import.meta.url);
  const validate = ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
  expect(validate(data), JSON.stringify(validate.errors)).toBe(true);
  ajv.removeSchema(`output/${name}.schema.json`);
}

const namespace = (name: string, labels: Record<string, string>): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});
const pod = (name: string, metadata: object, containers: readonly string[] = ["app"]): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: name.split("-")[0] ?? "", ...metadata },
  spec: { containers: containers.map((each) => ({ name: each, image: "x" })) },
});
const installed = renderedObjects("default");
const tag = installed
  .filter(({ kind }) => kind === "MutatingWebhookConfiguration")
  .map((object) => ({
    ...(JSON.parse(JSON.stringify(object).replaceAll('"values":["default"]', '"values":["stable"]')) as KubeObject & {
      webhooks: { name: string }[];
    }),
    metadata: { name: "istio-revision-tag-stable", labels: { "istio.io/rev": "default", "istio.io/tag": "stable" } },
  }))
  .map((object) => ({ ...object, webhooks: object.webhooks.filter(({ name }) => name.startsWith("rev.")) }));
const cluster = fakeCluster({
  objects: [
    ...installed,
    ...tag,
    namespace("on", { "istio-injection": "enabled" }),
    namespace("tagged", { "istio.io/rev": "stable" }),
    namespace("lost", { "istio.io/rev": "gone" }),
    namespace("off", {}),
    pod("on-1", {}, ["app", "istio-proxy"]),
    pod("on-2", {}),
    pod("tagged-1", {}, ["app", "istio-proxy"]),
    pod("lost-1", {}),
    pod("off-1", { annotations: { "sidecar.istio.io/inject": "true" } }),
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "on" },
      spec: { template: { metadata: { labels: { "sidecar.istio.io/inject": "false" } }, spec: { containers: [] } } },
    },
  ],
});

async function run<T>(line: string, stdin = "") {
  const io = fakeIo({ cluster, stdin });
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  const result = (await (await parsed.spec.load())(parsed.input, io)) as T;
  return { result, stdout: io.stdout(), stderr: io.stderr() };
}

test.each([
  ["on-1.on", 0, "policy", "default"],
  ["tagged-1.tagged", 0, "policy", "default"],
  ["lost-1.lost", 1, "webhook", "gone"],
  ["off-1.off", 1, "nobody-asks", undefined],
  ["deploy/web.on", 1, "pod-refuses", undefined],
])("%s: exit code %i by rule %s", async (target, exitCode, rule, revision) => {
  const { result, stdout } = await run<InjectExplainResult>(`inject explain ${target} -o json`);
  const [explained] = result.explained;
  expect(result.exitCode).toBe(exitCode);
  expect(explained).toMatchObject({ rule, ...(revision === undefined ? {} : { revision }) });
  expectValid("inject-explain", JSON.parse(stdout));
  const yaml = await run(`inject explain ${target} -o yaml`);
  expect(parseYaml(yaml.stdout)).toEqual(JSON.parse(stdout));
});

test("a pod that is older than its namespace's label: what it has and what the next one gets", async () => {
  const { stdout, result } = await run<InjectExplainResult>("inject explain on-2 -n on");
  expect(result.exitCode).toBe(0);
  expect(stdout).toContain("It has no sidecar: that was decided when the pod was created.");
});

test("a file on top of the cluster: its webhooks and namespaces count", async () => {
  const stdin = "apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: lost }\nspec: { containers: [] }\n";
  const { result } = await run<InjectExplainResult>("inject explain - --use-cluster", stdin);
  expect(result).toMatchObject({ exitCode: 1, explained: [{ rule: "webhook", file: "stdin" }] });
  expect((await run<InjectExplainResult>("inject explain -", stdin)).result.exitCode).toBe(2);
});

test("what cannot be asked says what to write", async () => {
  await expect(run("inject explain")).rejects.toThrow("needs a pod or a file");
  await expect(run("inject explain job/x")).rejects.toThrow("names no pod");
  await expect(run("inject explain none.on")).rejects.toThrow("there is no Pod on/none");
});

test("inject list: injectors with tags, the namespaces they serve, those that nobody serves", async () => {
  const { result, stdout } = await run<InjectListResult>("inject list -o json");
  expect(result.injectors).toMatchObject([
    { name: "istio-revision-tag-stable", revision: "default", tag: "stable", namespaces: ["tagged"] },
    { name: "istio-sidecar-injector", revision: "default", policy: "enabled", namespaces: ["on"] },
  ]);
  expect(result.unserved).toEqual([
    { namespace: "lost", because: "no webhook answers to revision gone: there are those of default, stable" },
  ]);
  expectValid("inject-list", JSON.parse(stdout));
  const table = await run("inject list");
  expect(table.stdout.split("\n").slice(0, 3)).toEqual([
    "INJECTOR                    REVISION   TAG      SERVICE               POLICY    NAMESPACES",
    "istio-revision-tag-stable   default    stable   istio-system/istiod   enabled   tagged",
    "istio-sidecar-injector      default             istio-system/istiod   enabled   on",
  ]);
  expect(table.stderr).toContain("namespace lost is not injected");
});

test("reports of inject and uninject hold to their schemas", async () => {
  const stdin = "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: app, image: x }] }\n";
  for (const name of ["inject", "uninject"])
    expectValid(name, JSON.parse((await run(`${name} - --report json`, stdin)).stderr));
});
