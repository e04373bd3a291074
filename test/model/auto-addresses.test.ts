import { expect, test } from "vitest";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore, worldOf } from "../../src/resources/world-store.ts";

function entry(name: string, second: number, spec: object = {}): KubeObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: "shop", creationTimestamp: new Date(second * 1000).toISOString() },
    spec: { hosts: [`${name}.example.com`], resolution: "DNS", ports: [{ number: 1, name: "tcp" }], ...spec },
  } as KubeObject;
}

function addresses(objects: readonly KubeObject[]): ReadonlyMap<string, readonly string[]> {
  const model = createModel(worldOf(objects));
  model.derivations.keep();
  return new Map(model.services.all().map((service) => [service.hostname, model.autoAddresses.of(service)]));
}

test("4,000 hosts get pairs of their own, whatever order they come in", () => {
  const entries = Array.from({ length: 4_000 }, (_, index) => entry(`host-${index}`, index));
  const given = addresses(entries);
  expect(new Set([...given.values()].flat()).size).toBe(8_000);
  expect(addresses(entries.toReversed())).toEqual(given);
  for (const [v4 = "", v6 = ""] of given.values()) {
    expect(v4).toMatch(/^240\.240\.\d{1,3}\.([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])$/);
    const [third = 0, fourth = 0] = v4.split(".").slice(2).map(Number);
    expect(v6).toBe(`2001:2::f0f0:${(third * 256 + fourth).toString(16)}`);
  }
});

test("an older host keeps its address when younger ones come and go", () => {
  const old = Array.from({ length: 3_000 }, (_, index) => entry(`old-${index}`, index));
  const young = Array.from({ length: 3_000 }, (_, index) => entry(`young-${index}`, 10_000 + index));
  const before = addresses(old);
  const after = addresses([...young, ...old]);
  for (const [host, given] of before) expect(after.get(host), host).toEqual(given);
});

test("an address that somebody writes down is given to nobody else", () => {
  const [v4 = ""] = addresses([entry("a", 1)]).get("a.example.com") ?? [];
  const moved = addresses([entry("a", 1), entry("taken", 2, { addresses: [v4] })]);
  expect(moved.get("a.example.com")?.[0]).not.toBe(v4);
  expect(moved.get("taken.example.com")).toEqual([]);
});

test("a change of one entry changes the others' answers only if they meet", () => {
  const world = createWorldStore();
  world.apply([{ type: "set", object: entry("a", 1) }]);
  const model = createModel(world);
  let runs = 0;
  const stop = model.derivations.effect(() => {
    runs += 1;
    for (const service of model.services.ofEntry("shop", "a")) model.autoAddresses.of(service);
  });
  world.apply([
    { type: "set", object: { ...entry("a", 1), metadata: { ...entry("a", 1).metadata, labels: { x: "y" } } } },
  ]);
  expect(runs).toBe(1);
  stop();
});
