import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openScenario, root } from "../../../scripts/scenario/context.ts";
import { applyFile, createNamespace, waitAvailable } from "../../../scripts/scenario/kubectl.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { parseYaml } from "../../../src/resources/yaml-plain.ts";
import { readValues } from "../../../src/resources/yaml-values.ts";
import { addonImages } from "../../support/addons/images.ts";
import { CLIENT, collectedLogs, GATEWAY, quiet, SHOP, type Traced, tracedShop } from "../../support/addons/traces.ts";
import { type RealNode, startNode } from "../../support/kube/node.ts";
import { askingPrometheus, countsAndPanels } from "../../support/local/prometheus-step.ts";
import { type RunningPrometheus, startPrometheus } from "../../support/prometheus/prometheus.ts";
import { waitFor } from "../../support/wait.ts";

// The mesh on a real single-node Kubernetes, observed: real Prometheus scrapes its pods from outside, real Jaeger and a real collector run as
// the addons' pods, from images that are made here of programs that were built from their modules.

const run = promisify(execFile);
let node: RealNode;
let scenario: Awaited<ReturnType<typeof openScenario>>;
let prometheus: RunningPrometheus | undefined;
let shop: Traced;
const said: string[] = [];

beforeAll(async () => {
  const { stdout } = await run(process.execPath, [join(root, "images/build.mjs"), "--test"], {
    cwd: root,
    maxBuffer: 1 << 24,
  });
  node = await startNode({ images: stdout.trim().split("\n"), index: 12 });
  scenario = await openScenario(node.kubeconfig, (text) => said.push(text), { kubectl: false });
  const names = parseYaml(await readFile(join(root, "manifests/addons/images.yaml"), "utf8")) as Record<string, string>;
  const { jaeger = "", "otel-collector": collector = "" } = names;
  await node.load(await addonImages(scenario.work, { jaeger, collector }));
  await scenario.meshctl(["install", "--set", "profile=demo", "-y"]);
  await createNamespace(scenario, SHOP, { "istio-injection": "enabled" });
  await applyFile(scenario, SHOP, "samples/shop/shop.yaml");
  await applyFile(scenario, SHOP, "samples/shop/gateway.yaml");
  await scenario.meshctl(["addons", "install", "jaeger", "otel-collector", "--wait=false"]);
  await withOwnHealthCheck();
  await waitAvailable(scenario, SHOP);
  await waitAvailable(scenario, "istio-system");
  await waitAvailable(scenario, "observability");
  prometheus = await startPrometheus({
    folder: await folderOf("prometheus"),
    address: "127.0.0.112",
    files: await prometheusFiles(),
    cluster: await asReader(),
  });
  shop = tracedShop(scenario);
}, 1_800_000);

afterAll(async () => {
  await prometheus?.stop();
  await scenario?.close();
  await node?.stop();
}, 120_000);

async function folderOf(name: string): Promise<string> {
  const folder = join(scenario.work, name);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** The collector's modules are those that Jaeger's own names: its health check has another name there. */
async function withOwnHealthCheck(): Promise<void> {
  const namespace = "observability";
  const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "opentelemetry-collector" };
  const map = (await scenario.cluster.get(ref)) as (KubeObject & { readonly data: Record<string, string> }) | undefined;
  const data = Object.fromEntries(
    Object.entries(map?.data ?? {}).map(([name, text]) => [name, text.replaceAll("health_check", "healthcheckv2")]),
  );
  await scenario.cluster.mergePatch(ref, { data });
  const selector = { namespace, labelSelector: "app=opentelemetry-collector" };
  for (const { metadata } of await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" }, selector))
    await scenario.cluster.delete({ apiVersion: "v1", kind: "Pod", namespace, name: metadata.name });
}

/** The addon's configuration, scraping each second. */
async function prometheusFiles(): Promise<Readonly<Record<string, string>>> {
  const documents = readValues(await readFile(join(root, "samples/addons/prometheus.yaml"), "utf8")) as readonly {
    readonly kind: string;
    readonly data?: Readonly<Record<string, string>>;
  }[];
  const files = documents.find(({ kind }) => kind === "ConfigMap")?.data ?? {};
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, text.replace(/((?:scrape|evaluation)_interval: )\w+/g, "$11s")]),
  );
}

/** The node's API server, as an account that may read pods. */
async function asReader(): Promise<Parameters<typeof startPrometheus>[0]["cluster"]> {
  const config = parseYaml(await readFile(node.kubeconfig, "utf8")) as {
    readonly clusters: readonly {
      readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
    }[];
  };
  const { server = "", "certificate-authority-data": ca = "" } = config.clusters[0]?.cluster ?? {};
  const metadata = { name: "scraper" };
  const namespace = "kube-system";
  await scenario.cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { ...metadata, namespace } });
  await scenario.cluster.create({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "ServiceAccount", name: "scraper", namespace }],
  } as KubeObject);
  const token = await scenario.cluster.createToken({
    namespace,
    serviceAccount: "scraper",
    audiences: [],
    expirationSeconds: 3600,
  });
  return { server, ca: Buffer.from(ca, "base64").toString(), token };
}

/** An error carries what the commands printed. */
async function told(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    throw new Error(`${String(error)}\n${said.slice(-40).join("\n")}`, { cause: error });
  });
}

test("Prometheus scrapes every pod, counts exactly what was sent, and has data for every panel of every dashboard", async () => {
  const ask = askingPrometheus(prometheus?.address ?? "");
  await waitFor(async () => (await ask("up")).length > 0, { what: "Prometheus to scrape", timeoutMs: 60_000 });
  await told(countsAndPanels(scenario, ask));
}, 400_000);

test("every request's spans and log lines arrive: at Jaeger by way of the collector, and at the collector", async () => {
  await told(shop.telling("otel-tracing", ["envoy", "otel"]));
  await told(shop.settled(CLIENT));
  await told(shop.settled(GATEWAY));
  const before = await quiet(async () => (await collectedLogs(scenario)).length);
  const from = Date.now();
  await shop.inside(20);
  await shop.outside(Array.from({ length: 10 }, () => ({})));
  await told(shop.everyHop(from, CLIENT, 20).then(() => undefined));
  await told(shop.everyHop(from, GATEWAY, 10).then(() => undefined));
  // each of 30 requests has a line at both ends of its three hops and of the ledger's connection, from outside at the gateway too
  expect((await quiet(async () => (await collectedLogs(scenario)).length)) - before).toBeGreaterThanOrEqual(30 * 6);
}, 400_000);
