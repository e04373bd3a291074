import { expect, test } from "vitest";
import { createLayers, type Layers } from "../../src/registry/layers.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore, type WorldStore } from "../../src/resources/world-store.ts";

const entry = (name: string, host: string): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name, namespace: "shop" },
  spec: { hosts: [host] },
});

/** A World below two registries, the first the more important. */
function layered(): {
  readonly world: WorldStore;
  readonly layers: Layers;
  readonly host: (name: string) => string | undefined;
} {
  const world = createWorldStore();
  const layers = createLayers(2, (kind, namespace, name) => world.get(kind, namespace, name) !== undefined);
  const host = (name: string): string | undefined => world.get("ServiceEntry", "shop", name)?.spec?.hosts?.[0];
  return { world, layers, host };
}

test("what a registry has comes into the World and goes with it", () => {
  const { world, layers, host } = layered();
  world.apply(layers.ofRegistry(0, [entry("a", "one"), entry("b", "two")]).changes);
  expect([host("a"), host("b")]).toEqual(["one", "two"]);
  const { changes } = layers.ofRegistry(0, [entry("b", "two")]);
  world.apply(changes);
  expect([host("a"), host("b")]).toEqual([undefined, "two"]);
  expect(changes.map(({ type, object }) => [type, object.metadata.name])).toEqual([["delete", "a"]]);
});

test("of two with one name the earlier registry's counts, and the other's when it is gone", () => {
  const { world, layers, host } = layered();
  world.apply(layers.ofRegistry(1, [entry("a", "late")]).changes);
  world.apply(layers.ofRegistry(0, [entry("a", "early")]).changes);
  expect(host("a")).toBe("early");
  const again = layers.ofRegistry(1, [entry("a", "later")]);
  expect(again.changes).toEqual([]);
  expect(again.hidden).toHaveLength(1);
  world.apply(layers.ofRegistry(0, []).changes);
  expect(host("a")).toBe("later");
});

test("the cluster's object counts more than any registry's, and gives way to it when it is deleted", () => {
  const { world, layers, host } = layered();
  world.apply(layers.ofCluster([{ type: "set", object: entry("a", "cluster") }]));
  const { changes, hidden } = layers.ofRegistry(0, [entry("a", "file")]);
  world.apply(changes);
  expect(host("a")).toBe("cluster");
  expect(hidden).toHaveLength(1);
  world.apply(layers.ofCluster([{ type: "delete", object: entry("a", "cluster") }]));
  expect(host("a")).toBe("file");
  world.apply(layers.ofCluster([{ type: "set", object: entry("a", "cluster again") }]));
  expect(host("a")).toBe("cluster again");
  // what the registry takes back is not the cluster's
  world.apply(layers.ofRegistry(0, []).changes);
  expect(host("a")).toBe("cluster again");
});
