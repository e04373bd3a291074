import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getAt, load, podIp } from "../../scripts/scenario/ask.ts";
import { openScenario } from "../../scripts/scenario/context.ts";
import { applyFile, applyText, createNamespace, waitAvailable } from "../../scripts/scenario/kubectl.ts";
import { ingress } from "../../scripts/scenario/steps/traffic.ts";
import type { LogEntry } from "../../src/commands/logs/entry.ts";
import type { Trace } from "../../src/commands/spans/spans.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { addonPrograms, type AddonPrograms, missingBuilder } from "../support/addons/programs.ts";
import { DASHBOARDS } from "../../scripts/gen/dashboards/index.ts";
import { askingGrafana, dashboardsIn } from "../support/addons/grafana.ts";
import { panelsHaveData, queriesOf } from "../support/local/prometheus-step.ts";
import { type RunningKiali, startKiali } from "../support/addons/kiali.ts";
import { prepareCluster, missingFor, realEnvoy, type TestCluster } from "../support/local/cluster.ts";
import { missingPackages, prometheusImage, type PrometheusImage } from "../support/prometheus/prometheus.ts";
import { waitFor } from "../support/wait.ts";

// Real Jaeger, a real OpenTelemetry Collector, real Prometheus, real Grafana and real Kiali beside a mesh on a local node in network namespaces.

const reason = missingFor("netns") ?? missingBuilder() ?? missingPackages();
const SHOP = "shop";
const CLIENT = { namespace: SHOP, app: "client" };

/** Calls of one request of the client's to web, and of one from outside: who called whom. */
const HOPS = ["client.shop > web.shop", "web.shop > catalog.shop", "web.shop > cart.shop"];
const GATEWAY = "istio-ingressgateway.istio-system";
const FROM_OUTSIDE = [`${GATEWAY} > web.shop`, ...HOPS.slice(1)];

describe.skipIf(reason !== undefined && process.env["CI"] !== "true")("a mesh and what is put beside it", () => {
  let programs: AddonPrograms;
  let prometheus: PrometheusImage;
  let cluster: TestCluster;
  let scenario: Awaited<ReturnType<typeof openScenario>>;
  let kiali: RunningKiali | undefined;
  const said: string[] = [];

  beforeAll(async () => {
    expect(reason).toBeUndefined();
    programs = await addonPrograms();
    prometheus = await prometheusImage();
    cluster = await prepareCluster({ envoy: await realEnvoy() });
    const maps = [...programs.mappings, prometheus.mapping].flatMap((mapping) => ["--map", mapping]);
    await cluster.meshctl("up", "--network", "netns", ...maps);
    scenario = await openScenario(cluster.kubeconfig, (text) => said.push(text), { kubectl: false });
    await scenario.meshctl(["install", "--set", "profile=demo", "-y"]);
    await createNamespace(scenario, SHOP, { "istio-injection": "enabled" });
    await applyFile(scenario, SHOP, "samples/shop/shop.yaml");
    await applyFile(scenario, SHOP, "samples/shop/gateway.yaml");
    await scenario.meshctl([
      "addons",
      "install",
      "jaeger",
      "otel-collector",
      "prometheus",
      "grafana",
      "--scrape-interval",
      "1s",
      "--timeout",
      "60s",
    ]);
    await waitAvailable(scenario, SHOP);
  }, 3_000_000);

  afterAll(async () => {
    await kiali?.stop();
    await scenario?.close();
    await cluster?.remove();
    prometheus?.remove();
    programs?.remove();
  }, 60_000);

  /** Names the providers of traces and logs for the whole mesh. */
  const telling = async (tracing: string, logging: readonly string[]): Promise<void> => {
    await applyText(
      scenario,
      "istio-system",
      "telemetry.yaml",
      `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh-default }
spec:
  tracing: [{ providers: [{ name: ${tracing} }], randomSamplingPercentage: 100 }]
  accessLogging: [{ providers: ${JSON.stringify(logging.map((name) => ({ name })))} }]
`,
    );
    await scenario.meshctl(["wait", "telemetry", "mesh-default.istio-system"]);
  };

  const addressOf = async (namespace: string, selector: string): Promise<string> => {
    const pods = await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace, labelSelector: selector });
    return pods[0] === undefined ? "" : podIp(pods[0]);
  };

  const meshctl = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await scenario.meshctl([...args, "-o", "json"], { quiet: true, expect: "any" })).stdout);

  /** Traces that began after `from`, as the command lists them, read whole. */
  async function tracesSince(from: number, who: string): Promise<readonly Trace[]> {
    const list = (await meshctl("trace", "--from", who, "--limit", "500")) as {
      readonly traces: readonly { readonly traceId: string; readonly start: string }[];
    };
    const newer = list.traces.filter(({ start }) => Date.parse(start) >= from);
    return Promise.all(newer.map(async ({ traceId }) => (await meshctl("trace", traceId)) as Trace));
  }

  const inside = async (requests: number): Promise<void> =>
    void (await load(scenario, CLIENT, { url: "http://web/", requests, concurrency: 4 }));

  /** Requests from outside, each with its headers. */
  async function outside(requests: readonly Readonly<Record<string, string>>[]): Promise<void> {
    const { host, port } = await ingress(scenario);
    for (const headers of requests)
      expect((await getAt(host, port, "/", { host: "shop.example.com", ...headers })).status).toBe(200);
  }

  /**
   * Requests until as many as there are versions and connections are told whole, all of them. A request on a connection that was
   * there before a change of Telemetry goes by the listener as it was, and is told as before.
   */
  async function settled(who: string, send: (requests: number) => Promise<void>): Promise<void> {
    const AT_ONCE = 12;
    await waitFor(
      async () => {
        const from = Date.now();
        await send(AT_ONCE);
        const isTold = async (): Promise<boolean> => {
          const traces = await tracesSince(from, who);
          return traces.length === AT_ONCE && traces.every((trace) => callsOf(trace).length === HOPS.length);
        };
        return waitFor(isTold, { what: "the spans of requests", timeoutMs: 15_000 }).catch(() => undefined);
      },
      { what: `spans of every hop of ${who}`, timeoutMs: 120_000 },
    );
  }

  /** As many traces as requests were sent, with a pair of spans for each hop. */
  async function everyHop(from: number, who: string, requests: number): Promise<readonly Trace[]> {
    const traces = await waitFor(
      async () => {
        const found = await tracesSince(from, who);
        const isWhole = found.length >= requests && found.every((trace) => callsOf(trace).length === HOPS.length);
        return isWhole ? found : undefined;
      },
      { what: `${requests} whole traces of ${who}`, timeoutMs: 60_000 },
    );
    const hops = who === "client.shop" ? HOPS : FROM_OUTSIDE;
    expect(traces).toHaveLength(requests);
    for (const trace of traces) {
      expect(callsOf(trace).toSorted()).toEqual(hops.toSorted());
      expect(trace.spans.filter(({ orphan }) => orphan)).toEqual([]);
    }
    return traces;
  }

  test("Jaeger gets a client's and a server's span of every hop, of every request, by OTLP", async () => {
    await telling("jaeger", ["envoy"]);
    await settled("client.shop", inside);
    await settled(GATEWAY, (requests) => outside(Array.from({ length: requests }, () => ({}))));
    const from = Date.now();
    await inside(40);
    await outside(Array.from({ length: 10 }, () => ({})));
    await everyHop(from, "client.shop", 40);
    const [trace] = await everyHop(from, GATEWAY, 10);
    const shown = await scenario.meshctl(["trace", trace?.traceId ?? ""], { quiet: true });
    expect(shown.stdout.split("\n").filter((line) => line.includes("server"))).toHaveLength(4);
  }, 180_000);

  test("Jaeger gets every hop by Zipkin too, in the traces of callers that bring B3 headers and of those that bring W3C's", async () => {
    await telling("zipkin", ["envoy"]);
    await settled("client.shop", inside);
    await settled(GATEWAY, (requests) => outside(Array.from({ length: requests }, () => ({}))));
    const callers = Array.from({ length: 12 }, (_, index) => callerOf(index));
    await outside(callers.map(({ headers }) => headers));
    for (const { traceId, parent } of callers) {
      const trace = await waitFor(
        async () => {
          const found = (await meshctl("trace", traceId)) as Partial<Trace>;
          return found.spans !== undefined && callsOf(found as Trace).length === FROM_OUTSIDE.length
            ? found
            : undefined;
        },
        { what: `the trace ${traceId}`, timeoutMs: 60_000 },
      );
      expect(callsOf(trace as Trace).toSorted()).toEqual(FROM_OUTSIDE.toSorted());
      // only the caller's own span is nobody's here
      expect((trace as Trace).spans.filter(({ orphan }) => orphan)).toMatchObject([
        { service: GATEWAY, kind: "server", parent },
      ]);
    }
  }, 300_000);

  test("Grafana has the dashboards, and each of their panels has data", async () => {
    const address = await addressOf("istio-system", "app.kubernetes.io/name=grafana");
    const dashboards = await waitFor(
      async () => {
        const found = await dashboardsIn(address);
        return found.length === DASHBOARDS.length ? found : undefined;
      },
      { what: "Grafana's dashboards", timeoutMs: 60_000 },
    );
    expect(new Set(dashboards.map(({ folder }) => folder))).toEqual(new Set(["Service mesh"]));
    const written = DASHBOARDS.flatMap((dashboard) => queriesOf(dashboard).map(({ expr }) => expr));
    expect(dashboards.flatMap(({ queries }) => queries).toSorted()).toEqual(written.toSorted());
    await panelsHaveData(scenario, askingGrafana(address));
  }, 300_000);

  test("an OpenTelemetry Collector gets every span, and every line that meshctl logs reads", async () => {
    await telling("otel-tracing", ["envoy", "otel"]);
    await settled("client.shop", inside);
    const before = await quiet(collected);
    const from = Date.now();
    await inside(25);
    await everyHop(from, "client.shop", 25);
    const names = ["client-v1", "web-v1", "catalog-v1", "catalog-v2", "catalog-v3", "cart-v1", "ledger-v1"];
    const lines = async (): Promise<readonly LogEntry[]> => {
      const texts = await Promise.all(
        names.map((name) => scenario.meshctl(["logs", `${name}.${SHOP}`, "-o", "json"], { quiet: true })),
      );
      const entries = texts.flatMap(({ stdout }) => stdout.split("\n").filter((line) => line !== ""));
      return entries
        .map((line) => JSON.parse(line) as LogEntry)
        .filter(({ startTime = "" }) => Date.parse(startTime) >= from);
    };
    const told = await lines();
    const requests = (who: string, direction: string): number =>
      told.filter((entry) => entry.pod.startsWith(who) && entry.direction === direction && entry.method === "GET")
        .length;
    expect([requests("web", "inbound"), requests("web", "outbound"), requests("catalog", "inbound")]).toEqual([
      25, 50, 25,
    ]);
    expect(told.filter(({ status }) => status !== 200 && status !== 0)).toEqual([]);
    await waitFor(async () => (await collected()) - before >= (await lines()).length, {
      what: "the collector to have every line",
      timeoutMs: 30_000,
    });
    // the probe's requests of `load` go through the port-forward: they are in both
    expect((await collected()) - before).toBe((await lines()).length);
  }, 240_000);

  /** A count once it stands still: what was collected in bulk has come. */
  async function quiet(count: () => Promise<number>): Promise<number> {
    let last = -1;
    let since = 0;
    return waitFor(
      async () => {
        const now = await count();
        if (now !== last) since = Date.now();
        last = now;
        return Date.now() - since > 3_000 ? { now } : undefined;
      },
      { what: "a count to stand still", timeoutMs: 30_000 },
    ).then(({ now }) => now);
  }

  /** Records of access logs that the collector told of on its own output so far. */
  async function collected(): Promise<number> {
    const [pod] = await scenario.cluster.list(
      { apiVersion: "v1", kind: "Pod" },
      { namespace: "observability", labelSelector: "app=opentelemetry-collector" },
    );
    const text = await scenario.cluster.logs({ namespace: "observability", pod: pod?.metadata.name ?? "" });
    return [...text.matchAll(/"log records": (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  test("Kiali, as it comes, sees the mesh as it is", async () => {
    await scenario.meshctl(["addons", "install", "kiali", "--wait=false"]);
    kiali = await startKiali({
      program: programs.kiali,
      work: scenario.work,
      kubeconfig: await accountKubeconfig(),
      prometheus: `http://${await addressOf("istio-system", "app.kubernetes.io/name=prometheus")}:9090`,
      jaeger: `http://${await addressOf("istio-system", "app=jaeger")}:16686`,
      istiodVersion: `http://${await addressOf("istio-system", "app=istiod")}:15014/version`,
    });
    const api = (path: string): Promise<unknown> => kiali?.api(path) ?? Promise.reject(new Error("no Kiali"));
    const names = (await api("namespaces")) as readonly { readonly name: string }[];
    expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining([SHOP, "istio-system", "observability"]));
    await graphIs(api);
    const parts = (await api("istio/status")) as readonly { readonly name: string; readonly status: string }[];
    expect(parts).toContainEqual(expect.objectContaining({ name: "istiod", status: "Healthy" }));
    expect(parts.filter(({ status }) => status !== "Healthy")).toEqual([]);
    const workloads = (await api(`clusters/health?namespaces=${SHOP}&type=workload`)) as {
      readonly namespaceWorkloadHealth: Record<string, Record<string, { workloadStatus: { syncedProxies: number } }>>;
    };
    const synced = Object.values(workloads.namespaceWorkloadHealth[SHOP] ?? {}).map(
      (one) => one.workloadStatus.syncedProxies,
    );
    expect(synced).toEqual(Array.from({ length: 7 }, () => 1));
    expect(await api(`istio/validations?namespaces=${SHOP}`)).toEqual([
      expect.objectContaining({ namespace: SHOP, errors: 0, warnings: 0 }),
    ]);
  }, 240_000);

  /** The service graph has the calls that are made, with mutual TLS on each. */
  async function graphIs(api: RunningKiali["api"]): Promise<void> {
    const wanted = ["cart-v1 > ledger-v1", "client-v1 > web-v1", "web-v1 > cart-v1", "web-v1 > catalog"];
    const edges = async (): Promise<readonly string[]> => {
      await load(scenario, CLIENT, { url: "http://web/", requests: 20, concurrency: 2 });
      const query = `namespaces=${SHOP}&graphType=workload&duration=60s&appenders=securityPolicy,istio`;
      const graph = (await api(`namespaces/graph?${query}`)) as Graph;
      const name = new Map(
        graph.elements.nodes.map(({ data }) => [data.id, (data.workload ?? "").replace(/^(catalog)-.*/, "$1")]),
      );
      const secured = graph.elements.edges.filter(({ data }) => data.isMTLS === "100");
      return [
        ...new Set(secured.map(({ data }) => `${name.get(data.source) ?? ""} > ${name.get(data.target) ?? ""}`)),
      ].toSorted();
    };
    const seen = await waitFor(
      async () => {
        const now = await edges();
        return wanted.every((edge) => now.includes(edge)) ? now : undefined;
      },
      { what: "every edge in Kiali's graph", timeoutMs: 90_000 },
    );
    expect(seen).toEqual(wanted);
  }

  /** A kubeconfig of the account that the addon's manifests make for Kiali: with its rights and no others. */
  async function accountKubeconfig(): Promise<string> {
    const own = await readFile(cluster.kubeconfig, "utf8");
    const { clusters } = parseYaml(own) as { readonly clusters: readonly { readonly cluster: unknown }[] };
    const token = await scenario.cluster.createToken({
      namespace: "istio-system",
      serviceAccount: "kiali",
      audiences: [],
      expirationSeconds: 3600,
    });
    const file = join(scenario.work, "kiali.kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: clusters[0]?.cluster }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }
});

interface Graph {
  readonly elements: {
    readonly nodes: readonly { readonly data: { readonly id: string; readonly workload?: string } }[];
    readonly edges: readonly {
      readonly data: { readonly source: string; readonly target: string; readonly isMTLS?: string };
    }[];
  };
}

/** Headers of the caller of a trace: B3 in many headers, in one, and W3C's, in turn. */
function callerOf(index: number): {
  readonly traceId: string;
  readonly parent: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const traceId = randomBytes(16).toString("hex");
  const parent = randomBytes(8).toString("hex");
  const kinds = [
    { "x-b3-traceid": traceId, "x-b3-spanid": parent, "x-b3-sampled": "1" },
    { b3: `${traceId}-${parent}-1` },
    { traceparent: `00-${traceId}-${parent}-01` },
  ];
  return { traceId, parent, headers: kinds[index % kinds.length] ?? {} };
}

/** Calls in a trace: a server's span below a client's, `who > whom`. */
function callsOf({ spans }: Trace): readonly string[] {
  const byId = new Map(spans.map((span) => [`${span.kind} ${span.id}`, span]));
  return spans.flatMap((span) => {
    if (span.kind !== "server" || span.parent === undefined) return [];
    const caller = byId.get(`client ${span.parent}`);
    return caller === undefined ? [] : [`${caller.service} > ${span.service}`];
  });
}
