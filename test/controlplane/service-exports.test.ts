import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { ClusterError } from "../../src/base/errors.ts";
import { sharedServices } from "../../src/controlplane/debug-mcs.ts";
import { createServiceExports } from "../../src/controlplane/service-exports.ts";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { recordingLogger } from "../support/controlplane/recorder.ts";
import { waitFor } from "../support/wait.ts";

const service = (namespace: string, name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace, name, uid: `uid-${namespace}-${name}` },
});

function shared(kind: "ServiceExport" | "ServiceImport", name: string, ips?: readonly string[]): KubeObject {
  const spec = ips === undefined ? {} : { spec: { ips } };
  return { apiVersion: "multicluster.x-k8s.io/v1alpha1", kind, metadata: { namespace: "shop", name }, ...spec };
}

const SETTINGS = `serviceSettings: [{ settings: { clusterLocal: true }, hosts: ["*.private.svc.cluster.local"] }]`;

function cluster(refuse?: ClusterError) {
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const model = createModel(world, { derivations });
  const leading = derivations.source(false);
  const made: KubeObject[] = [];
  const log = recordingLogger();
  const create = (object: KubeObject): Promise<KubeObject> => {
    made.push(object);
    if (refuse !== undefined) return Promise.reject(refuse);
    world.apply([{ type: "set", object }]);
    return Promise.resolve(object);
  };
  const set = (...objects: readonly KubeObject[]): void =>
    world.apply(objects.map((object) => ({ type: "set", object })));
  set({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "istio-system", name: "istio" },
    data: { mesh: SETTINGS },
  } as KubeObject);
  const isLeader = (): boolean => leading.get();
  const runner = createServiceExports({ cluster: { create }, model, domain: "cluster.local", isLeader, log });
  const names = (): readonly string[] => made.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  return { world, leading, made, log, set, runner, names };
}

test("the leader exports each Service once, but those that are their cluster's own", async () => {
  const { world, leading, made, set, runner, names } = cluster();
  set(service("shop", "web"), service("shop", "told"), shared("ServiceExport", "told"));
  set(service("private", "books"), service("kube-system", "dns"), service("default", "kubernetes"));
  await runner.start();
  expect(names()).toEqual([]);
  leading.set(true);
  await waitFor(() => names().length === 1, { what: "the export" });
  expect(made[0]).toEqual({
    apiVersion: "multicluster.x-k8s.io/v1alpha1",
    kind: "ServiceExport",
    metadata: {
      namespace: "shop",
      name: "web",
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid: "uid-shop-web" }],
    },
  });
  // taken back by somebody: it stays away; a new Service does not wait for it
  world.apply([{ type: "delete", object: shared("ServiceExport", "web") }]);
  set(service("shop", "cart"));
  await waitFor(() => names().length === 2, { what: "the next export" });
  expect(names()).toEqual(["shop/web", "shop/cart"]);
  await runner.close();
});

test("a cluster without the kind is told of once for each, and not asked again", async () => {
  const { leading, set, runner, names, log } = cluster(new ClusterError("not-found", "no such kind"));
  leading.set(true);
  set(service("shop", "web"));
  await runner.start();
  await waitFor(() => log.lines.length === 1, { what: "word of it" });
  expect(log.lines[0]?.message).toContain("the cluster does not have the kind");
  set(service("shop", "cart"));
  await waitFor(() => log.lines.length === 2, { what: "word of the next" });
  expect(names()).toEqual(["shop/web", "shop/cart"]);
  await runner.close();
});

test("/debug/mcsz: what each cluster exports and imports", () => {
  const [east, west] = [cluster(), cluster()];
  east.set(shared("ServiceExport", "web"), shared("ServiceExport", "cart"));
  west.set(shared("ServiceImport", "web", ["10.5.0.1", "10.5.0.2"]), shared("ServiceImport", "bare"));
  const members = [
    { clusterId: "east", world: east.world },
    { clusterId: "west", world: west.world },
  ];
  const of = { Namespace: "shop", Exported: false, Imported: false, ClusterSetVIP: "" };
  expect(sharedServices({ all: () => members } as unknown as Parameters<typeof sharedServices>[0])).toEqual([
    { ...of, Cluster: "east", Name: "cart", Exported: true },
    { ...of, Cluster: "east", Name: "web", Exported: true },
    { ...of, Cluster: "west", Name: "bare", Imported: true },
    { ...of, Cluster: "west", Name: "web", Imported: true, ClusterSetVIP: "10.5.0.1" },
  ]);
});
