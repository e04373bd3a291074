import { afterEach, expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createAutoRegistration, registrationSettings } from "../../src/controlplane/auto-registration.ts";
import type { Caller } from "../../src/controlplane/caller.ts";
import { type NodeClaim, readNode } from "../../src/controlplane/node.ts";
import { takesTraffic } from "../../src/model/workload-entries.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import type { KindTypes } from "../../src/resources/kinds.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { waitFor } from "../support/wait.ts";

type WorkloadEntry = KindTypes["WorkloadEntry"];

const API = "networking.istio.io/v1";
const GROUP: KubeObject = {
  apiVersion: API,
  kind: "WorkloadGroup",
  metadata: { name: "db", namespace: "shop", uid: "u-1" },
  spec: {
    metadata: { labels: { app: "db" }, annotations: { team: "data" } },
    template: { serviceAccount: "db", ports: { tcp: 5432 }, labels: { tier: "back" } },
  },
};
const NAME = "db-10.9.0.2";
const OTHER_MINUTE = 60_000;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface RigOptions {
  readonly grace?: number;
  readonly objects?: readonly KubeObject[];
  readonly isLeader?: boolean;
  readonly clock?: () => number;
  readonly instance?: string;
  /** Default: one of its own. */
  readonly cluster?: ReturnType<typeof fakeCluster>;
}

/** A registration over a cluster in memory, whose objects are the World as a watch brings them. */
function rig(options: RigOptions = {}) {
  const cluster = options.cluster ?? fakeCluster({ objects: [GROUP, ...(options.objects ?? [])] });
  const events: string[] = [];
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const abort = new AbortController();
  for (const kind of ["WorkloadGroup", "WorkloadEntry"])
    void cluster.watch(
      { apiVersion: API, kind },
      {},
      (event) => {
        if (event.type !== "SYNCED")
          world.apply([{ type: event.type === "DELETED" ? "delete" : "set", object: event.object }]);
      },
      abort.signal,
    );
  const registration = createAutoRegistration({
    cluster,
    world,
    derivations,
    instance: options.instance ?? "istiod-0",
    registers: true,
    writesHealth: true,
    count: (event) => events.push(event),
    isLeader: () => options.isLeader ?? false,
    log: silentLogger,
    now: options.clock ?? Date.now,
    grace: options.grace ?? 20,
  });
  closers.push(() => {
    abort.abort();
    return registration.close();
  });
  const entry = (): WorkloadEntry | undefined =>
    cluster.objects().find(({ kind }) => kind === "WorkloadEntry") as WorkloadEntry | undefined;
  const notes = (): Readonly<Record<string, string>> => entry()?.metadata.annotations ?? {};
  return { cluster, registration, entry, notes, events };
}

function claimOf(metadata: Readonly<Record<string, string | object>> = {}): NodeClaim {
  const node = readNode({
    id: "sidecar~10.9.0.2~vm-1.shop~shop.svc.cluster.local",
    metadata: { NAMESPACE: "shop", AUTO_REGISTER_GROUP: "db", LABELS: { app: "another" }, ...metadata },
  });
  if (typeof node === "string") throw new Error(node);
  return node;
}

const caller = (serviceAccount: string): Caller => ({
  identity: { trustDomain: "cluster.local", namespace: "shop", serviceAccount },
  podUid: undefined,
  podName: undefined,
  expiresAt: undefined,
  by: "token",
});

test("the group says who may be of it; others are refused with the reason", () => {
  const { registration } = rig();
  expect(registration.refuse(claimOf(), caller("db"))).toBeUndefined();
  expect(registration.refuse(claimOf(), caller("web"))).toBe(
    "WorkloadGroup shop/db is for service account db, not web",
  );
  expect(registration.refuse(claimOf({ AUTO_REGISTER_GROUP: "none" }), caller("db"))).toBe(
    "there is no WorkloadGroup shop/none",
  );
  const own = claimOf({ AUTO_REGISTER_GROUP: "", WORKLOAD_ENTRY: "mine" });
  expect(registration.refuse(own, caller("db"))).toBe("there is no WorkloadEntry shop/mine");
});

test("a workload that connects gets an entry from its group, which goes after the grace", async () => {
  const { registration, entry } = rig();
  const leave = registration.connected(claimOf({ NETWORK: "vms", PROXY_CONFIG: { readinessProbe: {} } }));
  await waitFor(() => entry() !== undefined, { what: "an entry" });
  const { metadata, spec } = entry()!;
  expect(metadata).toMatchObject({
    name: `${NAME}-vms`,
    namespace: "shop",
    labels: { app: "db", tier: "back" },
    annotations: {
      team: "data",
      "istio.io/autoRegistrationGroup": "db",
      "istio.io/workloadController": "istiod-0",
      "proxy.istio.io/health-checks-enabled": "true",
    },
    ownerReferences: [{ kind: "WorkloadGroup", name: "db", uid: "u-1" }],
  });
  expect(spec).toEqual({
    address: "10.9.0.2",
    network: "vms",
    serviceAccount: "db",
    ports: { tcp: 5432 },
    labels: { app: "db", tier: "back" },
  });
  leave();
  await waitFor(() => entry() === undefined, { what: "the entry gone" });
});

test("a reconnect within the grace keeps the entry; two streams count as one workload", async () => {
  const { registration, entry, cluster } = rig({ grace: 60_000 });
  const [first, second] = [registration.connected(claimOf()), registration.connected(claimOf())];
  await waitFor(() => entry() !== undefined, { what: "an entry" });
  first();
  second();
  const gone = (): string | undefined => entry()?.metadata.annotations?.["istio.io/disconnectedAt"];
  await waitFor(() => gone() !== undefined, { what: "a time of leaving" });
  registration.connected(claimOf());
  await waitFor(() => gone() === undefined, { what: "the time of leaving gone" });
  expect(cluster.changes().some((change) => change.startsWith("delete"))).toBe(false);
});

test("health becomes a condition beside others, written only when it changes", async () => {
  const { registration, entry, cluster } = rig();
  registration.connected(claimOf({ PROXY_CONFIG: { readinessProbe: {} } }));
  await waitFor(() => entry() !== undefined, { what: "an entry" });
  expect(takesTraffic(entry()!)).toBe(false);
  registration.health(claimOf(), "status 503");
  await waitFor(() => entry()?.status?.conditions?.[0]?.status === "False", { what: "unwell" });
  expect(takesTraffic(entry()!)).toBe(false);
  registration.health(claimOf(), undefined);
  await waitFor(() => entry()?.status?.conditions?.[0]?.status === "True", { what: "well" });
  expect(takesTraffic(entry()!)).toBe(true);
  const writes = cluster.changes().length;
  registration.health(claimOf(), undefined);
  registration.health(claimOf(), undefined);
  expect(cluster.changes().length).toBe(writes);
});

test("an entry of the user's, or of another group, of the same name is left alone", async () => {
  const mine = { apiVersion: API, kind: "WorkloadEntry", metadata: { name: NAME, namespace: "shop" }, spec: {} };
  const { registration, entry, cluster } = rig({ objects: [mine] });
  const leave = registration.connected(claimOf());
  leave();
  const marker = registration.connected(claimOf({ NETWORK: "x" }));
  const there = (): boolean => cluster.objects().some(({ metadata }) => metadata.name === `${NAME}-x`);
  await waitFor(there, { what: "the next one's entry" });
  marker();
  expect(entry()?.metadata.annotations).toBeUndefined();
});

test.each([
  ["its control plane says that it left long ago", { "istio.io/disconnectedAt": -2 * OTHER_MINUTE }, true],
  // a moment before the sweep, which comes a second after the start
  ["it left a moment ago", { "istio.io/disconnectedAt": 2_000 }, false],
  ["nobody renewed it for an hour", { "istio.io/connectedAt": -60 * OTHER_MINUTE }, true],
  ["it is connected elsewhere", { "istio.io/connectedAt": -2 * OTHER_MINUTE }, false],
])("an entry without a stream here, %s: removed %#", async (_words, times, removed) => {
  const at = Object.entries(times).map(([key, offset]) => [key, new Date(Date.now() + offset).toISOString()]);
  const annotations = {
    "istio.io/autoRegistrationGroup": "db",
    "istio.io/workloadController": "istiod-9",
    ...(Object.fromEntries(at) as Record<string, string>),
  };
  const old = {
    apiVersion: API,
    kind: "WorkloadEntry",
    metadata: { name: NAME, namespace: "shop", annotations },
    spec: {},
  };
  const sure = {
    ...old,
    metadata: {
      ...old.metadata,
      name: "sure",
      annotations: { ...annotations, "istio.io/disconnectedAt": "2020-01-01T00:00:00Z" },
    },
  };
  const { registration, cluster } = rig({ objects: [old, sure], isLeader: true, grace: 500 });
  await registration.start();
  await waitFor(() => cluster.changes().some((change) => change.includes("shop/sure")), { what: "one sweep" });
  expect(cluster.objects().some(({ metadata }) => metadata.name === NAME)).toBe(!removed);
});

test("two replicas hold streams of one workload: the one that is left takes the entry over, and it stays", async () => {
  const first = rig({ grace: 300 });
  const second = rig({ grace: 300, instance: "istiod-1", cluster: first.cluster });
  const { notes } = first;
  second.registration.connected(claimOf());
  await waitFor(() => notes()["istio.io/workloadController"] === "istiod-1", { what: "an entry" });
  const leave = first.registration.connected(claimOf());
  await waitFor(() => notes()["istio.io/workloadController"] === "istiod-0", { what: "the newer stream's replica" });
  leave();
  await waitFor(() => notes()["istio.io/workloadController"] === "istiod-1", { what: "the other replica again" });
  expect(notes()).toHaveProperty(["istio.io/connectedAt"]);
  expect(notes()).not.toHaveProperty(["istio.io/disconnectedAt"]);
  // longer than the grace of the one that said it had left
  const from = Date.now();
  await waitFor(() => Date.now() - from > 700, { what: "the grace" });
  expect(first.cluster.changes().some((change) => change.startsWith("delete"))).toBe(false);
  expect(first.events).toEqual(["update", "unregister"]);
});

test("who has left is told by one time alone, as in Istio", async () => {
  const { registration, notes, events } = rig({ grace: 60_000 });
  const leave = registration.connected(claimOf());
  await waitFor(() => "istio.io/connectedAt" in notes(), { what: "a time of coming" });
  leave();
  await waitFor(() => "istio.io/disconnectedAt" in notes(), { what: "a time of leaving" });
  expect(notes()).not.toHaveProperty(["istio.io/connectedAt"]);
  expect(events).toEqual(["register", "unregister"]);
});

test("an entry that is deleted while its workload is connected comes back with what was said of its health", async () => {
  const { cluster, registration, entry } = rig();
  registration.connected(claimOf({ PROXY_CONFIG: { readinessProbe: {} } }));
  registration.health(claimOf(), undefined);
  const isWell = (): boolean => entry()?.status?.conditions?.[0]?.status === "True";
  await waitFor(isWell, { what: "a healthy entry" });
  const { uid: before } = { uid: entry()?.metadata.resourceVersion };
  await cluster.delete({ apiVersion: API, kind: "WorkloadEntry", namespace: "shop", name: NAME });
  await waitFor(() => isWell() && entry()?.metadata.resourceVersion !== before, { what: "the entry again" });
});

test("a group that is made again gives its connected workloads their entries", async () => {
  const { cluster, registration, entry } = rig();
  registration.connected(claimOf());
  await waitFor(() => entry() !== undefined, { what: "an entry" });
  await cluster.delete({ apiVersion: API, kind: "WorkloadGroup", namespace: "shop", name: "db" });
  await cluster.delete({ apiVersion: API, kind: "WorkloadEntry", namespace: "shop", name: NAME });
  expect(entry()).toBeUndefined();
  cluster.set(GROUP);
  await waitFor(() => entry() !== undefined, { what: "the entry again" });
});

test("an entry of the user's that asks for health is marked, and loses the word when its workload is gone", async () => {
  const mine = (annotations: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: API,
    kind: "WorkloadEntry",
    metadata: { name: "mine", namespace: "shop", annotations },
    spec: { address: "10.9.0.2", serviceAccount: "db" },
  });
  const claim = claimOf({ AUTO_REGISTER_GROUP: "", WORKLOAD_ENTRY: "mine" });
  const { cluster, registration, entry, notes } = rig({
    objects: [mine({ "proxy.istio.io/health-checks-enabled": "true" })],
  });
  const leave = registration.connected(claim);
  registration.health(claim, "status 503");
  await waitFor(() => entry()?.status?.conditions?.[0]?.status === "False", { what: "unwell" });
  expect(notes()).toMatchObject({ "istio.io/workloadController": "istiod-0" });
  leave();
  await waitFor(() => entry()?.status?.conditions?.length === 0, { what: "nothing said" });
  expect(cluster.changes().some((change) => change.startsWith("delete"))).toBe(false);

  const silent = rig({ objects: [mine({})] });
  silent.registration.connected(claim);
  silent.registration.health(claim, "status 503");
  const later = silent.registration.connected(claimOf());
  await waitFor(() => silent.cluster.objects().length === 3, { what: "the next one's entry" });
  later();
  expect(silent.cluster.objects().find(({ metadata }) => metadata.name === "mine")).toMatchObject(mine({}));
});

test("settings come from Istio's variables; what is no duration is refused with its name", () => {
  expect(registrationSettings({})).toEqual({ registers: true, writesHealth: true, grace: 10_000 });
  expect(
    registrationSettings({
      PILOT_WORKLOAD_ENTRY_GRACE_PERIOD: "1m30s",
      PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION: "false",
      PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS: "false",
    }),
  ).toEqual({ registers: false, writesHealth: false, grace: 90_000 });
  for (const bad of ["soon", "0s"])
    expect(() => registrationSettings({ PILOT_WORKLOAD_ENTRY_GRACE_PERIOD: bad })).toThrow(
      `expected PILOT_WORKLOAD_ENTRY_GRACE_PERIOD to be a duration such as 10s, got "${bad}"`,
    );
});
