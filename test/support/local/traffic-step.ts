import { getOver, load, podOf } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import type { StatRow } from "../../../src/commands/stat.ts";
import type { Graph } from "../../../src/commands/traffic/graph.ts";
import type { Edge } from "../../../src/commands/traffic/rows.ts";
import type { TappedRequest } from "../../../src/commands/traffic/tap-request.ts";

const REQUESTS = 30;
const CLIENT = { namespace: SHOP, app: "client" };
const MISSING = "/not-there";

/** What goes on between workloads, as edges, stat, top, tap and graph tell it of a mesh under a little load. */
export async function trafficTold(scenario: Scenario): Promise<void> {
  const ask = async <T>(...line: readonly string[]): Promise<T> =>
    JSON.parse((await scenario.meshctl([...line, "-o", "json"], { quiet: true })).stdout) as T;
  const before = await edgeToWeb(ask);
  await load(scenario, CLIENT, { url: "http://web/", requests: REQUESTS });
  const edge = await edgeToWeb(ask);
  must(
    edge?.security === "mutual_tls" &&
      edge.client?.endsWith("/sa/client") === true &&
      edge.server?.endsWith("/sa/web") === true,
    `client to web: ${JSON.stringify(edge)}`,
  );
  const counted = edge.requests - (before?.requests ?? 0);
  must(counted === REQUESTS, `${counted} requests were counted, ${REQUESTS} were sent`);

  await live(scenario);

  const graph = await ask<Graph>("graph", "-n", SHOP);
  must(
    graph.edges.some(({ from, to }) => from === `${SHOP}/client-v1` && to === `${SHOP}/web-v1`),
    "no edge in graph",
  );
  const allowed = await ask<Graph>("graph", "--static", "-n", SHOP);
  must(
    allowed.edges.some(({ from, to }) => from === `${SHOP}/client-v1` && to === `${SHOP}/web-v1`),
    "client may not call web",
  );
  await tapped(scenario);
}

/** What stat and top count while requests go on. */
async function live(scenario: Scenario): Promise<void> {
  const busy = load(scenario, CLIENT, { url: "http://web/", seconds: 8, rate: 10 });
  const stat = await scenario.meshctl(["stat", "deploy/web-v1", "-n", SHOP, "-t", "3s", "-o", "json"], { quiet: true });
  const { rows } = JSON.parse(stat.stdout) as { rows: readonly StatRow[] };
  const top = await scenario.meshctl(["top", "-n", SHOP, "--count", "1", "--interval", "2s", "-o", "json"], {
    quiet: true,
  });
  await busy;
  const [row] = rows;
  must((row?.rps ?? 0) > 3 && row?.success === 1, `web under load: ${JSON.stringify(rows)}`);
  const lines = top.stdout.trim().split("\n");
  const seen = (JSON.parse(lines[0] ?? "{}") as { edges: readonly Edge[] }).edges;
  must(lines.length === 1 && seen.some(isClientToWeb), `top tells ${top.stdout}`);
}

async function edgeToWeb(ask: (...line: string[]) => Promise<{ edges: readonly Edge[] }>): Promise<Edge | undefined> {
  return (await ask("edges", "-n", SHOP)).edges.find(isClientToWeb);
}

function isClientToWeb({ from, to }: Edge): boolean {
  return from.workload === "client-v1" && to.workload === "web-v1";
}

/** A tap sees the one request that it asks for, with who sent it and what came back, and not its token. */
async function tapped(scenario: Scenario): Promise<void> {
  const line = [
    "tap",
    "deploy/web-v1",
    "-n",
    SHOP,
    "--path",
    MISSING,
    "--status",
    "4xx",
    "--count",
    "1",
    "--duration",
    "30s",
  ];
  const tap = scenario.meshctl([...line, "--headers", "-o", "json"], { quiet: true });
  let ended = false;
  void tap.finally(() => (ended = true)).catch(() => undefined);
  const pod = (await podOf(scenario, SHOP, "client")).metadata.name;
  // the tap is open some time after its command began: requests go on until one was seen
  while (!ended) {
    const stream = await scenario.cluster.portForward({ namespace: SHOP, pod, port: 8080 });
    const query = new URLSearchParams({ url: `http://web${MISSING}`, requests: "2", rate: "10" });
    await getOver(stream, `/run?${query.toString()}`);
  }
  const one = JSON.parse((await tap).stdout) as TappedRequest;
  must(
    one.status === 404 &&
      one.path === MISSING &&
      one.direction === "inbound" &&
      one.client?.endsWith("/sa/client") === true,
    `tapped was ${JSON.stringify(one)}`,
  );
  must(
    one.responseHeaders?.[":status"] === "404" && (one.durationMs ?? -1) >= 0,
    `its headers: ${JSON.stringify(one)}`,
  );
}
