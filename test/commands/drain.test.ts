import { expect, test } from "vitest";
import { run } from "../../src/commands/drain.ts";
import { TRAFFIC_ANNOTATION } from "../../src/model/pods.ts";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { worldOf } from "../../src/resources/world-store.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";

const pod: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop", labels: { app: "web" }, annotations: { other: "stays" } },
  status: { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
};

test("drain writes the annotation, --eject another value, --undo takes it away; others stay", async () => {
  const cluster = fakeCluster({ objects: [pod] });
  const annotations = async (...flags: readonly string[]): Promise<unknown> => {
    const options = Object.fromEntries(flags.map((flag) => [flag, true]));
    const io = fakeIo({ cluster });
    expect(await run({ args: ["web-1.shop"], options }, io)).toEqual({ exitCode: 0 });
    expect(io.stderr()).toContain("pod shop/web-1 gets");
    const target = { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "web-1" };
    return (await cluster.get(target))?.metadata.annotations;
  };
  expect(await annotations()).toEqual({ other: "stays", [TRAFFIC_ANNOTATION]: "drain" });
  expect(await annotations("eject")).toEqual({ other: "stays", [TRAFFIC_ANNOTATION]: "eject" });
  expect(await annotations("undo")).toEqual({ other: "stays" });
});

test("a pod that is not there", async () => {
  const io = fakeIo({ cluster: fakeCluster({ objects: [] }) });
  await expect(run({ args: ["web-9.shop"], options: {} }, io)).rejects.toThrow("there is no pod shop/web-9");
});

const service = (labels: object): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop", ...labels },
  spec: { clusterIP: "10.96.0.1", selector: { app: "web" }, ports: [{ name: "http", port: 80 }] },
});
const slice: KubeObject = {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "web-a", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 80 }],
  endpoints: [{ addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name: "web-1", namespace: "shop" } }],
};

test.each([
  [undefined, {}, ["full"]],
  ["drain", {}, []],
  ["eject", {}, []],
  // sessions bound to the pod go on until it is ejected
  ["drain", { labels: { "istio.io/persistent-session": "cookie" } }, ["draining"]],
  ["eject", { labels: { "istio.io/persistent-session": "cookie" } }, []],
  ["Drain", {}, ["full"]],
])("endpoints of a pod that says %j, service %j", (value, labels, expected) => {
  const annotations = value === undefined ? {} : { [TRAFFIC_ANNOTATION]: value };
  const model = createModel(worldOf([{ ...pod, metadata: { ...pod.metadata, annotations } }, service(labels), slice]));
  const web = model.services.kubernetes("shop", "web");
  if (web === undefined) throw new Error("no service");
  const seen = model.endpoints.of(web, 80).map(({ draining }) => (draining === true ? "draining" : "full"));
  expect(seen).toEqual(expected);
});
