import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createLeader, nextLease } from "../../src/controlplane/leader.ts";
import { createWriterQueue } from "../../src/controlplane/writer-queue.ts";
import type { KubeObject } from "../../src/resources/object.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => void vi.useRealTimers());

const now = new Date("2026-11-21T00:00:00Z");
const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();

test("a lease is taken when it is free, ours, or run out", () => {
  expect(nextLease({}, "a", now)).toMatchObject({ holderIdentity: "a", leaseTransitions: 0 });
  const held = { holderIdentity: "b", leaseDurationSeconds: 10, renewTime: ago(5), leaseTransitions: 3 };
  expect(nextLease(held, "a", now)).toBeUndefined();
  expect(nextLease(held, "b", now)).toMatchObject({ holderIdentity: "b", leaseTransitions: 3 });
  expect(nextLease({ ...held, renewTime: ago(11) }, "a", now)).toMatchObject({
    holderIdentity: "a",
    leaseTransitions: 4,
  });
  expect(nextLease({ ...held, renewTime: "nonsense" }, "a", now)).toMatchObject({ holderIdentity: "a" });
  expect(nextLease({ ...held, holderIdentity: "" }, "a", now)).toMatchObject({
    holderIdentity: "a",
    leaseTransitions: 3,
  });
});

/** The Lease as an API server keeps it, with conflicts. */
function leaseServer() {
  let stored: KubeObject | undefined;
  let version = 0;
  let isDown = false;
  const check = (): void => {
    if (isDown) throw new ClusterError("unreachable", "down");
  };
  const put = (object: KubeObject): Promise<KubeObject> => {
    version += 1;
    stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    return Promise.resolve(stored);
  };
  return {
    down(value: boolean) {
      isDown = value;
    },
    holder: () => (stored?.spec as { holderIdentity?: string } | undefined)?.holderIdentity,
    async get() {
      check();
      return Promise.resolve(stored);
    },
    async create(object: KubeObject) {
      check();
      if (stored !== undefined) throw new ClusterError("already-exists", "exists");
      return put(object);
    },
    async replace(object: KubeObject) {
      check();
      if (object.metadata.resourceVersion !== stored?.metadata.resourceVersion)
        throw new ClusterError("conflict", "changed");
      return put(object);
    },
  };
}

function candidate(cluster: ReturnType<typeof leaseServer>, identity: string) {
  const changes: boolean[] = [];
  const runner = createLeader({
    cluster,
    namespace: "istio-system",
    identity,
    onChange: (isLeader) => void changes.push(isLeader),
    log: silentLogger,
    now: () => new Date(),
  });
  return { changes, runner };
}

test("one of two leads; the other follows when it goes, and a leader that cannot renew stops in time", async () => {
  const cluster = leaseServer();
  const one = candidate(cluster, "one");
  const two = candidate(cluster, "two");
  await one.runner.start();
  await vi.advanceTimersByTimeAsync(10);
  await two.runner.start();
  await vi.advanceTimersByTimeAsync(30_000);
  expect([one.changes, two.changes]).toEqual([[true], []]);

  cluster.down(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(one.changes).toEqual([true, false]);
  cluster.down(false);
  await vi.advanceTimersByTimeAsync(12_000);
  expect([one.changes.at(-1), two.changes.at(-1)].filter((leads) => leads === true)).toHaveLength(1);

  const leader = one.changes.at(-1) === true ? one : two;
  const other = leader === one ? two : one;
  await leader.runner.close();
  expect(cluster.holder()).toBe("");
  await vi.advanceTimersByTimeAsync(2_000);
  expect(other.changes.at(-1)).toBe(true);
  await other.runner.close();
});

test("a writer tries a failed key again, with growing pauses, without holding up others, and stops when closed", async () => {
  const done: string[] = [];
  let failures = 3;
  const queue = createWriterQueue(
    "test",
    (key) => {
      done.push(key);
      if (key === "bad" && failures-- > 0) return Promise.reject(new Error("not yet"));
      return Promise.resolve();
    },
    silentLogger,
  );
  for (const key of ["bad", "good", "good"]) queue.add(key);
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toEqual(["bad", "good"]);
  await vi.advanceTimersByTimeAsync(200);
  expect(done).toEqual(["bad", "good", "bad"]);
  await vi.advanceTimersByTimeAsync(400 + 800);
  expect(done.filter((key) => key === "bad")).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toHaveLength(5);
  failures = 99;
  queue.add("bad");
  await vi.advanceTimersByTimeAsync(0);
  await queue.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toHaveLength(6);
});
