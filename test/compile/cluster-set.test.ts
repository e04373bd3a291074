import { expect, test } from "vitest";
import type { McsSettings } from "../../src/model/cluster-set.ts";
import { mcsSettings } from "../../src/model/cluster-set.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { CLUSTER, HOST, meshOf, network, gateway, object, proxy, web } from "../support/clusters/worlds.ts";

// Services that clusters share by the Multi-Cluster Services API: what is seen where, and the host in all clusters.

const SET_HOST = "web.shop.svc.clusterset.local";
const SET_CLUSTER = `outbound|80||${SET_HOST}`;
const ALL: McsSettings = { discovery: true, host: true, clusterLocal: true };

const shared = (kind: "ServiceExport" | "ServiceImport", spec: object = {}): KubeObject => ({
  ...object(kind, "web", spec, "shop"),
  apiVersion: "multicluster.x-k8s.io/v1alpha1",
});
const imported = (...ips: readonly string[]): KubeObject =>
  shared("ServiceImport", { spec: { type: "ClusterSetIP", ips } });

const own = web("10.96.0.1", [{ ip: "10.0.0.1" }]);
const other = web("10.97.0.1", [{ ip: "10.1.0.1" }]);
const OWN = "10.0.0.1:8080 1 istio";
const OTHER = "10.1.0.1:8080 1 istio";
const elsewhere = proxy({ clusterId: "two", namespace: "shop", name: "abroad" });

test.each([
  ["nothing is obeyed", undefined, [], [OWN, OTHER]],
  [
    "the other cluster exports it",
    { ...ALL, host: false, clusterLocal: false },
    [shared("ServiceExport")],
    [OWN, OTHER],
  ],
  ["the other cluster keeps it to itself", { ...ALL, host: false, clusterLocal: false }, [], [OWN]],
  ["a cluster's own host means that cluster", ALL, [shared("ServiceExport")], [OWN]],
] as const)("endpoints behind the host of a cluster when %s", (_, mcs, more, expected) => {
  const { endpoints } = meshOf(own, { two: [...other, ...more] }, mcs === undefined ? {} : { mcs });
  expect(endpoints()).toEqual(expected);
});

test("an export holds for its own cluster's endpoints, and comes and goes", () => {
  const { endpoints, worlds, world } = meshOf(own, { two: other }, { mcs: { ...ALL, clusterLocal: false } });
  expect([endpoints(), endpoints(elsewhere)]).toEqual([[OWN], [OTHER]]);
  world.apply([{ type: "set", object: shared("ServiceExport") }]);
  expect([endpoints(), endpoints(elsewhere)]).toEqual([[OWN], [OWN, OTHER]]);
  worlds.get("two")?.apply([{ type: "set", object: shared("ServiceExport") }]);
  expect(endpoints()).toEqual([OWN, OTHER]);
  worlds.get("two")?.apply([{ type: "delete", object: shared("ServiceExport") }]);
  expect(endpoints()).toEqual([OWN]);
});

test("an import gives the service a host in all clusters, dialled at the import's address of the caller's cluster", () => {
  const { mesh, endpoints } = meshOf(
    [...own, imported("10.96.9.9")],
    { two: [...other, shared("ServiceExport"), imported("10.97.9.9")] },
    { mcs: ALL },
  );
  expect(endpoints(proxy(), SET_CLUSTER)).toEqual([OWN, OTHER]);
  expect(endpoints(elsewhere, SET_CLUSTER)).toEqual([OTHER]);
  expect(endpoints(proxy(), CLUSTER)).toEqual([OWN]);
  const seen = mesh.model.services.allVisible("shop").map(({ hostname }) => hostname);
  expect(seen).toEqual([HOST, SET_HOST]);
  const capturing = (clusterId: string) => proxy({ clusterId, dns: { autoAddresses: false } });
  for (const [cluster, ip] of [
    ["one", "10.96.9.9"],
    ["two", "10.97.9.9"],
  ] as const) {
    const names = mesh.proxyConfig(capturing(cluster)).nameTable() ?? [];
    expect(names.find(({ host }) => host === SET_HOST)).toEqual({
      host: SET_HOST,
      addresses: [ip],
      namespace: "shop",
      shortName: undefined,
    });
    const routes = mesh.proxyConfig(capturing(cluster)).routeTable("80");
    const domains = routes?.virtualHosts.find(({ name }) => name === `${SET_HOST}:80`)?.domains;
    expect(domains).toEqual([SET_HOST, ip]);
  }
});

test.each([
  ["without an address", imported(), ALL],
  ["with words for an address", imported("here"), ALL],
  ["when hosts of all clusters are not asked for", imported("10.96.9.9"), { ...ALL, host: false }],
])("an import %s makes no host", (_, object, mcs) => {
  const { mesh } = meshOf([...own, object], { two: other }, { mcs });
  expect(mesh.model.services.visible("shop", SET_HOST)).toBeUndefined();
});

test("a cluster that has no such service reaches it by its import; the import gone, the host is gone", () => {
  const { mesh, world, endpoints } = meshOf(
    [imported("10.96.9.9")],
    { two: [...other, shared("ServiceExport")] },
    { mcs: ALL },
  );
  expect(endpoints(proxy(), SET_CLUSTER)).toEqual([OTHER]);
  world.apply([{ type: "delete", object: imported("10.96.9.9") }]);
  expect(mesh.model.services.visible("shop", SET_HOST)).toBeUndefined();
});

test("on another network it is reached by that one's gateway, which knows the host in all clusters", () => {
  const abroad = [network("b"), gateway("ew", "b", ["192.0.2.1"]), ...other, shared("ServiceExport")];
  const { endpoints } = meshOf([network("a"), imported("10.96.9.9"), ...own], { two: abroad }, { mcs: ALL });
  expect(endpoints(proxy(), SET_CLUSTER)).toEqual([OWN, "192.0.2.1:15443 1 istio"]);
  const router = proxy({
    type: "router",
    clusterId: "two",
    namespace: "istio-system",
    labels: { istio: "eastwestgateway" },
  });
  expect(endpoints(router, `outbound_.80_._.${SET_HOST}`)).toEqual([OTHER]);
});

test("cluster-local settings hold for the host in all clusters too", () => {
  const mesh = `serviceSettings: [{ settings: { clusterLocal: true }, hosts: ["*.clusterset.local"] }]`;
  const config = object("ConfigMap", "istio", { data: { mesh } }, "istio-system");
  const { endpoints } = meshOf(
    [...own, config, imported("10.96.9.9")],
    { two: [...other, shared("ServiceExport")] },
    { mcs: { ...ALL, clusterLocal: false } },
  );
  expect([endpoints(proxy(), SET_CLUSTER), endpoints()]).toEqual([[OWN], [OWN, OTHER]]);
});

test("settings by the environment: a later one needs the earlier", () => {
  const on = { ENABLE_MCS_HOST: "true", ENABLE_MCS_CLUSTER_LOCAL: "true" };
  expect(mcsSettings({})).toEqual({ discovery: false, host: false, clusterLocal: false });
  expect(mcsSettings(on)).toEqual({ discovery: false, host: false, clusterLocal: false });
  expect(mcsSettings({ ...on, ENABLE_MCS_SERVICE_DISCOVERY: "true" })).toEqual(ALL);
});
