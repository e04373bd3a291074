import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { precheck } from "../../src/commands/precheck.ts";
import { version } from "../../src/commands/version.ts";
import { VERSION } from "../../src/gen/version.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering } from "../support/pod-answers.ts";

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

test("precheck: in a clean cluster nothing fails; the text says the good case", async () => {
  const io = fakeIo({ cluster: fakeCluster({ objects: [node] }) });
  const result = await precheck(options2, io);
  // what cannot be known of this cluster is skipped; test/checks has one that tells everything
  expect(new Set(result.checks.map(({ status }) => status))).toEqual(new Set(["ok", "skipped"]));
  expect(result.exitCode).toBe(0);
  expect(io.stdout()).toContain("✔ a node is ready to run pods (1 of 1)");
});

const service2 = { service: { name: "gone", namespace: "x" } };
test.each<[string, Parameters<typeof fakeCluster>[0] & object, string]>([
  [
    "permissions",
    { objects: [node], forbidden: ["roles"] },
    "not allowed to create, get, list, watch, patch, delete roles",
  ],
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
  status: { phase: "Running" },
});
const refuse = (): never => {
  throw new ClusterError("refused", "nothing listens there");
};
const ask = { istioNamespace: "istio-system", remote: true, short: true, output: "text" as const };
const env = { KUBECONFIG: "/somewhere" };

test("version: the client's, and the control plane's when there is a kubeconfig", async () => {
  const offline = fakeIo({ env: { HOME: "/nonexistent" } });
  await version(ask, offline);
  expect(offline.stdout()).toBe(`client version: ${VERSION}\n`);
  const one = fakeIo({ env, cluster: fakeCluster({ objects: [istiod("a", "1.2.3")], portForward: refuse }) });
  await version(ask, one);
  expect(one.stdout()).toBe(`client version: ${VERSION}\ncontrol plane version: 1.2.3\n`);
  // the image says it where the pod does not answer
  expect(one.stderr()).toBe("a was not asked: nothing listens there\n");
  const two = fakeIo({
    env,
    cluster: fakeCluster({ objects: [istiod("a", "1"), istiod("b", "2")], portForward: refuse }),
  });
  await version({ ...ask, output: "json" }, two);
  expect(JSON.parse(two.stdout())).toMatchObject({
    meshVersion: [{ Info: { version: "1" } }, { Info: { version: "2" } }],
  });
});

test("version: what every proxy runs, in istioctl's words; with --short=false line by line", async () => {
  const proxy = (name: string, istio_version: string): unknown => ({ proxy: `${name}.shop`, istio_version, types: {} });
  await using pods = await answering({
    "/version": "1.2.4\n",
    "/debug/syncz": [proxy("web", "1.2.4"), proxy("db", "1.2.3"), proxy("api", "1.2.4")],
  });
  const cluster = fakeCluster({ objects: [istiod("a", "1.2.3")], portForward: pods.connect });
  const io = fakeIo({ env, cluster });
  await version(ask, io);
  expect(io.stdout()).toBe(
    `client version: ${VERSION}\ncontrol plane version: 1.2.4\ndata plane version: 1.2.3 (1 proxies), 1.2.4 (2 proxies)\n`,
  );
  expect(io.stderr()).toBe("");
  const long = fakeIo({ env, cluster });
  await version({ ...ask, short: false }, long);
  expect(long.stdout().split("\n").slice(1)).toEqual([
    "pilot version: 1.2.4 (revision default)",
    "data plane version: 1.2.4 (api.shop)",
    "data plane version: 1.2.3 (db.shop)",
    "data plane version: 1.2.4 (web.shop)",
    "",
  ]);
  const other = fakeIo({ env, cluster });
  await version({ ...ask, revision: "canary" }, other);
  expect(other.stderr()).toContain("Istio is not present in the cluster");
});
test("version: a port-forward that ends before it is read is a remark, not the end of the program", async () => {
  const portForward = (): Duplex =>
    new Duplex({ read: () => undefined })
      .on("error", () => undefined)
      .destroy(new ClusterError("port-forward", "gone"));
  const io = fakeIo({ env, cluster: fakeCluster({ objects: [istiod("a", "1.2.3")], portForward }) });
  await version(ask, io);
  expect(io.stdout()).toBe(`client version: ${VERSION}\ncontrol plane version: 1.2.3\n`);
  expect(io.stderr()).toBe("a was not asked: gone\n");
});
test("version: a cluster without a mesh, or none that answers, is a remark", async () => {
  const empty = fakeIo({ env, cluster: fakeCluster() });
  await version(ask, empty);
  expect(empty.stderr()).toBe(
    'Istio is not present in the cluster: no running Istio pods in namespace "istio-system"\n',
  );
  const broken = fakeIo({ env });
  await version(ask, broken);
  expect(broken.stderr()).toContain("The cluster was not asked");
});
