import { expect, test } from "vitest";
import { createRecentChanges } from "../../src/controlplane/changes.ts";
import type { KubeObject } from "../../src/resources/object.ts";

function object(kind: string, name: string, generation?: number): KubeObject {
  const metadata = { name, namespace: "shop", ...(generation === undefined ? {} : { generation }) };
  return { apiVersion: "networking.istio.io/v1", kind, metadata };
}

test("keeps what was written and by whom, once for each generation", () => {
  let synced = false;
  const changes = createRecentChanges(
    () => Date.UTC(2026, 10, 21),
    () => synced,
  );
  changes.note([{ type: "set", object: object("VirtualService", "old", 1) }]);
  synced = true;
  changes.reviewed(object("VirtualService", "web"), "ann");
  changes.note([
    { type: "set", object: object("VirtualService", "web", 1) },
    { type: "set", object: object("VirtualService", "web", 1) },
    { type: "set", object: object("Pod", "web-1") },
    { type: "set", object: object("VirtualService", "old", 1) },
    { type: "set", object: object("VirtualService", "old", 2) },
    { type: "delete", object: object("VirtualService", "web", 1) },
  ]);
  const time = "2026-11-21T00:00:00.000Z";
  const common = { kind: "VirtualService", namespace: "shop", time };
  expect(changes.list()).toEqual([
    { ...common, name: "web", type: "set", generation: 1, user: "ann" },
    { ...common, name: "old", type: "set", generation: 2 },
    { ...common, name: "web", type: "delete", generation: 1 },
  ]);
});

test("keeps so many and no more", () => {
  const changes = createRecentChanges(Date.now, () => true);
  changes.note(
    Array.from({ length: 1_500 }, (_, index) => ({ type: "set", object: object("Service", `s${index}`) }) as const),
  );
  expect(changes.list()).toHaveLength(1_000);
  expect(changes.list()[0]?.name).toBe("s500");
});
