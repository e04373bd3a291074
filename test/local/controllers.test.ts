import { afterEach, beforeEach, expect, test } from "vitest";
import { createApi } from "../../src/local/api/api.ts";
import type { Api, ResourceId } from "../../src/local/api/types.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createCache } from "../../src/local/controllers/cache.ts";
import { HOST_PORTS } from "../../src/local/controllers/cluster-services.ts";
import { controllers, startControllers } from "../../src/local/controllers/index.ts";
import { createEventRecorder } from "../../src/local/events.ts";
import { ids } from "../../src/local/ids.ts";
import { explicitPort } from "../../src/base/explicit-port.ts";
import type { Deployment, EndpointSlice, Pod, Service } from "../../src/local/shapes.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { waitFor } from "../support/wait.ts";

/** The controllers on a real endpoint, and in place of the node a hand that says which pods are ready. */
let api: Api;
let stop: AbortController;
/** Names of pods that shall not become ready. */
let broken: (pod: Pod) => boolean;
let highest: number;
let lowestReady: number;

beforeEach(async () => {
  stop = new AbortController();
  broken = () => false;
  highest = 0;
  lowestReady = Infinity;
  api = await createApi({
    listen: [{ host: "127.0.0.1", port: 0 }],
    serviceCidr: "10.96.0.0/16",
    log: () => undefined,
  });
  const { client } = api;
  const now = (): Date => new Date();
  await client.create(ids.nodes, object("v1", "Node", { metadata: { name: "n", labels: { zone: "a" } } }));
  startControllers({
    client,
    cache: createCache(client, stop.signal),
    events: createEventRecorder(client, "test", now),
    log: silentLogger,
    now,
    signal: stop.signal,
    cluster: {
      nodeName: "n",
      caPem: "CA",
      apiAddress: { host: "10.214.0.2", port: 6443 },
      realPort: explicitPort,
      loadBalancerAddress: () => Promise.resolve({ ip: "127.0.0.1", mapped: { 80: 10080 } }),
    },
  });
  let serial = 1;
  client.watch(
    ids.pods,
    {},
    ({ type, object: changed }) => {
      const pod = changed as Pod;
      const { namespace, name, deletionTimestamp } = pod.metadata;
      if (type === "DELETED") return;
      if (deletionTimestamp !== undefined) void client.delete(ids.pods, namespace, name, { gracePeriodSeconds: 0 });
      else if (pod.spec?.nodeName === "n" && pod.status?.podIP === undefined) void ready(pod, `10.244.0.${++serial}`);
    },
    stop.signal,
  );
});
afterEach(async () => {
  stop.abort();
  await api.close();
});

async function ready(pod: Pod, podIP: string): Promise<void> {
  const status = { phase: "Running", podIP, conditions: [{ type: "Ready", status: broken(pod) ? "False" : "True" }] };
  await api.client
    .mergePatch(ids.pods, pod.metadata.namespace, pod.metadata.name, { status }, "status")
    .catch(() => undefined);
}

function object(apiVersion: string, kind: string, rest: Record<string, unknown>): KubeObject {
  return { apiVersion, kind, ...rest } as unknown as KubeObject;
}

const template = (version: string, ports: unknown[] = []): unknown => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: `web:${version}`, ports }] },
});

function deployment(version: string, spec: Record<string, unknown> = {}): KubeObject {
  return object("apps/v1", "Deployment", {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 4, selector: { matchLabels: { app: "web" } }, template: template(version), ...spec },
  });
}

async function pods(): Promise<readonly Pod[]> {
  return (await api.client.list(ids.pods, { namespace: "default" })).items as readonly Pod[];
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

async function rolledOut(version: string): Promise<boolean> {
  const current = (await api.client.get(ids.deployments, "default", "web")) as Deployment;
  const { status, metadata } = current;
  const all = await pods();
  return (
    status?.observedGeneration === metadata.generation &&
    status?.availableReplicas === 4 &&
    all.length === 4 &&
    all.every((pod) => pod.spec?.containers[0]?.image === `web:${version}`)
  );
}

test("every controller is named once, in order, with a sentence", () => {
  const names = controllers.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
  for (const { summary } of controllers) expect(summary).toMatch(/^[A-Z].*[^.]$/);
});

test("a rolling update stays within surge and unavailability, and keeps the old set for an undo", async () => {
  await api.client.create(ids.deployments, deployment("1"));
  await waitFor(() => rolledOut("1"), { what: "first rollout" });
  api.client.watch(
    ids.pods,
    {},
    () => {
      void pods().then((all) => {
        const alive = all.filter((pod) => pod.metadata.deletionTimestamp === undefined);
        highest = Math.max(highest, alive.length);
        lowestReady = Math.min(lowestReady, alive.filter(isReady).length);
      });
    },
    stop.signal,
  );
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 1 };
  const { spec } = deployment("2", { strategy: { type: "RollingUpdate", rollingUpdate } });
  await api.client.mergePatch(ids.deployments, "default", "web", { spec });
  await waitFor(() => rolledOut("2"), { what: "second rollout" });
  expect(highest).toBe(5);
  expect(lowestReady).toBeGreaterThanOrEqual(3);
  const sets = (await api.client.list(ids.replicaSets, { namespace: "default" })).items;
  const revisions = sets.map((set) => set.metadata.annotations?.["deployment.kubernetes.io/revision"]);
  expect(new Set(revisions)).toEqual(new Set(["1", "2"]));
});

test("a template whose pods never get ready leaves enough of the old ones", async () => {
  await api.client.create(ids.deployments, deployment("1"));
  await waitFor(() => rolledOut("1"), { what: "first rollout" });
  broken = (pod) => pod.spec?.containers[0]?.image === "web:2";
  await api.client.mergePatch(ids.deployments, "default", "web", { spec: { template: template("2") } });
  await waitFor(async () => (await pods()).filter((pod) => !isReady(pod)).length === 2, { what: "new pods" });
  const old = (await pods()).filter((pod) => pod.spec?.containers[0]?.image === "web:1");
  expect(old).toHaveLength(3);
  const status = ((await api.client.get(ids.deployments, "default", "web")) as Deployment).status;
  expect(status?.conditions?.find(({ type }) => type === "Available")?.status).toBe("True");
});

test("deleting a Deployment takes its ReplicaSets and pods along; Orphan leaves them", async () => {
  await api.client.create(ids.deployments, deployment("1"));
  await waitFor(() => rolledOut("1"), { what: "rollout" });
  await api.client.delete(ids.deployments, "default", "web", { propagationPolicy: "Orphan" });
  await waitFor(async () => (await api.client.get(ids.deployments, "default", "web")) === undefined, {
    what: "orphaning",
  });
  const [set] = (await api.client.list(ids.replicaSets, { namespace: "default" })).items;
  expect(set?.metadata.ownerReferences ?? []).toEqual([]);
  expect(await pods()).toHaveLength(4);
  await api.client.delete(ids.replicaSets, "default", set?.metadata.name ?? "", { propagationPolicy: "Foreground" });
  await waitFor(async () => (await pods()).length === 0, { what: "pods to go" });
  await waitFor(async () => (await api.client.list(ids.replicaSets, { namespace: "default" })).items.length === 0, {
    what: "the set to go after its pods",
  });
});

test("an EndpointSlice follows readiness, named ports and mapped ports", async () => {
  broken = () => true;
  const ports = [{ name: "web", containerPort: 80 }];
  await api.client.create(ids.deployments, deployment("1", { replicas: 1, template: template("1", ports) }));
  await api.client.create(
    ids.services,
    object("v1", "Service", {
      metadata: { name: "web", namespace: "default" },
      spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "web", appProtocol: "http" }] },
    }),
  );
  const slice = async (): Promise<EndpointSlice | undefined> =>
    (
      await api.client.list(ids.endpointSlices, {
        namespace: "default",
        labelSelector: "kubernetes.io/service-name=web",
      })
    ).items[0] as EndpointSlice | undefined;
  const first = await waitFor(
    async () => {
      const found = await slice();
      return found?.endpoints?.length === 1 ? found : undefined;
    },
    { what: "slice" },
  );
  expect(first.endpoints?.[0]?.conditions).toEqual({ ready: false, serving: false, terminating: false });
  expect(first.ports).toEqual([{ name: "http", port: 20080, protocol: "TCP", appProtocol: "http" }]);
  broken = () => false;
  for (const pod of await pods()) await ready(pod, pod.status?.podIP ?? "");
  await waitFor(async () => (await slice())?.endpoints?.[0]?.conditions?.ready, { what: "readiness" });
  await waitFor(
    async () => {
      const endpoints = (await api.client.get(ids.endpoints, "default", "web")) as unknown as {
        subsets?: { addresses?: unknown[] }[];
      };
      return endpoints.subsets?.[0]?.addresses?.length === 1;
    },
    { what: "Endpoints" },
  );
  await api.client.delete(ids.services, "default", "web");
  await waitFor(async () => (await slice()) === undefined, { what: "the slice to go" });
});

test("a namespace gets its account and CA, and is emptied, custom resources too, before it goes", async () => {
  const crd = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", {
    metadata: { name: "things.test.io" },
    spec: {
      group: "test.io",
      scope: "Namespaced",
      names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  });
  await api.client.create(ids.crds, crd);
  const things: ResourceId = { group: "test.io", version: "v1", resource: "things" };
  await api.client.create(ids.namespaces, object("v1", "Namespace", { metadata: { name: "shop" } }));
  await waitFor(() => api.client.get(ids.serviceAccounts, "shop", "default"), { what: "account" });
  const ca = await waitFor(() => api.client.get(ids.configMaps, "shop", "kube-root-ca.crt"), { what: "CA" });
  expect(ca["data"]).toEqual({ "ca.crt": "CA" });
  await waitFor(
    () => api.client.create(things, object("test.io/v1", "Thing", { metadata: { name: "t", namespace: "shop" } })),
    { what: "the CRD to be served" },
  );
  await api.client.delete(ids.namespaces, undefined, "shop");
  await waitFor(async () => (await api.client.get(ids.namespaces, undefined, "shop")) === undefined, {
    what: "the namespace to go",
  });
  expect((await api.client.list(things)).items).toEqual([]);
  expect((await api.client.list(ids.configMaps, { namespace: "shop" })).items).toEqual([]);
});

test("the Service kubernetes leads to the endpoint and comes back when deleted", async () => {
  const there = (): Promise<KubeObject> =>
    waitFor(() => api.client.get(ids.services, "default", "kubernetes"), { what: "service" });
  await there();
  const slice = (await waitFor(() => api.client.get(ids.endpointSlices, "default", "kubernetes"), {
    what: "slice",
  })) as EndpointSlice;
  expect([slice.endpoints?.[0]?.addresses, slice.ports?.[0]?.port]).toEqual([["10.214.0.2"], 6443]);
  await api.client.delete(ids.services, "default", "kubernetes");
  await there();
});

test("a load balancer gets its address, and the ports it really has", async () => {
  const spec = { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: "x" } };
  await api.client.create(
    ids.services,
    object("v1", "Service", { metadata: { name: "lb", namespace: "default" }, spec }),
  );
  const service = await waitFor(
    async () => {
      const found = (await api.client.get(ids.services, "default", "lb")) as Service;
      return found.status?.loadBalancer?.ingress?.[0]?.ip === "127.0.0.1" ? found : undefined;
    },
    { what: "address" },
  );
  expect(service.metadata.annotations?.[HOST_PORTS]).toBe("80=10080");
});

test("a StatefulSet starts its pods in order and replaces them from the last to the first", async () => {
  const spec = { replicas: 2, serviceName: "db", selector: { matchLabels: { app: "web" } }, template: template("1") };
  broken = (pod) => pod.metadata.name === "db-0";
  await api.client.create(
    ids.statefulSets,
    object("apps/v1", "StatefulSet", { metadata: { name: "db", namespace: "default" }, spec }),
  );
  const first = await waitFor(async () => (await pods()).find((pod) => pod.status?.podIP), { what: "db-0" });
  expect((await pods()).map((pod) => pod.metadata.name)).toEqual(["db-0"]);
  broken = () => false;
  await ready(first, first.status?.podIP ?? "");
  await waitFor(async () => (await pods()).filter(isReady).length === 2, { what: "db-1" });
  await api.client.mergePatch(ids.statefulSets, "default", "db", { spec: { template: template("2") } });
  await waitFor(
    async () => {
      const all = await pods();
      return all.length === 2 && all.every((pod) => isReady(pod) && pod.spec?.containers[0]?.image === "web:2");
    },
    { what: "the update" },
  );
});

test("a Job counts what succeeded and ends; a DaemonSet has one pod", async () => {
  const spec = {
    completions: 2,
    template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x" }] } },
  };
  await api.client.create(ids.jobs, object("batch/v1", "Job", { metadata: { name: "j", namespace: "default" }, spec }));
  for (const count of [1, 2]) {
    const running = await waitFor(async () => (await pods()).find((pod) => pod.status?.phase === "Running"), {
      what: `pod ${count}`,
    });
    await api.client.mergePatch(
      ids.pods,
      "default",
      running.metadata.name,
      { status: { phase: "Succeeded" } },
      "status",
    );
  }
  await waitFor(
    async () => JSON.stringify((await api.client.get(ids.jobs, "default", "j"))?.status).includes("Complete"),
    { what: "end" },
  );
  const daemon = { selector: { matchLabels: { app: "web" } }, template: template("1") };
  await api.client.create(
    ids.daemonSets,
    object("apps/v1", "DaemonSet", { metadata: { name: "d", namespace: "default" }, spec: daemon }),
  );
  const status = await waitFor(
    async () => {
      const found = (await api.client.get(ids.daemonSets, "default", "d"))?.status as
        | { numberReady?: number }
        | undefined;
      return found?.numberReady === 1 && found;
    },
    { what: "daemon pod" },
  );
  expect(status).toMatchObject({ desiredNumberScheduled: 1, updatedNumberScheduled: 1 });
});

test("a pod for another node is told why it waits", async () => {
  const spec = { nodeSelector: { zone: "b" }, containers: [{ name: "c", image: "x" }] };
  await waitFor(() => api.client.get(ids.serviceAccounts, "default", "default"), { what: "account" });
  await api.client.create(ids.pods, object("v1", "Pod", { metadata: { name: "p", namespace: "default" }, spec }));
  const events = await waitFor(
    async () => {
      const { items } = await api.client.list(ids.events, { namespace: "default" });
      return items.find((event) => event["reason"] === "FailedScheduling");
    },
    { what: "event" },
  );
  expect(events["message"]).toContain("zone=b");
  expect((await pods())[0]?.spec?.nodeName).toBeUndefined();
});
