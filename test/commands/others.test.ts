import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inject } from "../../src/commands/inject.ts";
import { precheck } from "../../src/commands/precheck.ts";
import { version } from "../../src/commands/version.ts";
import { VERSION } from "../../src/gen/version.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { renderedObjects } from "../support/injection.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-inject-"));
afterAll(() => rmSync(folder, { recursive: true }));

const options = { filename: "-", useCluster: false, namespace: "default", istioNamespace: "istio-system" };
const service = `# kept as it is, with its comment
apiVersion: v1
kind: Service
metadata: {name: web}   # and its style
`;
const workload = (kind: string, path: string, apiVersion = "apps/v1"): string =>
  [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    "metadata: { name: web, namespace: shop }",
    `spec: ${path.replace("POD", "{ metadata: { labels: { app: web } }, spec: { containers: [{ name: app, image: x }] } }")}`,
    "",
  ].join("\n");

test.each([
  ["Deployment", "{ template: POD }", "apps/v1", "deployments"],
  ["StatefulSet", "{ template: POD }", "apps/v1", "statefulsets"],
  ["DaemonSet", "{ template: POD }", "apps/v1", "daemonsets"],
  ["Job", "{ template: POD }", "batch/v1", "jobs"],
  ["CronJob", "{ jobTemplate: { spec: { template: POD } } }", "batch/v1", "cronjobs"],
])(
  "inject: a %s gets the proxy in its pod template and keeps its name for telemetry",
  async (kind, path, api, plural) => {
    const io = fakeIo({ stdin: workload(kind, path, api) });
    const result = await inject(options, io);
    expect(result.workloads).toMatchObject([{ name: `${kind} shop/web`, decision: { inject: true } }]);
    expect(io.stdout()).toContain("name: istio-proxy");
    expect(io.stdout()).toContain(`kubernetes://apis/${api}/namespaces/shop/${plural}/web`);
  },
);

test("inject: other documents come out letter by letter, Lists are gone through, skipped workloads are named", async () => {
  const off = workload("Deployment", "{ template: POD }").replace("app: web", 'sidecar.istio.io/inject: "false"');
  const list = `apiVersion: v1\nkind: List\nitems:\n  - ${workload("Deployment", "{ template: POD }").trim().replaceAll("\n", "\n    ")}\n`;
  const io = fakeIo({ stdin: `${service}---\n${off}---\n${list}` });
  await inject(options, io);
  expect(io.stdout().startsWith(`${service}---\n${off}---\n`)).toBe(true);
  expect(io.stdout().match(/name: istio-proxy/g)).toHaveLength(1);
  expect(io.stderr()).toBe("Deployment shop/web is left as it is: pod label sidecar.istio.io/inject=false\n");
  expect(readValues(io.stdout())).toHaveLength(3);
});

test("inject: what it printed can be injected again without a change", async () => {
  const first = fakeIo({ stdin: workload("Deployment", "{ template: POD }") });
  await inject(options, first);
  const second = fakeIo({ stdin: first.stdout() });
  await inject(options, second);
  expect(second.stdout()).toBe(first.stdout());
});

test("inject: a file that cannot be read or parsed prints nothing and names the place", async () => {
  await expect(inject({ ...options, filename: join(folder, "none.yaml") }, fakeIo())).rejects.toThrow("cannot be read");
  const file = join(folder, "broken.yaml");
  writeFileSync(file, `${service}---\nkind: Deployment\nmetadata: {name: [}\n`);
  const io = fakeIo();
  await expect(inject({ ...options, filename: file }, io)).rejects.toThrow(
    /broken\.yaml:7:\d+ cannot be read as YAML: /,
  );
  expect(io.stdout()).toBe("");
  const bad = workload("Deployment", "{ template: POD }").replace(
    "labels:",
    "annotations: { sidecar.istio.io/proxyCPU: lots }, labels:",
  );
  await expect(inject(options, fakeIo({ stdin: bad }))).rejects.toThrow('expected a quantity such as 100m, got "lots"');
});

test("inject --use-cluster: the cluster's configuration; without one it says how to go on", async () => {
  const stdin = workload("Deployment", "{ template: POD }");
  const cluster = fakeCluster({ objects: renderedObjects("default", ["hub=example.org/own"]) });
  const io = fakeIo({ stdin, cluster });
  await inject({ ...options, useCluster: true }, io);
  expect(io.stdout()).toContain(`image: example.org/own/proxy:${VERSION}`);
  const none = fakeIo({ stdin, cluster: fakeCluster() });
  await expect(inject({ ...options, useCluster: true }, none)).rejects.toThrow("no ConfigMap istio-system/istio");
});

const node: KubeObject = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1" },
  status: { conditions: [{ type: "Ready", status: "True" }] },
};
const hook = (name: string, webhook: object): KubeObject => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name },
  webhooks: [webhook],
});
const options2 = { istioNamespace: "istio-system", output: "table" as const };

test("precheck: a clean cluster passes every check; the text says the good case", async () => {
  const io = fakeIo({ cluster: fakeCluster({ objects: [node] }) });
  const result = await precheck(options2, io);
  // Gateway API is the cluster's own: without it the mesh installs all the same
  expect(result.checks.filter(({ status }) => status !== "ok").map(({ name, status }) => `${name} ${status}`)).toEqual([
    "gateway-api skipped",
  ]);
  expect(result.exitCode).toBe(0);
  expect(io.stdout()).toContain("✔ a node is ready to run pods (1 of 1)");
});

const service2 = { service: { name: "gone", namespace: "x" } };
test.each<[string, Parameters<typeof fakeCluster>[0] & object, string]>([
  ["permissions", { objects: [node], forbidden: ["roles"] }, "not allowed to create roles"],
  ["nodes", {}, "there is no node"],
  [
    "namespace",
    {
      objects: [
        node,
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system", deletionTimestamp: "x" } },
      ],
    },
    "being deleted",
  ],
  [
    "other-control-plane",
    {
      objects: [
        node,
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "istiod", namespace: "a", labels: { app: "istiod" } },
        },
      ],
    },
    "Deployment a/istiod was not made by meshctl",
  ],
  [
    "injection-webhooks",
    { objects: [node, hook("foreign", { name: "namespace.sidecar-injector.istio.io", failurePolicy: "Ignore" })] },
    "foreign injects too",
  ],
  [
    "webhooks-reachable",
    { objects: [node, hook("left-over", { name: "a.example.org", failurePolicy: "Fail", clientConfig: service2 })] },
    "no service behind left-over",
  ],
])("precheck: %s fails with what is wrong and what to do, exit code 1", async (name, cluster, message) => {
  const io = fakeIo({ cluster: fakeCluster(cluster) });
  const result = await precheck({ ...options2, output: "json" }, io);
  expect(result.exitCode).toBe(1);
  const failed = result.checks.filter(({ status }) => status === "error");
  expect(failed.map((check) => check.name)).toEqual([name]);
  expect(failed[0]?.message).toContain(message);
  expect(failed[0]?.hint).toMatch(/^[a-z]+ /);
  expect(JSON.parse(io.stdout())).toEqual({ checks: result.checks });
});

const istiod = (name: string, tag: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "istio-system", labels: { app: "istiod", "istio.io/rev": "default" } },
  spec: { containers: [{ name: "discovery", image: `x/meshd:${tag}` }] },
});
const ask = { istioNamespace: "istio-system", remote: true, output: "text" as const };
const env = { KUBECONFIG: "/somewhere" };

test("version: the client's, and the control plane's when there is a kubeconfig", async () => {
  const offline = fakeIo({ env: { HOME: "/nonexistent" } });
  await version(ask, offline);
  expect(offline.stdout()).toBe(`client version: ${VERSION}\n`);
  const one = fakeIo({ env, cluster: fakeCluster({ objects: [istiod("a", "1.2.3")] }) });
  await version(ask, one);
  expect(one.stdout()).toBe(`client version: ${VERSION}\ncontrol plane version: 1.2.3\n`);
  const two = fakeIo({ env, cluster: fakeCluster({ objects: [istiod("a", "1"), istiod("b", "2")] }) });
  await version({ ...ask, output: "json" }, two);
  expect(JSON.parse(two.stdout())).toMatchObject({
    meshVersion: [{ Info: { version: "1" } }, { Info: { version: "2" } }],
  });
});

test("version: a cluster without a mesh, or none that answers, is a remark", async () => {
  const empty = fakeIo({ env, cluster: fakeCluster() });
  await version(ask, empty);
  expect(empty.stderr()).toContain("No mesh in this cluster");
  const broken = fakeIo({ env });
  await version(ask, broken);
  expect(broken.stderr()).toContain("The cluster was not asked");
});
