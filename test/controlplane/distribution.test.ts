import { expect, test } from "vitest";
import { createArrivals } from "../../src/controlplane/arrivals.ts";
import { answerDistribution, type Distribution, distributionOf } from "../../src/controlplane/distribution.ts";
import type { EncodedResource, ResourceTable, Snapshot } from "../../src/controlplane/resource-table.ts";
import {
  createSubscription,
  markSent,
  openSubscription,
  planPush,
  type Subscription,
  updateSubscription,
} from "../../src/controlplane/subscription.ts";
import type { XdsStream } from "../../src/controlplane/xds-stream.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import type { XdsKind } from "../../src/xds/types.ts";

const resource = (name: string, version: string): EncodedResource =>
  ({ name, version, bytes: new Uint8Array(), framed: new Uint8Array() }) as unknown as EncodedResource;
const tableOf = (versions: Readonly<Record<string, string>>): ResourceTable =>
  new Map(Object.entries(versions).map(([name, version]) => [name, resource(name, version)]));

/** A proxy that asked for everything of these types, and what it is to run. */
function proxy(name: string, wanted: Partial<Record<XdsKind, Readonly<Record<string, string>>>>) {
  const subs = new Map<XdsKind, Subscription>();
  const snapshot: Record<string, ResourceTable> = {};
  const set = (kind: XdsKind, versions: Readonly<Record<string, string>>): void => {
    snapshot[kind] = tableOf(versions);
    const names = kind === "cluster" || kind === "listener" ? [] : Object.keys(versions);
    if (subs.has(kind)) return;
    const sub = createSubscription(kind);
    openSubscription(sub, { subscribe: names, unsubscribe: [], initialVersions: {}, nonce: "", error: undefined });
    subs.set(kind, sub);
  };
  for (const [kind, versions] of Object.entries(wanted)) set(kind as XdsKind, versions);
  let nonce = 0;
  /** Sends what is due of a type; the proxy answers at `at`. */
  const push = (kind: XdsKind, at: number, error?: string): void => {
    const sub = subs.get(kind);
    if (sub === undefined) throw new Error(`no ${kind}`);
    const sent = planPush(sub, snapshot[kind] ?? new Map(), { removals: true });
    if (sent === undefined) return;
    markSent(sub, String(++nonce), sent);
    const answer = { subscribe: [], unsubscribe: [], initialVersions: {}, nonce: String(nonce), error };
    updateSubscription(sub, answer, at);
  };
  const stream = {
    proxy: name,
    connectedAt: 1,
    subscription: (kind: XdsKind) => subs.get(kind),
    snapshot: () => snapshot as unknown as Snapshot,
  } as unknown as XdsStream;
  return { stream, set, push };
}

const rule = (generation: number): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "web", namespace: "shop", generation },
});

function asked(streams: readonly XdsStream[], at: { since?: number; now?: number } = {}): Distribution {
  const deps = {
    world: { get: () => rule(2) as never },
    arrivals: { of: () => at.since ?? 100 },
    streams: new Set(streams),
    instance: "istiod-1",
    now: () => at.now ?? 100_000,
  };
  return distributionOf(deps, { kind: "VirtualService", namespace: "shop", name: "web" });
}

test("a proxy is behind from the change until its Envoy has confirmed the very version", () => {
  const { stream, set, push } = proxy("web.shop", { listener: { in: "1" }, route: { "80": "1" } });
  expect(asked([stream])).toMatchObject({ proxies: 1, behind: 1, reasons: [{ type: "listener", resource: "in" }] });
  push("listener", 1);
  push("route", 2);
  expect(asked([stream])).toEqual({
    control_plane: "istiod-1",
    generation: 2,
    present: true,
    proxies: 1,
    behind: 0,
    reasons: [],
  });
  set("route", { "80": "2" });
  expect(asked([stream]).reasons).toEqual([{ proxy: "web.shop", type: "route", resource: "80" }]);
  push("route", 3);
  expect(asked([stream]).behind).toBe(0);
  // what it is to forget counts until it has
  set("listener", {});
  expect(asked([stream]).reasons).toEqual([{ proxy: "web.shop", type: "listener", resource: "in" }]);
});

test("a refusal holds up what came before it, not what came after", () => {
  const { stream, push } = proxy("web.shop", { listener: { in: "bad" } });
  push("listener", 500, "no such filter");
  const reasons = [{ proxy: "web.shop", type: "listener", resource: "in", error: "no such filter" }];
  expect(asked([stream], { since: 400 })).toMatchObject({ behind: 1, reasons });
  expect(asked([stream], { since: 600 }).behind).toBe(0);
});

test("what a listener that was just taken names and nobody asked for yet is awaited for a moment", () => {
  const { stream, set, push } = proxy("web.shop", { listener: { in: "1" }, route: { "80": "1" } });
  push("listener", 1000);
  push("route", 1000);
  set("route", { "80": "1", "81": "1" });
  expect(asked([stream], { now: 1500 }).reasons).toEqual([{ proxy: "web.shop", type: "route", resource: "81" }]);
  expect(asked([stream], { now: 4000 }).behind).toBe(0);
});

test("of two streams of one Envoy the newer speaks; one without configuration is behind", () => {
  const old = proxy("web.shop", { listener: { in: "1" } });
  const fresh = proxy("web.shop", { listener: { in: "1" } });
  fresh.push("listener", 1);
  expect(asked([{ ...old.stream, connectedAt: 0 }, fresh.stream]).behind).toBe(0);
  const unknown = { ...proxy("new.shop", {}).stream, snapshot: () => undefined } as XdsStream;
  expect(asked([unknown]).reasons).toEqual([{ proxy: "new.shop" }]);
});

test("arrivals: when a generation came; a change of the status, or the same listed again, is no new one", () => {
  let clock = 1;
  const arrivals = createArrivals(() => clock);
  const of = (): number | undefined => arrivals.of("VirtualService", "shop", "web");
  expect(of()).toBeUndefined();
  for (const [at, generation, expected] of [
    [1, 1, 1],
    [2, 1, 1],
    [3, 2, 3],
  ] as const) {
    clock = at;
    arrivals.note([{ type: "set", object: rule(generation) }]);
    expect(of()).toBe(expected);
  }
  clock = 9;
  arrivals.note([{ type: "delete", object: rule(2) }]);
  expect(of()).toBe(9);
});

test("the question must name an object of the mesh", () => {
  const deps = {
    world: { get: () => undefined },
    arrivals: { of: () => undefined },
    streams: new Set<XdsStream>(),
    instance: "i",
    now: Date.now,
  };
  const ask = (query: string): number => answerDistribution(deps, new URL(`http://x/?${query}`)).status;
  expect(ask("apiVersion=networking.istio.io/v1&kind=VirtualService&namespace=shop&name=web")).toBe(200);
  expect(ask("apiVersion=networking.istio.io/v1&kind=VirtualService&namespace=shop")).toBe(400);
  expect(ask("apiVersion=v1&kind=Nothing&name=x")).toBe(400);
});
