import { expect, test } from "vitest";
import type { EncodedResource, ResourceTable } from "../../src/controlplane/resource-table.ts";
import {
  createSubscription,
  markSent,
  openSubscription,
  planPush,
  type Subscription,
  updateSubscription,
} from "../../src/controlplane/subscription.ts";
import { typeStatus } from "../../src/controlplane/xds-status.ts";

const tableOf = (names: readonly string[], version: string): ResourceTable =>
  new Map(names.map((name) => [name, { name, version } as unknown as EncodedResource]));

const request = { subscribe: [], unsubscribe: [], initialVersions: {}, nonce: "", error: undefined };

/** A proxy that wants all, was sent the table, and answered so. */
function answered(table: ResourceTable, error?: string): Subscription {
  const sub = createSubscription("cluster");
  openSubscription(sub, request);
  const sent = planPush(sub, table, { removals: true });
  if (sent !== undefined) markSent(sub, "1", sent);
  updateSubscription(sub, { ...request, nonce: "1", error }, Date.parse("2026-11-21T12:00:00Z"));
  return sub;
}

test("a type in sync tells when it was confirmed, and of nothing that is pending", () => {
  const table = tableOf(["a", "b"], "1");
  const { status, ackedAt, pending } = typeStatus(answered(table), table);
  expect({ status, ackedAt, pending }).toEqual({
    status: "SYNCED",
    ackedAt: "2026-11-21T12:00:00.000Z",
    pending: undefined,
  });
});

test("of what is pending the first are named and all are counted: changed, new, and not yet taken away", () => {
  const names = Array.from({ length: 12 }, (_, index) => `c${index}`);
  const sub = answered(tableOf([...names, "gone"], "1"));
  const { status, pending, pendingCount } = typeStatus(sub, tableOf([...names, "new"], "2"));
  expect({ status, pending, pendingCount }).toEqual({ status: "STALE", pending: names.slice(0, 10), pendingCount: 14 });
  expect(typeStatus(sub, tableOf(names, "1"))).toMatchObject({ status: "STALE", pending: ["gone"], pendingCount: 1 });
});

test("a refusal tells Envoy's words and when; it is no longer one when something else is current", () => {
  const table = tableOf(["a"], "bad");
  const sub = answered(table, "no such type");
  expect(typeStatus(sub, table)).toMatchObject({
    status: "NACK",
    lastError: "no such type",
    refusedAt: "2026-11-21T12:00:00.000Z",
    pending: ["a"],
  });
  expect(typeStatus(sub, tableOf(["a"], "good")).status).toBe("STALE");
});
