import { expect, test } from "vitest";
import { apiVersionOf, KIND_NAMES, KINDS, kindOf } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore, worldOf } from "../../src/resources/world-store.ts";

const object = (kind: string, name: string, rest: Record<string, unknown> = {}, apiVersion = "v1"): KubeObject => {
  const { metadata, ...fields } = rest as { metadata?: object };
  return { apiVersion, kind, metadata: { name, namespace: "shop", ...metadata }, ...fields };
};

test("every kind is found by its group and kind in all its versions, and Istio's Gateway is not Gateway API's", () => {
  for (const name of KIND_NAMES) {
    const { group, kind, versions } = KINDS[name];
    for (const version of versions) {
      expect(kindOf({ apiVersion: group === "" ? version : `${group}/${version}`, kind })).toBe(name);
    }
  }
  expect(kindOf({ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" })).toBe("KubernetesGateway");
  expect(kindOf({ apiVersion: "example.com/v1", kind: "Gateway" })).toBeUndefined();
  expect(apiVersionOf("VirtualService")).toBe("networking.istio.io/v1");
});

test("lists are sorted by namespace and name, whatever the order in which objects came", () => {
  const world = worldOf([
    object("Service", "b"),
    object("Service", "z", { metadata: { namespace: "a" } }),
    object("Service", "a"),
    object("Thing", "ignored"),
  ]);
  expect(world.list("Service").map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    "a/z",
    "shop/a",
    "shop/b",
  ]);
  expect(world.list("Service", "shop")).toHaveLength(2);
  expect(world.list("Pod")).toEqual([]);
});

test("readers run once per batch, and only when what they read has changed", () => {
  const store = createWorldStore();
  const seen: string[] = [];
  const end = store.derivations.effect(() => {
    const pod = store.get("Pod", "shop", "p");
    seen.push(`${pod?.metadata.labels?.["v"] ?? "none"} of ${store.list("Pod", "shop").length}`);
  });
  const pod = (v: string, resourceVersion: string): KubeObject =>
    object("Pod", "p", { metadata: { labels: { v }, resourceVersion, managedFields: [resourceVersion] } });
  store.apply([
    { type: "set", object: pod("1", "1") },
    { type: "set", object: object("Pod", "q") },
  ]);
  store.apply([{ type: "set", object: pod("1", "2") }]);
  store.apply([{ type: "set", object: object("Pod", "x", { metadata: { namespace: "other" } }) }]);
  store.apply([{ type: "set", object: pod("2", "3") }]);
  store.apply([{ type: "delete", object: object("Pod", "p") }]);
  store.apply([{ type: "delete", object: object("Pod", "p") }]);
  store.apply([{ type: "set", object: pod("3", "4") }]);
  expect(seen).toEqual(["none of 0", "1 of 2", "2 of 2", "none of 1", "3 of 2"]);
  end();
  expect(store.derivations.size()).toBe(0);
});

test("indexes follow their objects", () => {
  const store = createWorldStore();
  const slice = (service: string): KubeObject =>
    object(
      "EndpointSlice",
      "s",
      { metadata: { labels: { "kubernetes.io/service-name": service } } },
      "discovery.k8s.io/v1",
    );
  const names = (key: string): string[] =>
    store.by("endpointSlicesOfService", key).map(({ metadata }) => metadata.name);
  store.apply([{ type: "set", object: slice("web") }]);
  expect(names("shop/web")).toEqual(["s"]);
  store.apply([{ type: "set", object: slice("api") }]);
  expect([names("shop/web"), names("shop/api")]).toEqual([[], ["s"]]);
  store.apply([{ type: "delete", object: slice("api") }]);
  expect(names("shop/api")).toEqual([]);
});

test("a pod's address is its own only while it runs and is not the node's", () => {
  const pod = (name: string, rest: Record<string, unknown>): KubeObject => object("Pod", name, rest);
  const world = worldOf([
    pod("runs", { status: { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] } }),
    pod("done", { status: { podIP: "10.0.0.1", phase: "Succeeded" } }),
    pod("host", { spec: { hostNetwork: true, containers: [] }, status: { podIP: "192.168.0.1" } }),
  ]);
  const names = (ip: string): string[] => world.by("podsByIp", ip).map(({ metadata }) => metadata.name);
  expect([names("10.0.0.1"), names("fd00::1"), names("192.168.0.1")]).toEqual([["runs"], ["runs"], []]);
});
