import fc from "fast-check";
import { expect, test } from "vitest";
import type { ResourceTable } from "../../src/controlplane/resource-table.ts";
import {
  createSubscription,
  forget,
  hasRefusal,
  markSent,
  openSubscription,
  planPush,
  type Sent,
  type Subscription,
  updateSubscription,
} from "../../src/controlplane/subscription.ts";
import { request, table, versionOf } from "./support.ts";

const all = { removals: true };
const names = (sent: Sent | undefined) =>
  sent === undefined ? undefined : { set: sent.set.map(({ name }) => name), removed: [...sent.removed] };

function opened(kind: "cluster" | "endpoint", parts: Parameters<typeof request>[0] = {}): Subscription {
  const sub = createSubscription(kind);
  openSubscription(sub, request(parts));
  return sub;
}

function push(sub: Subscription, current: ResourceTable, nonce: string): void {
  const plan = planPush(sub, current, all);
  if (plan === undefined) throw new Error("expected something to send");
  markSent(sub, nonce, plan);
}

test("a wildcard gets everything, then only what changed, then nothing", () => {
  const sub = opened("cluster");
  const first = table({ a: "1", b: "1" });
  expect(names(planPush(sub, first, all))).toEqual({ set: ["a", "b"], removed: [] });
  push(sub, first, "n1");
  expect(planPush(sub, first, all)).toBeUndefined();
  const second = table({ a: "1", b: "2", c: "1" });
  expect(names(planPush(sub, second, all))).toEqual({ set: ["b", "c"], removed: [] });
  push(sub, second, "n2");
  expect(names(planPush(sub, table({ a: "1" }), all))).toEqual({ set: [], removed: ["b", "c"] });
  expect(planPush(sub, table({ a: "1" }), { removals: false })).toBeUndefined();
});

test("an empty wildcard is answered once, so that Envoy can go on", () => {
  const sub = opened("cluster");
  expect(names(planPush(sub, table({}), all))).toEqual({ set: [], removed: [] });
  push(sub, table({}), "n1");
  expect(planPush(sub, table({}), all)).toBeUndefined();
});

test("named subscriptions get what they name and hear of what is not there", () => {
  const sub = opened("endpoint", { subscribe: ["a", "x"] });
  const current = table({ a: "1", b: "1" });
  expect(names(planPush(sub, current, all))).toEqual({ set: ["a"], removed: ["x"] });
  push(sub, current, "n1");
  expect(planPush(sub, current, all)).toBeUndefined();
  expect(updateSubscription(sub, request({ subscribe: ["b"], unsubscribe: ["a"] }), 1)).toBe(0);
  expect(names(planPush(sub, current, all))).toEqual({ set: ["b"], removed: [] });
  push(sub, current, "n2");
  expect(names(planPush(sub, table({ a: "2", b: "1", x: "1" }), all))).toEqual({ set: ["x"], removed: [] });
});

test("what is asked for again is sent again", () => {
  const sub = opened("endpoint", { subscribe: ["a"] });
  push(sub, table({ a: "1" }), "n1");
  updateSubscription(sub, request({ subscribe: ["a"] }), 1);
  expect(names(planPush(sub, table({ a: "1" }), all))).toEqual({ set: ["a"], removed: [] });
});

test("after a reconnect only the difference to the versions the client names is sent", () => {
  const current = table({ a: "1", b: "2", c: "1" });
  const had = { a: versionOf("1"), b: versionOf("1"), gone: versionOf("1") };
  const sub = opened("cluster", { initialVersions: had });
  expect(names(planPush(sub, current, all))).toEqual({ set: ["b", "c"], removed: ["gone"] });
  const same = opened("cluster", { initialVersions: { a: versionOf("1") } });
  // One empty response: it resets Envoy's pause between attempts to reconnect.
  expect(names(planPush(same, table({ a: "1" }), all))).toEqual({ set: [], removed: [] });
  push(same, table({ a: "1" }), "n1");
  expect(planPush(same, table({ a: "1" }), all)).toBeUndefined();
  expect(same.acked.get("a")).toBe(versionOf("1"));
});

test("an ACK confirms what its response held, whatever was sent since", () => {
  const sub = opened("cluster");
  push(sub, table({ a: "1" }), "n1");
  push(sub, table({ a: "2" }), "n2");
  updateSubscription(sub, request({ nonce: "n1" }), 7);
  expect(sub.acked.get("a")).toBe(versionOf("1"));
  expect(sub.ackedAt).toBe(7);
  updateSubscription(sub, request({ nonce: "n2" }), 8);
  expect(sub.acked.get("a")).toBe(versionOf("2"));
  updateSubscription(sub, request({ nonce: "n2", error: "late" }), 9);
  updateSubscription(sub, request({ nonce: "never sent", error: "x" }), 9);
  expect(hasRefusal(sub, table({ a: "2" }))).toBe(false);
});

test("a refused resource is not sent again until it changes", () => {
  const sub = opened("cluster");
  push(sub, table({ a: "1" }), "n1");
  updateSubscription(sub, request({ nonce: "n1" }), 1);
  push(sub, table({ a: "bad" }), "n2");
  expect(updateSubscription(sub, request({ nonce: "n2", error: "no such filter" }), 2)).toBe(1);
  expect(hasRefusal(sub, table({ a: "bad" }))).toBe(true);
  expect(planPush(sub, table({ a: "bad" }), all)).toBeUndefined();
  expect(sub.acked.get("a")).toBe(versionOf("1"));
  push(sub, table({ a: "good" }), "n3");
  updateSubscription(sub, request({ nonce: "n3" }), 3);
  expect(sub.refused.size).toBe(0);
  expect(hasRefusal(sub, table({ a: "good" }))).toBe(false);
});

test("a wildcard can be given up", () => {
  const sub = opened("cluster", { subscribe: ["*", "a"] });
  expect(sub.wildcard).toBe(true);
  push(sub, table({ a: "1", b: "1" }), "n1");
  updateSubscription(sub, request({ unsubscribe: ["*"] }), 1);
  expect(names(planPush(sub, table({ a: "2", b: "2" }), all))?.set).toEqual(["a"]);
});

test("forgetting sends again only what is subscribed", () => {
  const sub = opened("endpoint", { subscribe: ["a"] });
  push(sub, table({ a: "1" }), "n1");
  expect(planPush(sub, table({ a: "1" }), all)).toBeUndefined();
  forget(sub, ["a", "b"]);
  expect(names(planPush(sub, table({ a: "1" }), all))).toEqual({ set: ["a"], removed: [] });
});

test("whatever happens, a client that applies what it is sent ends up with the table", () => {
  const contents = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1", "2", "3"), { maxKeys: 4 });
  const step = fc.oneof(
    fc.record({ table: contents }),
    fc.record({ subscribe: fc.constantFrom("a", "b", "e") }),
    fc.record({ unsubscribe: fc.constantFrom("a", "b", "e") }),
    fc.record({ ack: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 30 }), (wildcard, steps) => {
      const sub = opened("cluster", { subscribe: wildcard ? [] : ["a"] });
      let client = new Map<string, string>();
      const wanted = new Set(wildcard ? [] : ["a"]);
      let current = table({});
      let nonce = 0;
      for (const one of steps) {
        if ("table" in one) current = table(one.table);
        if ("subscribe" in one) {
          wanted.add(one.subscribe);
          updateSubscription(sub, request({ subscribe: [one.subscribe] }), 0);
        }
        if ("unsubscribe" in one) {
          wanted.delete(one.unsubscribe);
          updateSubscription(sub, request({ unsubscribe: [one.unsubscribe] }), 0);
          if (!wildcard) client.delete(one.unsubscribe);
        }
        if ("ack" in one) updateSubscription(sub, request({ nonce: `n${nonce}` }), 0);
        const plan = planPush(sub, current, all);
        if (plan === undefined) continue;
        nonce += 1;
        markSent(sub, `n${nonce}`, plan);
        client = new Map([...client].filter(([name]) => !plan.removed.includes(name)));
        for (const { name, version } of plan.set) client.set(name, version);
      }
      const expected = [...current.values()]
        .filter(({ name }) => wildcard || wanted.has(name))
        .map(({ name, version }) => [name, version]);
      expect(client).toEqual(new Map(expected as [string, string][]));
    }),
  );
});
