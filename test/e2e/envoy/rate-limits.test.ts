import { Agent, request as send } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explicitPort } from "../../../src/base/explicit-port.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import {
  certificateFolder,
  rateLimitObjects,
  type Replica,
  removeFolders,
  replicaAddresses,
  startReplica,
} from "../../support/ratelimit/replicas.ts";
import { throwGarbage } from "../../support/controlplane/garbage.ts";
import type { TrafficCase } from "../../support/traffic/case.ts";
import { type Lab, startLab } from "../../support/traffic/lab.ts";
import { GUARDED, SERVERS } from "../../support/traffic/mesh-objects.ts";
import { waitFor } from "../../support/wait.ts";

// Global limits: two replicas of the rate limit service as processes, asked by the Envoys of two servers through mutual TLS.

/** A server each, so that one limit is kept by two Envoys; and one whose ports carry bytes. */
const NAMESPACE = "limited";
const service = (name: string, selector: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector },
});
const services = [
  ...["v1", "v2"].map((version) => service(version, { app: "echo", version })),
  service("guard", { app: "guard" }),
];
const mesh: TrafficCase = {
  name: NAMESPACE,
  namespace: NAMESPACE,
  requests: [
    { it: "port 80", port: 80, expect: {} },
    { it: "bytes", port: 90, protocol: "tcp", expect: {} },
    { it: "the server speaks first", port: 91, protocol: "tcp", expect: {} },
  ],
  objects: services as unknown as readonly KubeObject[],
};

const [first = "", second = ""] = replicaAddresses(2);
let lab: Lab;
let folder: string;
const replicas = new Map<string, Replica>();

beforeAll(async () => {
  lab = await startLab([mesh]);
  folder = await certificateFolder(lab.plane.ca, lab.plane.validity);
  await Promise.all([first, second].map(start));
  await Promise.all([first, second].map(together));
  apply([...rateLimitObjects([first, second]), ...Object.keys(POLICIES).map(policy)]);
  for (const server of ["v1", "v2"])
    await waitFor(async () => (await ask(server, "shared", "warm")).headers["x-ratelimit-limit"] !== undefined, {
      what: `${server} to keep the limits`,
      timeoutMs: 30_000,
    });
});
afterAll(async () => {
  await Promise.all([...replicas.values()].map((replica) => replica.kill("SIGKILL")));
  await lab?.stop();
  removeFolders([folder]);
});

async function start(address: string): Promise<void> {
  replicas.set(address, await startReplica(address, { peers: [first, second], folder }));
}

/** The replica counts with the other one. */
async function together(address: string): Promise<void> {
  await waitFor(
    async () => {
      const metrics = await (await fetch(`http://${address}:8080/metrics`)).text();
      return /^meshctl_ratelimit_replicas 2$/m.test(metrics);
    },
    { what: `${address} to know the other replica: ${replicas.get(address)?.log()}` },
  );
}

function apply(objects: readonly unknown[]): void {
  lab.plane.state.world.apply(objects.map((object) => ({ type: "set", object: object as KubeObject })));
}

/** Policies by name: each has one limit, for a path of that name. */
const POLICIES: Readonly<
  Record<string, { readonly count: number; readonly spec?: Readonly<Record<string, unknown>> }>
> = {
  shared: { count: 30 },
  spread: { count: 2 },
  tried: { count: 2, spec: { enforcedPercent: 0 } },
  other: { count: 2, spec: { status: 503 } },
  calls: { count: 2 },
  killed: { count: 300, spec: { failureModeDeny: true } },
  forgiving: { count: 100 },
  again: { count: 20 },
  open: { count: 5 },
  closed: { count: 5, spec: { failureModeDeny: true } },
};

function policy(name: string): unknown {
  const { count = 0, spec = {} } = POLICIES[name] ?? {};
  const limit = {
    name: "only",
    match: { paths: [`/${name}`] },
    keys: [{ header: "x-user" }],
    global: { requestsPerUnit: count, unit: "YEAR" },
  };
  return {
    apiVersion: "meshctl.io/v1alpha1",
    kind: "RateLimitPolicy",
    metadata: { name, namespace: SERVERS },
    // a busy machine is no reason to let a request pass
    spec: { selector: { matchLabels: { app: "echo" } }, limits: [limit], timeout: "5s", ...spec },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const agent = new Agent({ keepAlive: true });

function ask(server: string, name: string, user: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const host = lab.address(NAMESPACE, server);
  const headers = { host: `${server}.${NAMESPACE}.svc.cluster.local`, "x-user": user, ...more };
  return new Promise((resolve, reject) => {
    send({ host, port: explicitPort(80), path: `/${name}`, headers, agent }, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    })
      .on("error", reject)
      .end();
  });
}

/** `count` requests of one user, half to each server, some at a time; what came back, by status. */
async function many(
  name: string,
  user: string,
  count: number,
  during: (sent: number) => void = () => undefined,
): Promise<Readonly<Record<number, number>>> {
  const statuses: Record<number, number> = {};
  let sent = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (sent < count) {
        during(sent);
        const { status } = await ask(sent++ % 2 === 0 ? "v1" : "v2", name, user);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  return statuses;
}

test("two proxies and two replicas keep one limit", async () => {
  expect(await many("shared", "alice", 60)).toEqual({ 200: 30, 429: 30 });
  expect(await many("shared", "bob", 40)).toEqual({ 200: 30, 429: 10 });
  const { status, headers } = await ask("v1", "shared", "alice");
  expect({ status, limit: headers["x-ratelimit-limit"], left: headers["x-ratelimit-remaining"] }).toEqual({
    status: 429,
    limit: "30, 30;w=31536000",
    left: "0",
  });
  expect(Number(headers["retry-after"])).toBeGreaterThan(0);
  expect(headers["x-ratelimit-reset"]).toBe(headers["retry-after"]);
});

test("both replicas counted, each its own values", async () => {
  for (let user = 0; user < 16; user++) expect(await many("spread", `user-${user}`, 3)).toEqual({ 200: 2, 429: 1 });
  for (const address of [first, second]) {
    const metrics = await (await fetch(`http://${address}:8080/metrics`)).text();
    const [, over = "0"] =
      /^meshctl_ratelimit_over_limit_total\{limit="servers\/spread\/only"\} (\d+)/m.exec(metrics) ?? [];
    expect(Number(over)).toBeGreaterThan(0);
  }
});

test("a dry run counts and refuses nobody; another status is given", async () => {
  expect(await many("tried", "alice", 10)).toEqual({ 200: 10 });
  expect(await many("other", "alice", 10)).toEqual({ 200: 2, 503: 8 });
});

test("a call of gRPC over the limit is told that something ran out", async () => {
  const grpc = { "content-type": "application/grpc" };
  const answers = [];
  for (let times = 0; times < 3; times++) answers.push(await ask("v1", "calls", "alice", grpc));
  expect(answers.map(({ headers }) => headers["grpc-status"])).toEqual([undefined, undefined, "8"]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
});

/** What comes back over a connection of bytes; empty: it was closed. Nothing is said where the server speaks first. */
function say(text: string, port = text === "" ? 91 : 90): Promise<string> {
  const host = lab.address(NAMESPACE, "guard");
  return new Promise((resolve) => {
    const socket = connect({ host, port: explicitPort(port) }, () => (text === "" ? undefined : socket.write(text)));
    socket.once("data", (bytes: Buffer) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(""));
  });
}

/** A policy for the server whose ports carry bytes. */
function bytesPolicy(limit: Readonly<Record<string, unknown>>, most: number): unknown {
  return {
    apiVersion: "meshctl.io/v1alpha1",
    kind: "RateLimitPolicy",
    metadata: { name: `bytes-${most}`, namespace: GUARDED },
    spec: { selector: { matchLabels: { app: "guard" } }, limits: [{ name: "connections", ...limit }], timeout: "5s" },
  };
}

test.each([
  { it: "counted by the proxy", limit: { local: { maxTokens: 4, fillInterval: "3600s" } }, most: 4 },
  { it: "counted for all proxies", limit: { global: { requestsPerUnit: 6, unit: "YEAR" } }, most: 6 },
  {
    it: "counted by address",
    limit: { keys: [{ source: "REMOTE_ADDRESS" }], global: { requestsPerUnit: 3, unit: "MONTH" } },
    most: 3,
  },
])("connections $it: those over the limit are closed", async ({ limit, most }) => {
  apply([bytesPolicy(limit, most)]);
  // connections that meet the listener's change are not counted, or end
  const over = "local" in limit ? "connections.rate_limited" : "over_limit";
  let answered = 0;
  await waitFor(
    async () => {
      if ((await say("hello")) === "guard:hello") answered += 1;
      const stats = await lab.proxies.guard.admin(`/stats?filter=bytes-${most}.${over}$`);
      return Number(/: (\d+)/.exec(stats)?.[1] ?? "0") >= 3;
    },
    { what: "connections over the limit" },
  );
  expect(answered).toBeGreaterThan(0);
  if ("global" in limit) expect(await countedWithin(`${GUARDED}/bytes-${most}/connections`)).toBe(most);
  for (let times = 0; times < 5; times++) expect(await say("hello")).toBe("");
  lab.plane.state.world.apply([{ type: "delete", object: bytesPolicy(limit, most) as KubeObject }]);
  await waitFor(async () => (await say("hello")) === "guard:hello", { what: "the limit to go" });
});

/** Lets this account of the clients' namespace in to the server whose ports carry bytes, and nobody else. */
function letIn(account: string): unknown {
  const rules = [{ from: [{ source: { principals: [`cluster.local/ns/traffic/sa/${account}`] } }] }];
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "by-caller", namespace: GUARDED },
    spec: { selector: { matchLabels: { app: "guard" } }, rules },
  };
}

test("connections are counted for all proxies where who calls decides, too; who is refused gets not one byte", async () => {
  const most = 8;
  const limited = bytesPolicy({ global: { requestsPerUnit: most, unit: "YEAR" } }, most);
  apply([letIn("client"), limited]);
  // connections that meet the listener's change are not counted, or end
  await waitFor(
    async () => {
      await say("");
      const stats = await lab.proxies.guard.admin(`/stats?filter=bytes-${most}.over_limit$`);
      return Number(/: (\d+)/.exec(stats)?.[1] ?? "0") >= 3;
    },
    { what: "connections over the limit", timeoutMs: 30_000 },
  );
  expect(await countedWithin(`${GUARDED}/bytes-${most}/connections`)).toBe(most);
  for (let times = 0; times < 5; times++) expect(await say("")).toBe("");
  // below another limit: whom the policy lets in is served, each time, however handshake and answer meet
  const wide = bytesPolicy({ global: { requestsPerUnit: 1_000, unit: "YEAR" } }, 1_000);
  lab.plane.state.world.apply([
    { type: "delete", object: limited as KubeObject },
    { type: "set", object: wide as KubeObject },
  ]);
  await waitFor(async () => (await say("")) === "hello from guard\n", { what: "the other limit" });
  for (let times = 0; times < 40; times++) expect([times, await say("")]).toEqual([times, "hello from guard\n"]);
  expect(await say("hello")).toBe("guard:hello");
  const counted = await countedWithin(`${GUARDED}/bytes-1000/connections`);
  expect(counted).toBeGreaterThan(40);
  apply([letIn("somebody")]);
  await waitFor(async () => (await say("")) === "", { what: "the client to be refused", timeoutMs: 20_000 });
  const refused = await Promise.all([...Array.from({ length: 5 }, () => say("")), say("hello")]);
  expect(new Set(refused)).toEqual(new Set([""]));
  lab.plane.state.world.apply(
    [letIn("somebody"), wide].map((object) => ({ type: "delete", object: object as KubeObject })),
  );
  await waitFor(async () => (await say("")) === "hello from guard\n", { what: "policy and limit to go" });
});

/** How many the replicas found within a limit. */
async function countedWithin(label: string): Promise<number> {
  const counts = [first, second].map(async (address) => {
    const metrics = await (await fetch(`http://${address}:8080/metrics`)).text();
    const line = metrics.split("\n").find((each) => each.includes("within_limit_total") && each.includes(`"${label}"`));
    return Number(line?.split(" ").at(-1) ?? "0");
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

test("garbage at every port of a replica: it goes on counting", async () => {
  const replica = replicas.get(first);
  const thrown = await throwGarbage(
    { host: first, http: 8080, monitoring: 8080, secureGrpc: 8081, https: 8081 },
    2_000,
    5,
  );
  expect(thrown.connections).toBeGreaterThan(50);
  expect(replica?.log()).not.toMatch(/unhandled|internal error/);
  for (let user = 0; user < 8; user++) expect(await many("spread", `later-${user}`, 3)).toEqual({ 200: 2, 429: 1 });
  await together(first);
});

test("the limit holds while a replica is killed, but for what it counted last", async () => {
  const began = Date.now();
  let killed: Promise<void> | undefined;
  const [statuses, forgiven] = await Promise.all([
    many("killed", "alice", 700, (sent) => {
      if (sent > 150) killed ??= replicas.get(first)?.kill("SIGKILL");
    }),
    many("forgiving", "alice", 300),
  ]);
  await killed;
  const rate = 1000 / (Date.now() - began);
  // counted since the last time it told the other one: 100 ms, and a round trip
  const lost = Math.ceil(rate * 200);
  expect(statuses[200]).toBeGreaterThanOrEqual(280);
  expect(statuses[200]).toBeLessThanOrEqual(300 + lost);
  // those whose answer had begun when the replica was killed: Envoy asks no other then; not one passed uncounted
  expect(statuses[500] ?? 0).toBeLessThanOrEqual(7);
  expect((statuses[200] ?? 0) + (statuses[429] ?? 0) + (statuses[500] ?? 0)).toBe(700);
  // a policy that does not refuse what cannot be counted lets those pass
  expect((forgiven[200] ?? 0) + (forgiven[429] ?? 0)).toBe(300);
  expect(forgiven[200]).toBeGreaterThanOrEqual(100);
  expect(forgiven[200]).toBeLessThanOrEqual(100 + lost + 7);
});

test("a replica that comes back knows what was counted", async () => {
  expect(await many("again", "alice", 30)).toEqual({ 200: 20, 429: 10 });
  await start(first);
  await Promise.all([first, second].map(together));
  expect(await many("again", "alice", 10)).toEqual({ 429: 10 });
});

test("without the service requests pass, or are refused where the policy says so", async () => {
  await Promise.all([...replicas.values()].map((replica) => replica.kill("SIGKILL")));
  expect(await many("open", "alice", 10)).toEqual({ 200: 10 });
  expect(await many("closed", "alice", 10)).toEqual({ 500: 10 });
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
