import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Caller } from "../../src/controlplane/caller.ts";
import { createPushBudget } from "../../src/controlplane/push-budget.ts";
import type { Snapshot } from "../../src/controlplane/resource-table.ts";
import type { StreamDeps, StreamEvent } from "../../src/controlplane/xds-deps.ts";
import { deltaProtocol } from "../../src/controlplane/xds-protocol.ts";
import { serveStream, type XdsStream } from "../../src/controlplane/xds-stream.ts";
import type { DeltaRequest, XdsConnection } from "../../src/grpc/ads-server.ts";
import { decodeMessage } from "../../src/wire/codec.ts";
import { TYPE_URLS, type XdsKind } from "../../src/xds/types.ts";
import { snapshot } from "./support.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => void vi.useRealTimers());

const node = {
  id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local",
  metadata: { NAMESPACE: "shop", SERVICE_ACCOUNT: "web" },
};
const caller: Caller = {
  identity: { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" },
  podUid: "u",
  podName: "web-1",
  expiresAt: undefined,
  by: "token",
};

/** A stream over a transport that takes a response only when told to. */
function rig(changes: Partial<StreamDeps> = {}) {
  const sent: { kind: XdsKind; nonce: string; names: string[]; removed: readonly string[] }[] = [];
  const events: StreamEvent[] = [];
  const faults: unknown[] = [];
  const streams = new Set<XdsStream>();
  const health: (string | undefined)[] = [];
  let ended: { status: string; details: string } | "fine" | undefined;
  let push: (next: Snapshot) => void = () => {};
  let followers = 0;
  const connection: XdsConnection = {
    peer: { address: "10.0.0.1:1", certificate: undefined, bearer: "t" },
    send(bytes) {
      const response = decodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", bytes);
      const kind = (Object.keys(TYPE_URLS) as XdsKind[]).find((name) => TYPE_URLS[name] === response.type_url)!;
      const names = (response.resources ?? []).map((resource) => resource.name ?? "");
      sent.push({ kind, nonce: response.nonce ?? "", names, removed: response.removed_resources ?? [] });
    },
    end(refusal) {
      if (ended !== undefined) return;
      ended = refusal ?? "fine";
      handler.closed();
    },
  };
  const deps: StreamDeps = {
    notReady: () => undefined,
    admit: () => Promise.resolve({ caller }),
    follow(_claim, _caller, onSnapshot) {
      followers += 1;
      push = onSnapshot;
      return () => {
        followers -= 1;
      };
    },
    onHealth: (_claim, error) => void health.push(error),
    onEvent: (event) => void events.push(event),
    onFault: (error) => void faults.push(error),
    budget: createPushBudget(),
    controlPlane: "istiod-0",
    now: Date.now,
    ...changes,
  };
  const handler = serveStream(deps, deltaProtocol, connection, streams);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    sent,
    events,
    faults,
    streams,
    health,
    handler,
    settle,
    ended: () => ended,
    followers: () => followers,
    stream: () => [...streams][0]!,
    push: (next: Snapshot) => push(next),
    async request(parts: DeltaRequest) {
      handler.request(parts);
      await settle();
    },
    async drain() {
      handler.drained();
      await settle();
    },
  };
}

// Any resource will do, the bytes are not looked at here: an empty message.
const tables = (clusters: Record<string, string>) => snapshot({ cluster: clusters });
const ask = (kind: XdsKind, parts: DeltaRequest = {}): DeltaRequest => ({ type_url: TYPE_URLS[kind], ...parts });

test("what changes while a response is in the transport is in the next one, once", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  one.push(tables({ a: "" }));
  await one.settle();
  expect(one.sent.map(({ names }) => names)).toEqual([["a"]]);
  for (const content of ["", "\u0012\u0000", "\u0012\u0000\u0012\u0000"]) {
    one.push(tables({ a: "", b: content }));
    await one.settle();
  }
  expect(one.sent).toHaveLength(1);
  await one.drain();
  expect(one.sent).toHaveLength(1);
  await one.request(ask("cluster", { response_nonce: "1" }));
  expect(one.sent.map(({ names }) => names)).toEqual([["a"], ["b"]]);
  await one.drain();
  expect(one.sent).toHaveLength(2);
});

/** States of a world that never stops changing, the last one last. */
const states = Array.from({ length: 300 }, (_, turn) => tables({ a: "", b: "\u0012\u0000".repeat(turn) }));

test("a proxy that is slow to confirm gets one response for all that changed meanwhile, and the newest state at the end", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  for (const [turn, state] of states.entries()) {
    one.push(state);
    await one.settle();
    await one.drain();
    // it confirms once while the world changes ten times
    if (turn % 10 === 9) await one.request(ask("cluster", { response_nonce: one.sent.at(-1)!.nonce }));
    expect(one.stream().subscription("cluster")?.inFlight.size).toBeLessThanOrEqual(1);
  }
  expect(one.sent).toHaveLength(31);
  await one.request(ask("cluster", { response_nonce: one.sent.at(-1)!.nonce }));
  const [, b] = [...states.at(-1)!.cluster.values()];
  expect(one.stream().subscription("cluster")?.acked.get("b")).toBe(b?.version);
  expect(one.stream().status().types.cluster?.status).toBe("SYNCED");
});

test("a proxy that reads and never confirms is served every three seconds, and little is kept of it", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  for (const state of states) {
    one.push(state);
    await one.settle();
    await one.drain();
    vi.advanceTimersByTime(100);
    await one.settle();
  }
  // half a minute of changes
  expect(one.sent).toHaveLength(11);
  expect(one.stream().subscription("cluster")?.inFlight.size).toBeLessThanOrEqual(4);
  vi.advanceTimersByTime(3_000);
  await one.settle();
  const [, b] = [...states.at(-1)!.cluster.values()];
  expect(one.stream().subscription("cluster")?.held.get("b")).toBe(b?.version);
});

test("a proxy that does not read holds one response in the transport, and is sent the newest state when it reads", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  for (const state of states) {
    one.push(state);
    await one.settle();
    vi.advanceTimersByTime(100);
  }
  await one.settle();
  expect(one.sent).toHaveLength(1);
  await one.drain();
  expect(one.sent).toHaveLength(2);
  const [, b] = [...states.at(-1)!.cluster.values()];
  expect(one.stream().subscription("cluster")?.held.get("b")).toBe(b?.version);
});

test("all streams together have a bounded number of bytes in the transport; who does not read holds up nobody for long", async () => {
  const budget = createPushBudget(1);
  const [slow, quick] = [rig({ budget }), rig({ budget })];
  for (const one of [slow, quick]) {
    await one.request(ask("cluster", { node }));
    one.push(tables({ a: "" }));
    await one.settle();
  }
  expect([slow.sent.length, quick.sent.length]).toEqual([1, 0]);
  vi.advanceTimersByTime(1_000);
  await quick.settle();
  expect(quick.sent.length).toBe(1);
  await quick.drain();
  await quick.request(ask("cluster", { response_nonce: "1" }));
  quick.push(tables({ a: "\u0012\u0000" }));
  await quick.settle();
  expect(quick.sent.length).toBe(2);
  // a stream that ends gives its bytes back
  slow.push(tables({ a: "\u0012\u0000" }));
  await slow.request(ask("cluster", { response_nonce: "1" }));
  await slow.drain();
  expect(slow.sent.length).toBe(1);
  quick.handler.closed();
  await slow.settle();
  expect(slow.sent.length).toBe(2);
});

test("requests that come before authentication is done are served after it", async () => {
  let admit: (value: { caller: Caller }) => void = () => {};
  const one = rig({ admit: () => new Promise((resolve) => (admit = resolve)) });
  await one.request(ask("cluster", { node }));
  await one.request(ask("listener"));
  expect(one.streams.size).toBe(0);
  admit({ caller });
  await one.settle();
  one.push(tables({ a: "" }));
  await one.settle();
  expect(one.sent[0]?.kind).toBe("cluster");
  expect(one.streams.size).toBe(1);
});

test("a stream is turned away: not ready, no node, not admitted, silent, too eager, admission that fails", async () => {
  const notReady = rig({ notReady: () => "not in sync" });
  await notReady.request(ask("cluster", { node }));
  expect(notReady.ended()).toEqual({ status: "UNAVAILABLE", details: "not in sync" });

  const nobody = rig();
  await nobody.request(ask("cluster"));
  expect(nobody.ended()).toMatchObject({ status: "INVALID_ARGUMENT" });

  const stranger = rig({ admit: () => Promise.resolve({ status: "PERMISSION_DENIED", details: "no" }) });
  await stranger.request(ask("cluster", { node }));
  expect(stranger.ended()).toEqual({ status: "PERMISSION_DENIED", details: "no" });

  const silent = rig();
  vi.advanceTimersByTime(15_000);
  expect(silent.ended()).toMatchObject({ status: "ABORTED" });

  const eager = rig({ admit: () => new Promise(() => {}) });
  for (let count = 0; count < 65; count += 1) eager.handler.request(ask("cluster", { node }));
  expect(eager.ended()).toMatchObject({ status: "ABORTED" });

  const broken = rig({ admit: () => Promise.reject(new Error("secret words")) });
  await broken.request(ask("cluster", { node }));
  expect(broken.ended()).toMatchObject({ status: "UNAVAILABLE" });
  expect(JSON.stringify(broken.ended())).not.toContain("secret words");
  for (const one of [notReady, nobody, stranger, silent, eager, broken]) {
    expect(one.streams.size).toBe(0);
    expect(one.events.filter(({ type }) => type === "turned-away")).toHaveLength(1);
  }
});

test("a pod that does not become known ends the stream, and nothing of it is left", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  expect(one.followers()).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(one.ended()).toMatchObject({ status: "UNAVAILABLE" });
  expect(one.followers()).toBe(0);
  expect(one.streams.size).toBe(0);
  expect(one.events.map(({ type }) => type)).toEqual(["opened", "turned-away", "closed"]);
});

test("a stream ends with the certificate, and by itself after half an hour", async () => {
  const expiresAt = new Date(Date.now() + 60_000);
  const short = rig({ admit: () => Promise.resolve({ caller: { ...caller, expiresAt } }) });
  await short.request(ask("cluster", { node }));
  short.push(tables({}));
  vi.advanceTimersByTime(59_000);
  expect(short.ended()).toBeUndefined();
  vi.advanceTimersByTime(1_000);
  expect(short.ended()).toBe("fine");

  const long = rig();
  await long.request(ask("cluster", { node }));
  long.push(tables({}));
  vi.advanceTimersByTime(26 * 60_000);
  expect(long.ended()).toBeUndefined();
  vi.advanceTimersByTime(4 * 60_000);
  expect(long.ended()).toBe("fine");
});

test("listeners wait for the ACK of clusters, but not for ever", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  await one.request(ask("listener"));
  one.push(snapshot({ cluster: { a: "" }, listener: { l: "" } }));
  await one.settle();
  await one.drain();
  expect(one.sent.map(({ kind }) => kind)).toEqual(["cluster"]);
  vi.advanceTimersByTime(3_000);
  await one.settle();
  expect(one.sent.map(({ kind }) => kind)).toEqual(["cluster", "listener"]);
  await one.drain();
  await one.request(ask("cluster", { response_nonce: "1" }));
  expect(one.events.filter(({ type }) => type === "acked")).toHaveLength(1);
});

test("a NACK is told, unknown types are passed over, an error of ours ends this stream only", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  one.push(tables({ a: "" }));
  await one.settle();
  await one.drain();
  await one.request(ask("cluster", { response_nonce: "1", error_detail: { message: "no such thing" } }));
  expect(one.events.at(-1)).toEqual({ type: "refused", kind: "cluster", proxy: "web-1.shop", error: "no such thing" });
  expect([...one.streams][0]?.status().types.cluster).toMatchObject({ status: "NACK", lastError: "no such thing" });
  await one.request({ type_url: "type.googleapis.com/unheard.of" });
  expect(one.ended()).toBeUndefined();
  one.push({ ...tables({}), cluster: new Map([["x", null as never]]) });
  await one.settle();
  expect(one.ended()).toMatchObject({ status: "INTERNAL" });
  expect(one.faults).toHaveLength(1);
});

test("status says only what the ACKs say", async () => {
  const one = rig();
  await one.request(ask("cluster", { node }));
  const status = () => [...one.streams][0]!.status().types;
  expect(status().cluster?.status).toBe("NOT SENT");
  expect(Object.keys(status())).toEqual(["cluster", "endpoint", "listener", "route"]);
  one.push(tables({ a: "" }));
  await one.settle();
  await one.drain();
  expect(status().cluster).toMatchObject({ status: "STALE", ackedAt: "" });
  await one.request(ask("cluster", { response_nonce: "1" }));
  expect(status().cluster?.status).toBe("SYNCED");
  one.push(tables({ a: "", b: "" }));
  expect(status().cluster?.status).toBe("STALE");
});

test("what an agent says of its application's health is handed on, and its stream is no proxy", async () => {
  const one = rig();
  const type_url = "type.googleapis.com/istio.v1.HealthInformation";
  await one.request({ node, type_url, error_detail: { code: 500, message: "status 503" } });
  await one.request({ type_url });
  await one.request(ask("nametable"));
  expect(one.health).toEqual(["status 503", undefined]);
  expect(one.streams.size).toBe(0);
  await one.request(ask("cluster"));
  expect(one.streams.size).toBe(1);
});
