import { randomBytes, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { load, podIp } from "../../scripts/scenario/ask.ts";
import { openScenario } from "../../scripts/scenario/context.ts";
import { applyFile, applyText, createNamespace, waitAvailable } from "../../scripts/scenario/kubectl.ts";
import { accessLogReader, type AccessLogRecord, DEFAULT_ACCESS_LOG_FORMATS } from "../../src/base/access-log-line.ts";
import type { LogEntry } from "../../src/commands/logs/entry.ts";
import type { Trace } from "../../src/commands/spans/spans.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { addonPrograms, type AddonPrograms, missingBuilder } from "../support/addons/programs.ts";
import { DASHBOARDS } from "../../scripts/gen/dashboards/index.ts";
import { askingGrafana, dashboardsIn } from "../support/addons/grafana.ts";
import { panelsHaveData, queriesOf } from "../support/local/prometheus-step.ts";
import { type RunningKiali, startKiali } from "../support/addons/kiali.ts";
import { prepareCluster, missingFor, realEnvoy, type TestCluster } from "../support/local/cluster.ts";
import {
  callsOf,
  CLIENT,
  collectedLogs,
  FROM_OUTSIDE,
  GATEWAY,
  SHOP,
  type Traced,
  tracedShop,
} from "../support/addons/traces.ts";
import { missingPackages, prometheusImage, type PrometheusImage } from "../support/prometheus/prometheus.ts";
import { waitFor } from "../support/wait.ts";

// Real Jaeger, a real OpenTelemetry Collector, real Prometheus, real Grafana and real Kiali beside a mesh on a local node in network namespaces.

const reason = missingFor("netns") ?? missingBuilder() ?? missingPackages();
describe.skipIf(reason !== undefined && process.env["CI"] !== "true")("a mesh and what is put beside it", () => {
  let programs: AddonPrograms;
  let prometheus: PrometheusImage;
  let cluster: TestCluster;
  let scenario: Awaited<ReturnType<typeof openScenario>>;
  let kiali: RunningKiali | undefined;
  let shop: Traced;
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
    shop = tracedShop(scenario);
  }, 3_000_000);

  afterAll(async () => {
    await kiali?.stop();
    await scenario?.close();
    await cluster?.remove();
    prometheus?.remove();
    programs?.remove();
  }, 60_000);

  const addressOf = async (namespace: string, selector: string): Promise<string> => {
    const pods = await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" }, { namespace, labelSelector: selector });
    return pods[0] === undefined ? "" : podIp(pods[0]);
  };

  test("Jaeger gets a client's and a server's span of every hop, of every request, by OTLP", async () => {
    await shop.telling("jaeger", ["envoy"]);
    await shop.settled(CLIENT);
    await shop.settled(GATEWAY);
    const from = Date.now();
    await shop.inside(40);
    await shop.outside(Array.from({ length: 10 }, () => ({})));
    await shop.everyHop(from, CLIENT, 40);
    const [trace] = await shop.everyHop(from, GATEWAY, 10);
    const shown = await scenario.meshctl(["trace", trace?.traceId ?? ""], { quiet: true });
    expect(shown.stdout.split("\n").filter((line) => line.includes("server"))).toHaveLength(4);
  }, 400_000);

  test("Jaeger gets every hop by Zipkin too, in the traces of callers that bring B3 headers and of those that bring W3C's", async () => {
    await shop.telling("zipkin", ["envoy"]);
    await shop.settled(CLIENT);
    await shop.settled(GATEWAY);
    const callers = Array.from({ length: 12 }, (_, index) => callerOf(index));
    await shop.outside(callers.map(({ headers }) => headers));
    for (const { traceId, parent } of callers) {
      const trace = await waitFor(
        async () => {
          const found = (await shop.meshctl("trace", traceId)) as Partial<Trace>;
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
    await shop.telling("otel-tracing", ["envoy", "otel"]);
    await shop.settled(CLIENT);
    // an old listener tells no collector of logs; its spans come to Jaeger too, by Zipkin
    await shop.drained();
    const from = Date.now();
    await shop.inside(25);
    await shop.everyHop(from, CLIENT, 25);
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
    // the probe's requests of `load` go through the port-forward: they are in both
    const read = accessLogReader(DEFAULT_ACCESS_LOG_FORMATS);
    let missing: readonly string[] = [];
    await waitFor(
      async () => {
        const collected = new Set((await collectedLogs(scenario)).map((line) => nameOf(read(line.trimEnd()))));
        missing = (await lines()).map(nameOf).filter((name) => !collected.has(name));
        return missing.length === 0;
      },
      { what: "the collector to have every line", timeoutMs: 30_000 },
    ).catch(() => undefined);
    expect(missing).toEqual([]);
  }, 240_000);

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
    const synced = async (): Promise<readonly number[]> => {
      const workloads = (await api(`clusters/health?namespaces=${SHOP}&type=workload`)) as {
        readonly namespaceWorkloadHealth: Record<string, Record<string, { workloadStatus: { syncedProxies: number } }>>;
      };
      return Object.values(workloads.namespaceWorkloadHealth[SHOP] ?? {}).map(
        (one) => one.workloadStatus.syncedProxies,
      );
    };
    // a proxy that is being sent something is not in sync at that moment
    const all = Array.from({ length: 7 }, () => 1);
    await waitFor(async () => isDeepStrictEqual(await synced(), all), {
      what: "seven proxies in sync",
      timeoutMs: 30_000,
    });
    expect(await api(`istio/validations?namespaces=${SHOP}`)).toEqual([
      expect.objectContaining({ namespace: SHOP, errors: 0, warnings: 0 }),
    ]);
  }, 240_000);

  test.each(["otel-tracing", "jaeger"])(
    "Kiali shows the traces that %s collects",
    async (provider) => {
      const api = (path: string): Promise<unknown> => kiali?.api(path) ?? Promise.reject(new Error("no Kiali"));
      await shop.telling(provider, ["envoy"]);
      await shop.settled(CLIENT);
      const since = Date.now();
      await shop.inside(6);
      const [own] = await shop.everyHop(since, CLIENT, 6);
      const query = `startMicros=${since * 1000}&limit=50`;
      const seen = await waitFor(
        async () => {
          const { data } = (await api(`namespaces/${SHOP}/workloads/web-v1/traces?${query}`)) as {
            readonly data: readonly { readonly traceID: string; readonly spans: readonly unknown[] }[];
          };
          if (data.length !== 6) throw new Error(`Kiali has ${data.length} traces of web`);
          return data;
        },
        { what: "Kiali's traces of web", timeoutMs: 30_000 },
      );
      expect(seen.map(({ spans }) => spans.length)).toEqual(Array.from({ length: 6 }, () => own?.spans.length));
      const { data: one } = (await api(`traces/${own?.traceId ?? ""}`)) as {
        readonly data: { readonly traceID: string };
      };
      expect(one.traceID).toBe(own?.traceId);
    },
    180_000,
  );

  test("Kiali shows access logs, and the authority's certificate to whom it is granted", async () => {
    const api = (path: string): Promise<unknown> => kiali?.api(path) ?? Promise.reject(new Error("no Kiali"));
    const since = Date.now();
    await shop.inside(6);
    const [pod] = await scenario.cluster.list(
      { apiVersion: "v1", kind: "Pod" },
      { namespace: SHOP, labelSelector: "app=web" },
    );
    const asked = `container=istio-proxy&logType=proxy&maxLines=500&sinceTime=${Math.floor(since / 1000)}`;
    const answered = async (): Promise<number> => {
      const { entries } = (await api(`namespaces/${SHOP}/pods/${pod?.metadata.name ?? ""}/logs?${asked}`)) as {
        readonly entries: readonly {
          readonly accessLog?: { readonly method?: string; readonly status_code?: string };
        }[];
      };
      return entries.filter(({ accessLog }) => accessLog?.method === "GET" && accessLog.status_code === "200").length;
    };
    // each request comes in once and goes out twice
    await waitFor(async () => (await answered()) >= 18, { what: "the lines of 6 requests in Kiali" });
    expect(await api("istio/certs")).toMatchObject([{ secretName: "cacerts", accessible: false }]);
    await applyText(scenario, "istio-system", "certificates.yaml", READS_CERTIFICATES);
    const secret = await scenario.cluster.get({
      apiVersion: "v1",
      kind: "Secret",
      namespace: "istio-system",
      name: "istio-ca-secret",
    });
    const { "ca-cert.pem": pem = "" } =
      (secret as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data ?? {};
    const { validTo } = new X509Certificate(Buffer.from(pem, "base64"));
    const [certificate] = (await api("istio/certs")) as readonly { readonly notAfter: string }[];
    expect(certificate).toMatchObject({ secretName: "istio-ca-secret", accessible: true });
    expect(Date.parse(certificate?.notAfter ?? "")).toBe(Date.parse(validTo));
  }, 120_000);

  /** The service graph has the calls that are made, with mutual TLS on each. */
  async function graphIs(api: RunningKiali["api"]): Promise<void> {
    const inside = ["cart-v1 > ledger-v1", "client-v1 > web-v1", "web-v1 > cart-v1", "web-v1 > catalog"];
    const wanted = [...inside, "istio-ingressgateway > web-v1"].toSorted();
    const edges = async (): Promise<readonly string[]> => {
      await shop.outside([{}]);
      await load(scenario, { namespace: SHOP, app: "client" }, { url: "http://web/", requests: 20, concurrency: 2 });
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
    // calls of a test before this one are in it until their minute is over
    let seen: readonly string[] = [];
    await waitFor(
      async () => {
        seen = await edges();
        return isDeepStrictEqual(seen, wanted);
      },
      { what: "Kiali's graph to have the calls of its minute, and no others", timeoutMs: 120_000 },
    ).catch(() => undefined);
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

/** What the guide of Kiali says: the addon's own account may not read an authority's key. */
const READS_CERTIFICATES = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: kiali-certificates }
rules: [{ apiGroups: [""], resources: [secrets], resourceNames: [cacerts, istio-ca-secret], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: kiali-certificates }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: kiali-certificates }
subjects: [{ kind: ServiceAccount, name: kiali, namespace: istio-system }]
`;

/** What tells a line of an access log from others. */
function nameOf(record: AccessLogRecord | undefined): string {
  const { startTime, requestId, upstreamCluster, upstreamHost, localAddress, remoteAddress } = record ?? {};
  return [startTime, requestId, upstreamCluster, upstreamHost, localAddress, remoteAddress].join(" ");
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
