import { expect, test } from "vitest";
import type { Endpoint } from "../../src/ir/service.ts";
import { localityChoice, placed } from "../../src/compile/locality.ts";
import { zoneShares } from "../../src/compile/zones.ts";
import { createModel } from "../../src/model/model.ts";
import { worldFromObjects } from "../../src/resources/files-world.ts";
import { peerOf } from "../../src/model/workload.ts";

const at = (region: string, zone: string, address: string): Endpoint => ({
  address,
  port: 80,
  labels: {},
  peer: peerOf({}),
  serviceAccount: "",
  tlsMode: "disabled",
  weight: 1,
  locality: { region, zone, subzone: "" },
});

/** Endpoints of one region by zone. */
function zones(counts: Readonly<Record<string, number>>): readonly Endpoint[] {
  return Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, index) => at("west", zone, `10.0.${zone.charCodeAt(0)}.${index}`)),
  );
}

test.each([
  ["as many endpoints as callers: all stays", { a: 3, b: 3 }, { a: 1, b: 1 }, { a: 10_000, b: 0 }],
  ["more: all stays", { a: 4, b: 2 }, { a: 1, b: 1 }, { a: 10_000, b: 0 }],
  [
    "half as many: half stays, the rest goes where there is room",
    { a: 2, b: 6 },
    { a: 1, b: 1 },
    { a: 5_000, b: 5_000 },
  ],
  ["the rest is shared by room", { a: 1, b: 3, c: 4 }, { a: 2, b: 1, c: 1 }, { a: 2_500, b: 2_500, c: 5_000 }],
  ["only callers here: as the endpoints are", { a: 2, b: 6 }, { a: 5 }, { a: 2_500, b: 7_500 }],
])("%s", (_, endpoints, replicas, wanted) => {
  const shares = zoneShares(zones(endpoints), { zone: "a", replicas });
  expect(Object.fromEntries(shares ?? [])).toEqual(wanted);
});

test("every zone gets as much as its endpoints are worth, whoever asks", () => {
  const endpoints = { a: 2, b: 5, c: 3 };
  const replicas = { a: 4, b: 1, c: 5 };
  const got: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (const [zone, callers] of Object.entries(replicas))
    for (const [to, share] of zoneShares(zones(endpoints), { zone, replicas }) ?? [])
      got[to] = (got[to] ?? 0) + (callers * share) / 1_000;
  for (const [zone, count] of Object.entries(endpoints)) expect(got[zone]).toBeCloseTo(count * 10, 1);
});

test("zones do not count with few endpoints, with none near, and for a caller of an unknown zone", () => {
  const near = zones({ a: 2, b: 2 });
  expect(zoneShares(near, { zone: "a", replicas: { a: 1, b: 1 } })).toBeUndefined();
  expect(zoneShares(near, { zone: "a", replicas: { a: 1, b: 1 } }, 4)).toBeDefined();
  expect(zoneShares(near, { zone: "c", replicas: { c: 1 } }, 1)).toBeUndefined();
  expect(zoneShares(near, { zone: "", replicas: {} }, 1)).toBeUndefined();
});

const mesh = createModel(worldFromObjects([])).meshConfig();
const client = { locality: { region: "west", zone: "a", subzone: "" }, labels: {}, node: "", replicas: { a: 1, b: 1 } };

test("regions come one after the other, a zone without a share behind those that have one", () => {
  const zoneAwareLbSetting = { minClusterSize: 1, failover: [{ from: "west", to: "north" }] };
  const choice = localityChoice({ loadBalancer: { zoneAwareLbSetting } }, mesh, undefined);
  const all = [at("south", "x", "1"), at("north", "y", "2"), at("west", "b", "3"), at("west", "a", "4")];
  const { endpoints, localityWeights } = placed(all, choice, client);
  expect(endpoints.map(({ address, priority = 0 }) => [address, priority])).toEqual([
    ["1", 3],
    ["2", 2],
    ["3", 1],
    ["4", 0],
  ]);
  expect(localityWeights).toEqual({ "west/a/": 10_000 });
});

test("turned off, localities do not count, whatever the mesh says", () => {
  const policy = { loadBalancer: { zoneAwareLbSetting: { enabled: false } }, outlierDetection: {} };
  expect(localityChoice(policy, mesh, "zone")).toBeUndefined();
});

test("the mesh's own setting holds where no rule and no service says otherwise", () => {
  const text = JSON.stringify({ zoneAwareLbSetting: { minClusterSize: 2 } });
  const map = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "istio-system", name: "istio" },
    data: { mesh: text },
  };
  const own = createModel(worldFromObjects([map as never])).meshConfig();
  expect(localityChoice({}, own, undefined)?.zones).toEqual({ minClusterSize: 2 });
  expect(localityChoice({}, own, "zone")?.zones).toBeUndefined();
  expect(localityChoice({ loadBalancer: { localityLbSetting: {} } }, own, undefined)?.zones).toBeUndefined();
});
