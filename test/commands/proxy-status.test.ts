import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CommandInput } from "../../src/commands/io.ts";
import { run } from "../../src/commands/proxy-status.ts";
import { compareDumps } from "../../src/commands/proxy-status/diff.ts";
import { differences, isSame } from "../../src/commands/proxy-status/semantic.ts";
import type { ProxyState } from "../../src/commands/proxy-status/states.ts";
import { changesOf } from "../../src/commands/proxy-status/watch.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster, type FakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { expectGolden } from "../support/golden.ts";
import { answering } from "../support/pod-answers.ts";

const folder = join(import.meta.dirname, "testdata");
const NAME = "web-mgdf4tdj95-fxkxd.shop";
const now = (): Date => new Date("2026-11-21T12:00:00Z");

/** What is changed here and there of a dump. */
interface Section {
  readonly "@type": string;
  dynamic_active_clusters: { cluster: { name: string; connect_timeout?: string } }[];
  dynamic_warming_clusters?: unknown[];
  dynamic_listeners: {
    name: string;
    error_state?: object;
    active_state: { listener: { traffic_direction?: string; stat_prefix?: string } };
  }[];
  dynamic_route_configs: {
    route_config: { virtual_hosts: { routes: { metadata?: object; response_headers_to_remove?: string[] }[] }[] };
  }[];
  dynamic_endpoint_configs: {
    endpoint_config: {
      endpoints: {
        load_balancing_weight?: number;
        lb_endpoints: { health_status?: string; load_balancing_weight?: number }[];
      }[];
    };
  }[];
  dynamic_active_secrets: { name: string }[];
}

interface Dump {
  readonly configs: Section[];
}

/** What a real Envoy once said; each test changes its own copy. */
const dumped = (): Dump => JSON.parse(readFileSync(join(folder, "config-dump.json"), "utf8")) as Dump;
const section = (dump: Dump, type: string): Section => {
  const found = dump.configs.find((config) => config["@type"].endsWith(`.${type}`));
  if (found === undefined) throw new Error(`no ${type}`);
  return found;
};

test.each([
  ["the order of keys", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
  ["numbers as texts", { port: 80, big: "9007199254740993" }, { port: "80", big: "9007199254740993" }],
  ["the form of durations", { timeout: "1.500s" }, { timeout: "1.5s" }],
  ["bytes of an unknown message", { any: new Uint8Array([1]) }, { any: "AQ==" }],
])("%s makes no difference", (_, one, other) => {
  expect(isSame(one, other)).toBe(true);
  expect(differences(one, other)).toEqual([]);
});

test.each([
  ["a value", { a: { b: "x" } }, { a: { b: "y" } }, ["a.b x y"]],
  ["what stands on one side", { a: {} }, { a: { b: 1 } }, ["a.b - 1"]],
  ["false and nothing", { a: false }, {}, ["a false -"]],
  [
    "a member by its name",
    {
      l: [
        { name: "p", v: 1 },
        { name: "q", v: 2 },
      ],
    },
    {
      l: [
        { name: "p", v: 1 },
        { name: "q", v: 3 },
      ],
    },
    ["l[q].v 2 3"],
  ],
  [
    "one more by its name, once",
    { l: [{ name: "p" }, { name: "q" }] },
    { l: [{ name: "q" }] },
    ['l[p] {"name":"p"} -'],
  ],
  ["one more in the middle, once", { l: [1, 2, 3] }, { l: [1, 5, 2, 3] }, ["l[1] - 5"]],
  [
    "the order of a list",
    { l: [{ name: "p" }, { name: "q" }] },
    { l: [{ name: "q" }, { name: "p" }] },
    ['l (order) ["p","q"] ["q","p"]'],
  ],
  ["another kind of value", { a: [1] }, { a: { b: 1 } }, ['a ["1"] {"b":"1"}']],
])("%s is told with its path", (_, istiod, envoy, told) => {
  const unquoted = (text = "-"): string => text.replace(/^"(.*)"$/, "$1");
  const found = differences(istiod, envoy).map(
    (each) => `${each.path} ${unquoted(each.istiod)} ${unquoted(each.envoy)}`,
  );
  expect(found).toEqual(told);
});

test("a proxy that runs what it should differs in nothing, whatever Envoy adds of its own", () => {
  const envoy = dumped();
  // an ejected host, weights in the form of Envoy's own dump, a secret of the agent, a cluster that drains
  for (const { endpoint_config } of section(envoy, "EndpointsConfigDump").dynamic_endpoint_configs)
    for (const group of endpoint_config.endpoints) group.load_balancing_weight = 0;
  section(envoy, "SecretsConfigDump").dynamic_active_secrets.push({ name: "of-the-agent" });
  const istiod = dumped();
  section(istiod, "SecretsConfigDump").dynamic_active_secrets = [];
  expect(compareDumps(istiod, envoy).flatMap(({ resources }) => resources)).toEqual([]);
  expect(compareDumps(istiod, envoy).reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(8);
});

test("each way in which a resource can stand: differs, missing, extra, warming, refused", () => {
  const [istiod, envoy] = [dumped(), dumped()];
  const clusters = section(envoy, "ClustersConfigDump");
  const [first, second, third] = clusters.dynamic_active_clusters;
  clusters.dynamic_warming_clusters = [structuredClone(first)];
  first!.cluster.connect_timeout = "3s";
  clusters.dynamic_active_clusters = clusters.dynamic_active_clusters.filter((each) => each !== second);
  section(istiod, "ClustersConfigDump").dynamic_active_clusters = section(
    istiod,
    "ClustersConfigDump",
  ).dynamic_active_clusters.filter((each) => each.cluster.name !== third!.cluster.name);
  const listener = section(envoy, "ListenersConfigDump").dynamic_listeners[0]!;
  listener.error_state = { details: "no such filter" };
  listener.active_state.listener.traffic_direction = "UNSPECIFIED";
  const found = compareDumps(istiod, envoy).flatMap(({ resources }) => resources);
  expect(found.map(({ name, state, refused }) => ({ name, state, refused }))).toEqual(
    [
      { name: first!.cluster.name, state: "warming", refused: undefined },
      { name: second!.cluster.name, state: "missing", refused: undefined },
      { name: third!.cluster.name, state: "extra", refused: undefined },
    ]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .concat([{ name: listener.name, state: "differs", refused: "no such filter" as never }]),
  );
});

test("a table of routes that only a draining listener has is none of what Envoy runs; one that a listener in use leads to is", () => {
  const [istiod, envoy] = [dumped(), dumped()];
  const [held] = section(envoy, "RoutesConfigDump").dynamic_route_configs as unknown as [
    { route_config: { name: string } },
  ];
  const of = (name: string) => ({ ...structuredClone(held), route_config: { ...held.route_config, name } });
  section(envoy, "RoutesConfigDump").dynamic_route_configs.push(of("drains") as never, of("in-use") as never);
  const listener = (table: string) => ({
    listener: { name: `listener-of-${table}`, filter_chains: [{ rds: { route_config_name: table } }] },
  });
  const listeners = section(envoy, "ListenersConfigDump").dynamic_listeners as unknown as object[];
  listeners.push({ name: "listener-of-drains", draining_state: listener("drains") });
  const extra = (): readonly string[] =>
    compareDumps(istiod, envoy).flatMap(({ resources }) => resources.map(({ name, state }) => `${name} ${state}`));
  expect(extra()).toEqual([]);
  listeners.push({ name: "listener-of-in-use", warming_state: listener("in-use") });
  expect(extra()).toEqual(["listener-of-in-use extra", "in-use extra"]);
  // without listeners nobody can tell
  section(envoy, "ListenersConfigDump")["@type" as never] = "none" as never;
  expect(extra()).toContain("drains extra");
});

test("endpoints differ by what was sent: a host, a weight; not by what Envoy finds out", () => {
  const [istiod, envoy] = [dumped(), dumped()];
  const hosts = section(envoy, "EndpointsConfigDump").dynamic_endpoint_configs[0]!.endpoint_config.endpoints[0]!
    .lb_endpoints;
  const host = hosts[0]!;
  const isDraining = host.health_status === "DRAINING";
  host.health_status = isDraining ? "HEALTHY" : "UNHEALTHY";
  const state = (): readonly string[] =>
    compareDumps(istiod, envoy).flatMap(({ type, resources }) =>
      resources.flatMap((each) => each.differences.map(({ path }) => `${type.column} ${path.replace(/\[.*\]/, "[]")}`)),
    );
  expect(state()).toEqual(isDraining ? ["EDS endpoints[].health"] : []);
  host.load_balancing_weight = 7;
  expect(state()).toContain("EDS endpoints[].weight");
});

const types = (more: object = {}): object => {
  const synced = { status: "SYNCED", ackedAt: "2026-11-21T11:59:50.000Z" };
  return { cluster: synced, listener: synced, endpoint: synced, route: synced, extension: synced, ...more };
};
const NACK = {
  status: "NACK",
  ackedAt: "2026-11-21T11:00:00.000Z",
  lastError: "Error adding/updating listener(s)\n virtualOutbound: script load error",
  refusedAt: "2026-11-21T11:59:00.000Z",
  pending: ["virtualOutbound"],
  pendingCount: 1,
};

function entry(proxy: string, more: object = {}): object {
  return {
    proxy,
    proxy_type: "sidecar",
    cluster_id: "Kubernetes",
    istio_version: "0.1.0",
    control_plane: "istiod-1",
    connected_at: "2026-11-21T09:00:00.000Z",
    certificate_expires: "2026-11-22T11:00:00.000Z",
    types: types(more),
  };
}

const pod = (name: string, namespace: string, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, ...more },
  status: { phase: "Running" },
});
const istiod = pod("istiod-1", "istio-system", { labels: { app: "istiod" } });
const [webName = "", shop = ""] = NAME.split(".");
const patch = (name: string, app: string): KubeObject => ({
  apiVersion: "networking.istio.io/v1alpha3",
  kind: "EnvoyFilter",
  metadata: { name, namespace: shop },
  spec: { workloadSelector: { labels: { app } }, configPatches: [{ applyTo: "CLUSTER" }, { applyTo: "HTTP_FILTER" }] },
});

/** Runs a command line against pods that answer so. */
async function status(
  input: Partial<CommandInput>,
  answers: Readonly<Record<string, unknown>>,
  io: Parameters<typeof fakeIo>[0] = {},
): Promise<{ exitCode: number; out: string; err: string }> {
  await using pods = await answering(answers);
  const objects = [
    istiod,
    pod(webName, shop, { labels: { app: "web" } }),
    patch("ours", "web"),
    patch("theirs", "api"),
  ];
  const cluster: FakeCluster = fakeCluster({ objects, portForward: pods.connect });
  const all = fakeIo({ cluster, now, ...io });
  const { exitCode } = await run({ args: [], options: {}, ...input }, all);
  return { exitCode, out: all.stdout(), err: all.stderr() };
}

const answersOf = (istiodDump: unknown, envoyDump: unknown, syncz: readonly object[]): Record<string, unknown> => ({
  "/debug/syncz": syncz,
  [`/debug/config_dump?proxyID=${NAME}`]: istiodDump,
  "/config_dump?include_eds": envoyDump,
});

/** A dump whose routes say which object made them. */
function explained(): Dump {
  const dump = dumped();
  for (const { route_config } of section(dump, "RoutesConfigDump").dynamic_route_configs)
    for (const host of route_config.virtual_hosts)
      for (const [index, route] of host.routes.entries())
        route.metadata = {
          filter_metadata: { "mesh.why": { from: "VirtualService shop/web", field: `spec.http[${index}]` } },
        };
  return dump;
}

/** Routes that take away a header as nobody asks any more, and a listener that was refused. */
function faulty(): Dump {
  const envoy = explained();
  const table = section(envoy, "RoutesConfigDump").dynamic_route_configs[0]!;
  for (const host of table.route_config.virtual_hosts)
    for (const route of host.routes) route.response_headers_to_remove = ["x-of-before"];
  const listener = section(envoy, "ListenersConfigDump").dynamic_listeners[0]!;
  listener.error_state = { details: "virtualOutbound: script load error" };
  listener.active_state.listener.stat_prefix = "of before";
  return envoy;
}

test("ps POD: it runs what it should; exit code 0, istioctl's words", async () => {
  const answers = answersOf(dumped(), dumped(), [entry(NAME)]);
  const { exitCode, out } = await status({ args: [NAME] }, answers);
  expect(exitCode).toBe(0);
  expectGolden(join(folder, "proxy-status-same.txt"), out);
  // by its workload's name, from a file, and as data
  const file = join(folder, "config-dump.json");
  expect((await status({ args: [], options: { file } }, answers)).out).toBe(out);
  const json = await status({ args: [NAME], options: { file, output: "json" } }, answers);
  expect(JSON.parse(json.out)).toMatchObject({ name: webName, matches: true, status: "SYNCED" });
});

test("ps POD --why: where it differs, what Envoy refused and which objects are behind it; exit code 1", async () => {
  const answers = answersOf(explained(), faulty(), [entry(NAME, { listener: NACK })]);
  const { exitCode, out } = await status({ args: [NAME], options: { why: true } }, answers);
  expect(exitCode).toBe(1);
  expectGolden(join(folder, "proxy-status-differs.txt"), out);
});

test("ps --why of the fleet: a line for each resource; without an Envoy that answers, what the control plane knows", async () => {
  const answers = answersOf(explained(), faulty(), [entry(NAME, { listener: NACK }), entry("api.shop")]);
  const { exitCode, out, err } = await status({ options: { why: true, verbosity: "1" } }, answers);
  expect(exitCode).toBe(1);
  expectGolden(join(folder, "proxy-status-why.txt"), `${out}${err}`);
  const { "/config_dump?include_eds": _, ...deaf } = answers;
  const silent = await status({ options: { why: true, output: "json" } }, deaf);
  const [, web] = JSON.parse(silent.out) as { why?: readonly object[] }[];
  expect(web?.why).toEqual([
    { type: "LDS", name: "virtualOutbound", state: "unknown", refused: NACK.lastError, from: [] },
  ]);
});

test("ps POD: a proxy that nobody serves, a pod without one, a dump that says nothing", async () => {
  const answers = answersOf(dumped(), dumped(), []);
  await expect(status({ args: [NAME] }, answers)).rejects.toThrow(`pod ${shop}/${webName} has no proxy`);
  await expect(status({ options: { file: "-" } }, answers, { stdin: '{"configs":[]}' })).rejects.toThrow(
    "stdin does not say which proxy it is of",
  );
  await expect(status({ args: [NAME], options: { watch: true } }, answers)).rejects.toThrow(
    "--watch goes on by itself",
  );
});

const state = (name: string, of: string, more: Record<string, string> = {}): ProxyState => ({
  name,
  namespace: "shop",
  cluster: "Kubernetes",
  istiod: "istiod-1",
  revision: "default",
  version: "1",
  status: of,
  types: Object.fromEntries(
    Object.entries({ CDS: "SYNCED", LDS: "SYNCED", ...more }).map(([type, each]) => [type, { status: each }]),
  ),
});

test("what --watch tells: who is new, which type changed, who is gone", () => {
  const before = [state("a", "SYNCED"), state("b", "SYNCED"), state("gone", "SYNCED")];
  const after = [state("a", "SYNCED"), state("b", "STALE", { LDS: "STALE" }), state("new", "NOT CONNECTED")];
  const told = changesOf(before, after, now()).map(({ name, type = "all", from = "-", to = "-" }) =>
    [name, type, from, to].join(" "),
  );
  expect(told).toEqual(["b all SYNCED STALE", "b LDS SYNCED STALE", "new all - NOT CONNECTED", "gone all SYNCED -"]);
  expect(changesOf(after, after, now())).toEqual([]);
});

test("ps --watch: a line for each change in a pipe, objects as JSON, the table anew on a terminal", async () => {
  const answers = { "/debug/syncz": [entry(NAME)] };
  const once = { watch: true, timeout: "50ms" };
  const piped = await status({ options: once }, answers);
  expect(piped.exitCode).toBe(0);
  expect(piped.out).toBe(`2026-11-21T12:00:00.000Z ${NAME} is SYNCED\n`);
  const json = await status({ options: { ...once, output: "json" } }, answers);
  expect(JSON.parse(json.out)).toEqual({
    time: "2026-11-21T12:00:00.000Z",
    name: webName,
    namespace: shop,
    to: "SYNCED",
  });
  const terminal = await status({ options: once }, answers, { isTTY: true });
  // the cursor goes home, each line wipes what was behind it, and what was below goes too
  expect(terminal.out.replaceAll("\u001B", "<esc>")).toMatch(
    /^<esc>\[HNAME +CLUSTER.*<esc>\[K\n.*SYNCED<esc>\[K\n<esc>\[J$/s,
  );
});
