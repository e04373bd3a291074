import { getAt, load, podIp } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { until } from "../../../scripts/scenario/kubectl.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import { ingress } from "../../../scripts/scenario/steps/traffic.ts";
import { DASHBOARDS } from "../../../scripts/gen/dashboards/index.ts";
import type { Dashboard, Variable } from "../../../scripts/gen/dashboards/types.ts";

const INSIDE = { namespace: SHOP, app: "client" };

/** One series of an answer, with its newest value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Newest values of a query. */
export type Ask = (query: string) => Promise<readonly Sample[]>;

/** Calls that the step makes, by who calls whom; the shop's web asks catalog and cart, and cart its ledger. */
const CALLS = { catalog: 120, failing: 10, web: 30, gateway: 20 };

/** Edges of the service graph that these calls are, and how often each is gone: HTTP by requests, TCP by connections. */
const GRAPH: Readonly<Record<string, number>> = {
  "client-v1 -> catalog": CALLS.catalog + CALLS.failing,
  "client-v1 -> web": CALLS.web,
  "istio-ingressgateway -> web": CALLS.gateway,
  "web-v1 -> catalog": CALLS.web + CALLS.gateway,
  "web-v1 -> cart": CALLS.web + CALLS.gateway,
  "cart-v1 -> ledger": CALLS.web + CALLS.gateway,
};

/** Real Prometheus is installed, scrapes the mesh, counts exactly what was sent, and has data for every panel of every dashboard. */
export async function prometheusAndPanels(scenario: Scenario): Promise<void> {
  await scenario.meshctl(["addons", "install", "prometheus", "--scrape-interval", "1s"]);
  const { stdout } = await scenario.meshctl(["addons", "list", "-o", "json"], { quiet: true });
  const states = JSON.parse(stdout) as readonly { readonly name: string; readonly state: string }[];
  must(states.find(({ name }) => name === "prometheus")?.state === "ready", `prometheus is not ready: ${stdout}`);
  const [pod] = await scenario.cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace: "istio-system", labelSelector: "app.kubernetes.io/name=prometheus" },
  );
  must(pod !== undefined, "prometheus has no pod");
  await countsAndPanels(scenario, askingPrometheus(podIp(pod)));
  const again = await scenario.meshctl(["addons", "install", "prometheus", "--scrape-interval", "1s"], { quiet: true });
  must(again.stdout.startsWith("Nothing changed"), `a second install changed something:\n${again.stdout}`);
  await scenario.meshctl(["addons", "remove", "prometheus", "-y"], { quiet: true });
  const left = await scenario.meshctl(["addons", "remove", "prometheus", "-y"], { quiet: true });
  must(left.stdout.includes("nothing to remove"), `it was not all removed:\n${left.stdout}`);
}

/** Every pod is scraped, what is counted is what was sent, and every panel has data. */
export async function countsAndPanels(scenario: Scenario, ask: Ask): Promise<void> {
  await everyTargetUp(scenario, ask);
  await countsAreExact(scenario, ask);
  const ended = await openConnectionCounts(scenario, ask);
  await panelsHaveData(scenario, ask);
  await ended();
}

/** Queries of a Prometheus at an address, on its usual port. */
export function askingPrometheus(address: string): Ask {
  return async (query) => {
    const words = new URLSearchParams({ query }).toString();
    const { status, body } = await getAt(address, 9090, `/api/v1/query?${words}`, {});
    must(status === 200, `Prometheus answered ${status} to ${query}: ${body}`);
    type Result = { metric: Record<string, string>; value: [number, string] };
    const { data } = JSON.parse(body) as { data: { result: Result[] } };
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
}

/** Each pod of the mesh, the gateways and the control plane are scraped. */
async function everyTargetUp(scenario: Scenario, ask: Ask): Promise<void> {
  let up: readonly Sample[] = [];
  await until(30_000, "every pod to be scraped", async () => {
    // anew each time: what an earlier step left may still be going
    const pods = await scenario.cluster.list({ apiVersion: "v1", kind: "Pod" });
    const asked = pods.filter(
      ({ metadata }) =>
        metadata.annotations?.["prometheus.io/scrape"] === "true" && metadata.deletionTimestamp === undefined,
    );
    up = (await ask('up{job="kubernetes-pods"} == 1')).filter(({ metric }) => metric["pod"] !== undefined);
    return asked.every(({ metadata }) => up.some(({ metric }) => metric["pod"] === metadata.name));
  });
  scenario.say(`  ${up.length} pods are scraped`);
}

const EDGES = `
  sum by (source_workload, destination_service_name, reporter) (istio_requests_total{destination_service_namespace="${SHOP}"})
  or sum by (source_workload, destination_service_name, reporter) (istio_tcp_connections_opened_total{destination_service_namespace="${SHOP}"})`;

/** What each edge has counted so far, by who counted it. */
async function graphOf(ask: Ask): Promise<ReadonlyMap<string, number>> {
  const samples = await ask(EDGES);
  return new Map(
    samples.map(({ metric, value }) => [
      `${metric["source_workload"] ?? ""} -> ${metric["destination_service_name"] ?? ""} (${metric["reporter"] ?? ""})`,
      value,
    ]),
  );
}

/** The graph that Prometheus draws is the calls that were made, to one, on both sides. */
async function countsAreExact(scenario: Scenario, ask: Ask): Promise<void> {
  const before = await settled(ask);
  const calls = [
    load(scenario, INSIDE, { url: "http://catalog:8000/items", requests: CALLS.catalog, concurrency: 4 }),
    load(scenario, INSIDE, { url: "http://catalog:8000/status/500", requests: CALLS.failing, concurrency: 1 }),
    load(scenario, INSIDE, { url: "http://web/", requests: CALLS.web, concurrency: 2 }),
  ];
  await Promise.all(calls);
  const { host, port } = await ingress(scenario);
  for (let i = 0; i < CALLS.gateway; i++) {
    const { status } = await getAt(host, port, "/", { host: "shop.example.com" });
    must(status === 200, `the gateway answered ${status}`);
  }
  const wanted = Object.entries(GRAPH).flatMap(([edge, count]) => [
    [`${edge} (source)`, count] as const,
    [`${edge} (destination)`, count] as const,
  ]);
  const difference = async (): Promise<readonly string[]> => {
    const now = await graphOf(ask);
    const grown = new Map([...now].map(([edge, value]) => [edge, value - (before.get(edge) ?? 0)]));
    const edges = new Set<string>([
      ...[...grown].filter(([, value]) => value !== 0).map(([edge]) => edge),
      ...wanted.map(([edge]) => edge),
    ]);
    const expected = new Map<string, number>(wanted);
    return [...edges]
      .filter((edge) => (grown.get(edge) ?? 0) !== (expected.get(edge) ?? 0))
      .map((edge) => `${edge}: ${grown.get(edge) ?? 0} instead of ${expected.get(edge) ?? 0}`);
  };
  await until(30_000, "the counts to be those of the calls", async () => (await difference()).length === 0).catch(
    async () => must(false, `the graph differs from the calls:\n  ${(await difference()).join("\n  ")}`),
  );
  scenario.say(`  ${wanted.length} edges of the service graph count exactly what was called`);
}

/** Bytes of a connection are counted while it is open, on both sides; what it returns sees that they are not counted again at its end. */
async function openConnectionCounts(scenario: Scenario, ask: Ask): Promise<() => Promise<void>> {
  const received = async (): Promise<number> => {
    const query = `sum(istio_tcp_received_bytes_total{source_workload="client-v1",destination_service_name="ledger"})`;
    return (await ask(query))[0]?.value ?? 0;
  };
  const before = await received();
  const line = "PING and this is what is counted";
  let isOpen = true;
  const connection = load(scenario, INSIDE, { to: "ledger:9000", line, hold: 18_000, timeout: 60_000 }).then(
    (tally) => {
      isOpen = false;
      return tally;
    },
  );
  // who ends the mesh before the connection has ended has failed for another reason
  connection.catch(() => undefined);
  // each side counts the line and its end
  const sent = 2 * (line.length + 1);
  await until(30_000, "bytes of an open connection", async () => (await received()) === before + sent);
  must(isOpen, "bytes were counted when the connection had ended, not before");
  return async () => {
    must((await connection).status["PONG"] === 1, "the ledger did not answer");
    const of = '{source_workload="client-v1",destination_service_name="ledger"}';
    const counts = `sum(istio_tcp_connections_closed_total${of}) == sum(istio_tcp_connections_opened_total${of})`;
    await until(30_000, "the connection to be counted as closed", async () => (await ask(counts)).length > 0);
    const now = await received();
    must(now === before + sent, `bytes were counted twice: ${now} after ${before} and ${sent}`);
    scenario.say(`  ${sent / 2} bytes of an open connection were counted on both sides, and not again at its end`);
  };
}

/** Counts once nothing is under way any more: what earlier steps sent has been scraped. */
async function settled(ask: Ask): Promise<ReadonlyMap<string, number>> {
  let last = "";
  let known: ReadonlyMap<string, number> = new Map();
  let same = 0;
  await until(30_000, "counts to stand still", async () => {
    const scraped = await ask('max(timestamp(up{job="kubernetes-pods"}))');
    known = await graphOf(ask);
    const now = JSON.stringify([...known]);
    const stamp = String(scraped[0]?.value ?? 0);
    // two scrapes later nothing has changed
    if (now === last.split("|")[0]) same = stamp === last.split("|")[1] ? same : same + 1;
    else same = 0;
    last = `${now}|${stamp}`;
    return same >= 3;
  });
  return known;
}

/** Every query of every dashboard has a value for some choice of the dashboard's variables, while there is traffic and change. */
export async function panelsHaveData(scenario: Scenario, ask: Ask): Promise<void> {
  const all = (
    await Promise.all(
      DASHBOARDS.map(async (dashboard) => {
        const choices = await choicesOf(dashboard, ask);
        return queriesOf(dashboard).map((query) => ({ ...query, choices }));
      }),
    )
  ).flat();
  let empty = all;
  await until(60_000, "every panel to have data", async () => {
    await Promise.all([somethingOfEach(scenario), changes(scenario)]);
    const had = await Promise.all(empty.map(({ expr, choices }) => hasData(expr, choices, ask)));
    empty = empty.filter((_, index) => had[index] === false);
    return empty.length === 0;
  }).catch(() => must(false, `no data for\n  ${empty.map(({ where, expr }) => `${where}: ${expr}`).join("\n  ")}`));
  scenario.say(`  ${all.length} queries of ${DASHBOARDS.length} dashboards have data`);
}

/** Queries of a dashboard's panels, with where they stand. */
export function queriesOf(dashboard: Dashboard): readonly { readonly where: string; readonly expr: string }[] {
  return dashboard.rows.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      panel.queries.map(({ expr }) => ({ where: `${dashboard.title}, ${title}, ${panel.title}`, expr })),
    ),
  );
}

/** HTTP that is well and that fails, TCP, and requests through the gateway. */
async function somethingOfEach(scenario: Scenario): Promise<void> {
  const { host, port } = await ingress(scenario);
  await Promise.all([
    load(scenario, INSIDE, { url: "http://web/", requests: 10, concurrency: 2 }),
    load(scenario, INSIDE, { url: "http://catalog:8000/status/500", requests: 2, concurrency: 1 }),
    getAt(host, port, "/", { host: "shop.example.com" }),
  ]);
}

/** A change of configuration that proxies get, and a pod that is injected, though never made. */
async function changes(scenario: Scenario): Promise<void> {
  const metadata = { name: "panels", namespace: SHOP };
  const entry = { apiVersion: "networking.istio.io/v1", kind: "ServiceEntry" };
  const spec = {
    hosts: ["panels.example.com"],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    resolution: "NONE",
    location: "MESH_EXTERNAL",
  };
  await scenario.cluster.apply({ ...entry, metadata, spec }, { fieldManager: "test", force: true });
  // what comes and goes within one debounce is never sent to anyone
  await scenario.meshctl(["wait", "serviceentry", `panels.${SHOP}`], { quiet: true });
  const containers = [{ name: "app", image: "docker.io/meshctl/samples:0.1.0" }];
  await scenario.cluster.create({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers } }, { dryRun: true });
  await scenario.cluster.delete({ ...entry, ...metadata });
}

type Choice = Readonly<Record<string, string>>;

async function choicesOf({ variables }: Dashboard, ask: Ask): Promise<readonly Choice[]> {
  let choices: readonly Choice[] = [{}];
  for (const variable of variables)
    choices = (await Promise.all(choices.map((choice) => extended(choice, variable, ask)))).flat();
  return choices;
}

async function extended(choice: Choice, { name, of, values }: Variable, ask: Ask): Promise<readonly Choice[]> {
  const found = await ask(`group by (${values}) (${filled(of, choice)})`);
  return found.map(({ metric }) => ({ ...choice, [name]: metric[values] ?? "" }));
}

function filled(text: string, choice: Choice): string {
  return text.replace(/\$(\w+)/g, (hole, name: string) => (name === "__rate_interval" ? "1m" : (choice[name] ?? hole)));
}

async function hasData(expr: string, choices: readonly Choice[], ask: Ask): Promise<boolean> {
  for (const choice of choices) {
    const samples = await ask(filled(expr, choice));
    if (samples.some(({ value }) => !Number.isNaN(value))) return true;
  }
  return false;
}
