import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { ClusterError } from "../../src/base/errors.ts";
import {
  createTrustRemovals,
  effectiveSince,
  isLess,
  nextRecord,
  type Trusted,
  trustDrainDelay,
  trustedOf,
} from "../../src/controlplane/trust-removals.ts";
import { createRoot } from "../../src/pki/ca.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { plainCluster } from "../../src/compile/clusters.ts";
import { buildCluster } from "../../src/xds/cluster.ts";
import { recordingLogger } from "../support/controlplane/recorder.ts";

const START = Date.parse("2026-11-21T00:00:00Z");
const DELAY = 1_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: START }));
afterEach(() => void vi.useRealTimers());

const trusting = (...roots: readonly string[]): Trusted => ({ roots, revoked: "" });
const validity = { notBefore: new Date(START), notAfter: new Date(START + 3_600_000) };

test("less is trusted when a root goes, counts for fewer, or other certificates are revoked; not when roots come", () => {
  expect(isLess(trusting("* a", "* b"), trusting("* a"))).toBe(false);
  expect(isLess(trusting("* b"), trusting("* a"))).toBe(true);
  expect(isLess(trusting("east a"), trusting("* a"))).toBe(true);
  expect(isLess(trusting("* a"), trusting("east a"))).toBe(false);
  expect(isLess({ roots: ["* a"], revoked: "x" }, trusting("* a"))).toBe(true);
  expect(isLess({ roots: ["* a"], revoked: "y" }, { roots: ["* a"], revoked: "x" })).toBe(true);
  expect(isLess(trusting("* a"), { roots: ["* a"], revoked: "x" })).toBe(false);
});

test("an authority is its name and its key: a certificate renewed under them is the same, a list issued anew as well", async () => {
  const one = await createRoot("a.example", validity, { commonName: "one" });
  const two = await createRoot("a.example", validity, { commonName: "two" });
  const own = one.certificate + two.certificate;
  const all = trustedOf({ own, federated: { "b.example": one.certificate } });
  expect(all.roots).toHaveLength(3);
  expect(all.roots.map((root) => root.split(" ")[0])).toEqual(["*", "*", "b.example"]);
  expect(trustedOf({ own: two.certificate + one.certificate, federated: { "b.example": one.certificate } })).toEqual(
    all,
  );
  const list = (...serials: readonly string[]) => ({
    lists: [{ issuer: "CN=one", thisUpdate: new Date(), nextUpdate: new Date(), serials, pem: String(Math.random()) }],
  });
  const revoked = (...serials: readonly string[]): string =>
    trustedOf({ own, federated: {} }, list(...serials)).revoked;
  expect(revoked()).toBe("");
  expect(revoked("1", "2")).toBe(revoked("2", "1"));
  expect(revoked("1", "2")).not.toBe(revoked("1"));
});

test("a removal counts when agents have had time; one more meanwhile waits anew, and the one before stays", () => {
  const first = nextRecord(undefined, trusting("* a", "* b", "* c"), { now: START, delayMs: DELAY });
  expect(first).toMatchObject({ since: "", before: "" });
  const second = nextRecord(first, trusting("* a", "* b"), { now: START, delayMs: DELAY });
  const at = new Date(START).toISOString();
  expect(second).toMatchObject({ since: at, before: "" });
  expect(effectiveSince(second, { now: START + 400, delayMs: DELAY })).toEqual({ since: "", changesIn: 600 });
  expect(effectiveSince(second, { now: START + 1_000, delayMs: DELAY })).toEqual({ since: at, changesIn: undefined });
  expect(nextRecord(second, trusting("* a", "* b"), { now: START + 9, delayMs: DELAY })).toBe(second);
  const later = nextRecord(second, trusting("* a"), { now: START + 5_000, delayMs: DELAY });
  expect(later).toMatchObject({ since: new Date(START + 5_000).toISOString(), before: at });
  const grown = nextRecord(later, trusting("* a", "* z"), { now: START + 6_000, delayMs: DELAY });
  expect(grown).toMatchObject({ since: later.since, before: at, roots: ["* a", "* z"] });
});

/** A cluster that keeps ConfigMaps, and replicas of a control plane that see them. */
function mesh() {
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const trusted = derivations.source<Trusted | undefined>(undefined);
  let writes = 0;
  const store = (object: KubeObject): Promise<KubeObject> => {
    writes += 1;
    world.apply([{ type: "set", object }]);
    return Promise.resolve(object);
  };
  const isThere = (name: string): boolean => world.get("ConfigMap", "istio-system", name) !== undefined;
  const cluster = {
    create: (object: KubeObject): Promise<KubeObject> =>
      isThere(object.metadata.name) ? Promise.reject(new ClusterError("already-exists", "there")) : store(object),
    mergePatch: ({ name, namespace = "" }: { name: string; namespace?: string }, patch: object): Promise<KubeObject> =>
      store({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, ...patch }),
  };
  return {
    trusted,
    world,
    writes: (): number => writes,
    replica: (leads: boolean) => {
      const trustSince = derivations.source("");
      const log = recordingLogger();
      const isLeader = (): boolean => leads;
      const place = { cluster, world, derivations, namespace: "istio-system", revision: "canary" };
      const when = { trusted: () => trusted.get(), trustSince, delayMs: DELAY, isLeader, now: Date.now, log };
      return { runner: createTrustRemovals({ ...place, ...when }), since: () => trustSince.get() };
    },
  };
}

const settled = async (ms = 0): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

test("the leader writes, all replicas say the same after the delay, and a new one says it at once", async () => {
  const { trusted, replica, writes, world } = mesh();
  const [leader, other] = [replica(true), replica(false)];
  await leader.runner.start();
  await other.runner.start();
  await settled();
  expect(writes()).toBe(0);
  trusted.set(trusting("* a", "* b"));
  await settled(2 * DELAY);
  trusted.set(trusting("* a", "* b", "* c"));
  await settled(2 * DELAY);
  expect([leader.since(), other.since(), writes()]).toEqual(["", "", 2]);
  trusted.set(trusting("* a"));
  const at = new Date(Date.now()).toISOString();
  await settled(DELAY / 2);
  expect([leader.since(), other.since()]).toEqual(["", ""]);
  const late = replica(false);
  await late.runner.start();
  await settled(DELAY / 2);
  expect([leader.since(), other.since(), late.since(), writes()]).toEqual([at, at, at, 3]);
  const next = replica(true);
  await next.runner.start();
  expect(next.since()).toBe(at);
  const map = world.get("ConfigMap", "istio-system", "meshd-trust-canary");
  world.apply([{ type: "delete", object: map as KubeObject }]);
  await settled(DELAY);
  expect(leader.since()).toBe(at);
  expect(world.get("ConfigMap", "istio-system", "meshd-trust-canary")?.data).toEqual(map?.data);
  for (const one of [leader, other, late, next]) await one.runner.close();
});

test("what is not known whole takes nothing back: bundles that are not fetched yet", async () => {
  const { trusted, replica, writes } = mesh();
  const leader = replica(true);
  await leader.runner.start();
  trusted.set(trusting("* a", "b.example b"));
  await settled();
  trusted.set(undefined);
  await settled(2 * DELAY);
  trusted.set(trusting("* a", "b.example b"));
  await settled(2 * DELAY);
  expect([leader.since(), writes()]).toEqual(["", 1]);
  await leader.runner.close();
});

test("clusters that verify by the mesh's roots become others; plain ones stay", () => {
  const plain = plainCluster("inbound|80||", "inbound");
  const mutual = { mode: "istio-mutual", sni: "", subjectAltNames: [] } as const;
  const options = { trustDomains: ["a"], accessLog: undefined, protocolDetectionTimeoutMs: 0 };
  const since = { ...options, trustSince: "now" };
  expect(buildCluster({ ...plain, tls: mutual }, since).metadata?.filter_metadata).toMatchObject({
    "mesh.trust": { since: "now" },
  });
  expect(buildCluster({ ...plain, tls: mutual }, options).metadata?.filter_metadata).not.toHaveProperty(["mesh.trust"]);
  expect(buildCluster(plain, since)).toEqual(buildCluster(plain, options));
});

test("the delay: two minutes, or what the environment says", () => {
  expect(trustDrainDelay({})).toBe(120_000);
  expect(trustDrainDelay({ MESHD_TRUST_DRAIN_DELAY: "5s" })).toBe(5_000);
  expect(() => trustDrainDelay({ MESHD_TRUST_DRAIN_DELAY: "soon" })).toThrow(
    'expected MESHD_TRUST_DRAIN_DELAY to be a duration such as 2m, got "soon"',
  );
});
