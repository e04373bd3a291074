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
import { type RunningKiali, startKiali } from "../support/addons/kiali.ts";
import { prepareCluster, missingFor, realEnvoy, type TestCluster } from "../support/local/cluster.ts";
import { missingPackages, prometheusImage, type PrometheusImage } from "../support/prometheus/prometheus.ts";
import { waitFor } from "../support/wait.ts";

// Real Jaeger, a real OpenTelemetry Collector, real Prometheus and real Kiali beside a mesh on a local node in network namespaces.

const reason = missingFor("netns") ?? missingBuilder() ?? missingPackages();
const SHOP = "shop";
const CLIENT = { namespace: SHOP, app: "client" };

/** Calls of one request of the client's to web, and of one from outside: who called whom. */
const HOPS = ["client.shop > web.shop", "web.shop > catalog.shop", "web.shop > cart.shop"];
const FROM_OUTSIDE = ["istio-ingressgateway.istio-system > web.shop", ...HOPS.slice(1)];

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

  /** Requests inside until their spans arrive whole: every proxy has its configuration by then. */
  async function settled(): Promise<void> {
    await waitFor(
      async () => {
        const from = Date.now();
        await load(scenario, CLIENT, { url: "http://web/", requests: 1, concurrency: 1 });
        const arrived = async (): Promise<boolean> =>
          (await tracesSince(from, "client.shop")).some((trace) => callsOf(trace).length === HOPS.length);
        return waitFor(arrived, { what: "the spans of a request", timeoutMs: 20_000 });
      },
      { what: "spans of every hop", timeoutMs: 90_000 },
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
    await settled();
    const from = Date.now();
    await load(scenario, CLIENT, { url: "http://web/", requests: 40, concurrency: 4 });
    const { host, port } = await ingress(scenario);
    for (let sent = 0; sent < 10; sent += 1)
      expect((await getAt(host, port, "/", { host: "shop.example.com" })).status).toBe(200);
    await everyHop(from, "client.shop", 40);
    const [trace] = await everyHop(from, "istio-ingressgateway.istio-system", 10);
    const shown = await scenario.meshctl(["trace", trace?.traceId ?? ""], { quiet: true });
    expect(shown.stdout.split("\n").filter((line) => line.includes("server"))).toHaveLength(4);
  }, 180_000);

  test("Jaeger gets a span of every hop in Zipkin's format too", async () => {
    await telling("zipkin", ["envoy"]);
    await settled();
  }, 180_000);

  test("an OpenTelemetry Collector gets every span, and every line that meshctl logs reads", async () => {
    await telling("otel-tracing", ["envoy", "otel"]);
    await settled();
    const before = await collected();
    const from = Date.now();
    await load(scenario, CLIENT, { url: "http://web/", requests: 25, concurrency: 4 });
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
    const address = async (namespace: string, selector: string): Promise<string> => {
      const pods = await scenario.cluster.list(
        { apiVersion: "v1", kind: "Pod" },
        { namespace, labelSelector: selector },
      );
      return pods[0] === undefined ? "" : podIp(pods[0]);
    };
    await scenario.meshctl(["addons", "install", "kiali", "--wait=false"]);
    kiali = await startKiali({
      program: programs.kiali,
      work: scenario.work,
      kubeconfig: await accountKubeconfig(),
      prometheus: `http://${await address("istio-system", "app.kubernetes.io/name=prometheus")}:9090`,
      jaeger: `http://${await address("istio-system", "app=jaeger")}:16686`,
      istiodVersion: `http://${await address("istio-system", "app=istiod")}:15014/version`,
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

/** Calls in a trace: a server's span below a client's, `who > whom`. */
function callsOf({ spans }: Trace): readonly string[] {
  const byId = new Map(spans.map((span) => [`${span.kind} ${span.id}`, span]));
  return spans.flatMap((span) => {
    if (span.kind !== "server" || span.parent === undefined) return [];
    const caller = byId.get(`client ${span.parent}`);
    return caller === undefined ? [] : [`${caller.service} > ${span.service}`];
  });
}
