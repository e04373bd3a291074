import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import type { InjectResult } from "../../src/commands/inject.ts";
import { injectorDefaults } from "../../src/gen/injector-defaults.ts";
import { VERSION } from "../../src/gen/version.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { renderedObjects } from "../support/injection.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-inject-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command line in a folder of its own. */
async function run(line: string, options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo({ cwd: folder, ...options });
  const parsed = parse(line.trim().split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  const result = (await (await parsed.spec.load())(parsed.input, io)) as InjectResult;
  return { ...result, stdout: io.stdout(), stderr: io.stderr() };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const service = `# kept as it is, with its comment
apiVersion: v1
kind: Service
metadata: {name: web}   # and its style
`;
const POD = "{ metadata: { labels: { app: web } }, spec: { containers: [{ name: app, image: x }] } }";
const workload = (kind: string, spec: string, apiVersion = "apps/v1"): string =>
  [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    "metadata: { name: web, namespace: shop }",
    `spec: ${spec.replace("POD", POD)}`,
    "",
  ].join("\n");
const deployment = workload("Deployment", "{ template: POD }");

test.each([
  ["Deployment", "{ template: POD }", "apps/v1", "deployments"],
  ["StatefulSet", "{ template: POD }", "apps/v1", "statefulsets"],
  ["DaemonSet", "{ template: POD }", "apps/v1", "daemonsets"],
  ["ReplicaSet", "{ template: POD }", "apps/v1", "replicasets"],
  ["Job", "{ template: POD }", "batch/v1", "jobs"],
  ["CronJob", "{ jobTemplate: { spec: { template: POD } } }", "batch/v1", "cronjobs"],
  ["DeploymentConfig", "{ template: POD }", "apps.openshift.io/v1", "deploymentconfigs"],
])("a %s gets the proxy in its pod template and keeps its name for telemetry", async (kind, spec, api, plural) => {
  const { workloads, stdout } = await run("inject -f -", { stdin: workload(kind, spec, api) });
  expect(workloads).toMatchObject([{ kind, namespace: "shop", name: "web", injected: true, changed: true }]);
  expect(stdout).toContain("istio-proxy");
  expect(stdout).toContain(`kubernetes://apis/${api}/namespaces/shop/${plural}/web`);
});

const KINDS = [
  ["Deployment", "{ template: POD }", "apps/v1"],
  ["StatefulSet", "{ template: POD }", "apps/v1"],
  ["DaemonSet", "{ template: POD }", "apps/v1"],
  ["ReplicaSet", "{ template: POD }", "apps/v1"],
  ["ReplicationController", "{ template: POD }", "v1"],
  ["Job", "{ template: POD }", "batch/v1"],
  ["CronJob", "{ jobTemplate: { spec: { template: POD } } }", "batch/v1"],
  ["DeploymentConfig", "{ template: POD }", "apps.openshift.io/v1"],
  ["Rollout", "{ template: POD }", "argoproj.io/v1alpha1"],
] as const;

test("inject twice is inject once, and uninject gives every kind and Lists back with their comments", async () => {
  const flags = "--template-path Rollout.argoproj.io=spec.template";
  const documents = KINDS.map(([kind, spec, api]) => `# a ${kind}\n${workload(kind, spec, api).trimEnd()} # its pod\n`);
  const items = documents.map(
    (text) =>
      `- ${text
        .replace(/^#.*\n/, "")
        .trimEnd()
        .replaceAll("\n", "\n  ")}\n`,
  );
  const list = `apiVersion: v1 # many\nkind: List\nitems:\n${items.join("")}`;
  const text = [...documents, service, list].join("---\n");
  const once = await run(`inject -f - ${flags}`, { stdin: text });
  expect(once.workloads.filter(({ injected }) => injected)).toHaveLength(2 * KINDS.length);
  expect((await run(`inject -f - ${flags}`, { stdin: once.stdout })).stdout).toBe(once.stdout);
  const back = await run(`uninject -f - ${flags}`, { stdin: once.stdout });
  expect(readValues(back.stdout)).toEqual(readValues(text));
  expect(back.stdout.match(/#.*/g)).toEqual(text.match(/#.*/g));
});

test("a custom kind needs the place of its template; a bare Pod and a ReplicationController do not", async () => {
  const rollout = workload("Rollout", "{ template: POD }", "argoproj.io/v1alpha1");
  expect((await run("inject -f -", { stdin: rollout })).workloads).toEqual([]);
  const flags = "--template-path Rollout.argoproj.io=spec.template";
  expect((await run(`inject -f - ${flags}`, { stdin: rollout })).stdout).toContain("istio-proxy");
  const core = `apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: app, image: x }] }\n`;
  const controller = workload("ReplicationController", "{ template: POD }", "v1");
  expect((await run("inject -f -", { stdin: `${core}---\n${controller}` })).workloads).toMatchObject([
    { injected: true, namespace: "default" },
    { injected: true },
  ]);
  await expect(run("inject -f - --template-path Rollout")).rejects.toThrow("names no place of a pod template");
});

test("other documents come out letter by letter, Lists are gone through, skipped workloads are named", async () => {
  const off = deployment.replace("app: web", 'sidecar.istio.io/inject: "false"');
  const list = `apiVersion: v1\nkind: List\nitems:\n  - ${deployment.trim().replaceAll("\n", "\n    ")}\n`;
  const { stdout, stderr } = await run("inject -f -", { stdin: `${service}---\n${off}---\n${list}` });
  expect(stdout.startsWith(`${service}---\n${off}---\n`)).toBe(true);
  expect(stdout.match(/name: istio-proxy/g)).toHaveLength(1);
  expect(stderr).toBe(
    [
      "Deployment shop/web is left as it is: pod label sidecar.istio.io/inject=false",
      "Deployment shop/web: injected",
      "Injected 1 of 2 workloads with the bundled configuration; 1 other document as before.",
      "",
    ].join("\n"),
  );
  expect(readValues(stdout)).toHaveLength(3);
});

const commented = `# the front
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # its name
spec:
  template:
    metadata:
      labels:
        app: web # who
    spec:
      # where the work is done
      containers:
      - image: "x:1" # pinned
        name: app
        readinessProbe: # is it there
          httpGet: { path: /ok, port: 8080 } # quickly
      # storage
      volumes:
      - {name: data, emptyDir: {}}
  replicas: 2 # two
`;

test("what injection does not touch keeps every byte; uninject gives the text back", async () => {
  const { stdout } = await run("inject -f -", { stdin: commented });
  const after = new Set(stdout.split("\n"));
  const lost = commented.split("\n").filter((line) => !after.has(line));
  expect(lost).toEqual(["          httpGet: { path: /ok, port: 8080 } # quickly"]);
  expect(stdout).toContain("/app-health/app/readyz");
  expect(stdout).toContain("} # quickly");
  const back = await run("uninject -f -", { stdin: stdout });
  expect(readValues(back.stdout)).toEqual(readValues(commented));
  expect(back.stdout.match(/#.*/g)).toEqual(commented.match(/#.*/g));
  expect(back.stderr).toBe(
    "Deployment default/web: the sidecar was taken out\nTook the sidecar out of 1 of 1 workload.\n",
  );
});

test("a text with aliases is written anew, and the report says so", async () => {
  const aliased = `apiVersion: v1\nkind: Pod\nmetadata: &m { name: a }\nspec: { containers: [{ name: a, image: x, env: [*m] }] }\n`;
  const { rewritten, stdout } = await run("inject -f -", { stdin: aliased });
  expect(rewritten).toEqual(["stdin:1"]);
  expect(readValues(stdout)).toMatchObject([{ kind: "Pod" }]);
});

test("what it printed can be injected again without a change", async () => {
  const first = await run("inject -f -", { stdin: deployment });
  const second = await run("inject -f -", { stdin: first.stdout });
  expect(second.stdout).toBe(first.stdout);
  expect(second.workloads).toMatchObject([{ injected: true, changed: false }]);
});

test("a file that cannot be read or parsed prints nothing and names the place", async () => {
  await expect(run("inject -f none.yaml")).rejects.toThrow("does not exist");
  file("broken.yaml", `${service}---\nkind: Deployment\nmetadata: {name: [}\n`);
  await expect(run("inject -f broken.yaml")).rejects.toThrow(/broken\.yaml:7:\d+ cannot be read as YAML: /);
  const bad = deployment.replace("labels:", "annotations: { sidecar.istio.io/proxyCPU: lots }, labels:");
  await expect(run("inject -f -", { stdin: bad })).rejects.toThrow(
    /stdin: Deployment shop\/web: .*sidecar\.istio\.io\/proxyCPU/,
  );
});

test("several files, a folder, a pattern and an address; one output file, or each in its place", async () => {
  mkdirSync(join(folder, "mesh"));
  file("mesh/a.yaml", deployment);
  file("mesh/b.yaml", service);
  const server = createServer((_, answer) => answer.end(deployment)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.yaml`;
  const all = await run(`inject -f mesh -f mesh/*.yaml -f ${url} -o out.yaml`);
  expect(all.stdout).toBe("");
  const written = readFileSync(join(folder, "out.yaml"), "utf8");
  expect(readValues(written).map((value) => (value as { kind: string }).kind)).toEqual([
    "Deployment",
    "Service",
    "Deployment",
  ]);
  await expect(run(`inject -f ${url} --in-place`)).rejects.toThrow("has no place to write to");
  server.close();
  await new Promise((resolve) => server.once("close", resolve));
  await expect(run(`inject -f ${url}`)).rejects.toThrow(/app\.yaml cannot be read: /);
  const inPlace = await run("inject mesh --in-place");
  expect(inPlace.stdout).toBe("");
  expect(readFileSync(join(folder, "mesh/a.yaml"), "utf8")).toContain("istio-proxy");
  expect(readFileSync(join(folder, "mesh/b.yaml"), "utf8")).toBe(service);
});

test("a template in Go's language is refused with the way to port it, a broken one with its line", async () => {
  const withTemplate = (name: string, text: string): string =>
    file(name, `defaultTemplates: [own]\ntemplates:\n  own: |\n${text.replace(/^/gm, "    ")}\n`);
  withTemplate("go.yaml", "metadata:\n  labels:\n    a: {{ .Values.a }}");
  const refused = run("inject -f - --injectConfigFile go.yaml", { stdin: deployment });
  await expect(refused).rejects.toThrow(/injection template "own", line 3: {{ \.Values\.a }} .* \(MSH0501\)/);
  await expect(refused).rejects.toMatchObject({
    hint: expect.stringContaining("docs/guides/injection-templates.md") as string,
  });
  withTemplate("broken.yaml", "metadata:\n  labels: [");
  const broken = run("inject -f - --injectConfigFile broken.yaml", { stdin: deployment });
  await expect(broken).rejects.toThrow(/injection template "own", line \d+: cannot be read as YAML/);
});

test("the report as JSON: on stderr, or in a file", async () => {
  const { stderr } = await run("inject -f - --report json", { stdin: `${deployment}---\n${service}` });
  expect(JSON.parse(stderr)).toMatchObject({
    configuration: { mesh: "bundled", revision: "default" },
    workloads: [{ file: "stdin", kind: "Deployment", injected: true, reason: expect.any(String) as string }],
    otherDocuments: 1,
  });
  const toFile = await run("inject -f - --report json=report.json", { stdin: deployment });
  expect(toFile.stderr).toBe("");
  expect(JSON.parse(readFileSync(join(folder, "report.json"), "utf8"))).toMatchObject({ otherDocuments: 0 });
  await expect(run("inject -f - --report xml", { stdin: "" })).rejects.toThrow('there is no report "xml"');
});

test("the cluster's configuration, that of a revision, or files; without one it says how to go on", async () => {
  const own = renderedObjects("default", ["hub=example.org/own"]);
  const renamed = renderedObjects("default", ["hub=example.org/canary"]).map((object) => ({
    ...object,
    metadata: { ...object.metadata, name: `${object.metadata.name}-canary` },
  }));
  const cluster = fakeCluster({ objects: [...own, ...renamed] });
  const image = async (flags: string): Promise<string | undefined> =>
    /(?:example\.org|docker\.io)[^\s",]+/.exec(
      (await run(`inject -f - ${flags}`, { stdin: deployment, cluster })).stdout,
    )?.[0];
  expect(await image("--use-cluster")).toBe(`example.org/own/proxy:${VERSION}`);
  expect(await image("--revision canary")).toBe(`example.org/canary/proxy:${VERSION}`);
  expect(await image("")).toBe(`docker.io/meshctl/proxy:${VERSION}`);
  file("values.json", injectorDefaults.values.replace("docker.io/meshctl", "example.org/file"));
  file("mesh.yaml", injectorDefaults.mesh);
  file("config.yaml", injectorDefaults.config);
  const files = "--valuesFile values.json --meshConfigFile mesh.yaml --injectConfigFile config.yaml";
  expect(await image(files)).toBe(`example.org/file/proxy:${VERSION}`);
  await expect(run("inject -f - --use-cluster", { stdin: deployment, cluster: fakeCluster() })).rejects.toThrow(
    "no ConfigMap istio-system/istio",
  );
  file("values.json", "{}");
  await expect(run(`inject -f - ${files}`, { stdin: deployment })).rejects.toThrow("values.json");
});

test("native sidecars where the cluster's webhook makes them: by its nodes, or as its control plane was told", async () => {
  const own = renderedObjects("default");
  const told = renderedObjects("default", ["values.pilot.env.ENABLE_NATIVE_SIDECARS=false"]);
  const node = (kubeletVersion: string): KubeObject => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: kubeletVersion },
    status: { nodeInfo: { kubeletVersion } },
  });
  const isNative = async (objects: readonly KubeObject[], flags = "--use-cluster"): Promise<boolean> =>
    (await run(`inject -f - ${flags}`, { stdin: deployment, cluster: fakeCluster({ objects }) })).stdout.includes(
      "restartPolicy: Always",
    );
  expect(await isNative([...own, node("v1.33.4"), node("v1.36.0")])).toBe(true);
  expect(await isNative([...own, node("v1.33.4"), node("v1.32.0")])).toBe(false);
  expect(await isNative(own)).toBe(false);
  expect(await isNative([...told, node("v1.36.0")])).toBe(false);
  expect(await isNative([...own, node("v1.36.0")], "")).toBe(false);
});
