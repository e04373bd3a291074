import { join } from "node:path";
import { load, podOf, type Tally } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { until } from "../../../scripts/scenario/kubectl.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";

const URL = "http://catalog:8000/items";
/** Requests a second, by several at once: 200, and what is lost at the end, where one stream ends before the other. */
const RATE = 206;
const LOAD = { url: URL, concurrency: 16, timeout: 5_000 };
const BATCH_SECONDS = 2;
const CLIENT = { namespace: SHOP, app: "client" };

/** Connections between the proxies carry a few requests each: handshakes meet every state on the way. Subsets that are there stay. */
const SHORT_CONNECTIONS = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "catalog", namespace: SHOP },
  spec: {
    host: "catalog.shop.svc.cluster.local",
    trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 4 } } },
  },
};

/**
 * `meshctl ca rotate` under load, with real agents, Envoys and control plane: to a new root, to an authority of the user's own
 * below another root, to another one below the same root; each brings every workload another certificate. No request fails.
 * Then a revoked certificate is refused, and a new one of the same account is served.
 */
export async function rotation(scenario: Scenario): Promise<void> {
  await scenario.cluster.apply(SHORT_CONNECTIONS, { fieldManager: "test", force: true });
  const [first, second] = [join(scenario.work, "ca-1"), join(scenario.work, "ca-2")];
  await scenario.meshctl(["ca", "create", "--out", first, "--key", "rsa"], { quiet: true });
  await scenario.meshctl(["ca", "create", "--out", second, "--root", first], { quiet: true });
  for (const to of [[], ["--from", first], ["--from", second]]) {
    const sum = await during(scenario, () => scenario.meshctl(["ca", "rotate", "-y", "--timeout", "90s", ...to]));
    const right = sum.status["200"] ?? 0;
    must(right === sum.requests, `of ${sum.requests} requests ${right} were answered: ${JSON.stringify(sum)}`);
    const rate = sum.requests / sum.seconds;
    // a crowded machine is given room
    must(rate > 150, `only ${sum.requests} requests in ${sum.seconds} s`);
    scenario.say(`  ${sum.requests} requests in ${sum.seconds.toFixed(1)} s (${Math.round(rate)} a second): 0 failed`);
    await scenario.meshctl(["ca", "status"], { quiet: true });
  }
  await revocation(scenario);
}

/**
 * Load for as long as the work goes on: RATE requests a second. Two streams of batches, so that one goes on while the other
 * begins anew; each batch makes up for what is behind.
 */
async function during(
  scenario: Scenario,
  work: () => Promise<unknown>,
): Promise<Pick<Tally, "requests" | "status" | "error"> & { readonly seconds: number }> {
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  const started = performance.now();
  const tallies: Tally[] = [];
  let planned = 0;
  const stream = async (seconds: number): Promise<void> => {
    const batch = async (length: number, requests: number): Promise<void> => {
      planned += requests;
      tallies.push(await load(scenario, CLIENT, { ...LOAD, rate: requests / length, requests }));
    };
    await batch(seconds, Math.round((RATE * seconds) / 2));
    while (!isOver) {
      const due = ((performance.now() - started) / 1000 + BATCH_SECONDS) * RATE;
      // what the other stream has in hand is planned already
      await batch(BATCH_SECONDS, Math.max(1, Math.round(due - planned)));
    }
  };
  await Promise.all([stream(BATCH_SECONDS), stream(BATCH_SECONDS / 2)]);
  const seconds = (performance.now() - started) / 1000;
  await working;
  const sum = (of: "status" | "error"): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const tally of tallies)
      for (const [key, count] of Object.entries(tally[of])) counts[key] = (counts[key] ?? 0) + count;
    return counts;
  };
  const requests = tallies.reduce((all, tally) => all + tally.requests, 0);
  return { requests, seconds, status: sum("status"), error: sum("error") };
}

/** The client's certificate is revoked: its next handshakes fail, until its pod has another certificate. */
async function revocation(scenario: Scenario): Promise<void> {
  const few = { url: URL, requests: 12, concurrency: 1, timeout: 5_000 };
  const { name } = (await podOf(scenario, SHOP, CLIENT.app)).metadata;
  await scenario.meshctl(["ca", "revoke", "--pod", `${name}.${SHOP}`, "-y"]);
  // connections that stand carry the rest of their requests
  await until(30_000, "who is revoked to be refused", async () => {
    const { status } = await load(scenario, CLIENT, few);
    return status["503"] === few.requests;
  });
  const status = await scenario.meshctl(["ca", "status"], { expect: 1, quiet: true });
  must(status.stdout.includes("its certificate is revoked"), `expected the client to be told of:\n${status.stdout}`);
  await scenario.cluster.delete({ apiVersion: "v1", kind: "Pod", namespace: SHOP, name });
  let served: Tally | undefined;
  await until(60_000, "another pod of the same account to be served", async () => {
    served = await load(scenario, CLIENT, few).catch(() => undefined);
    return served?.status["200"] === few.requests;
  });
  scenario.say(`  revoked: 503 for all; with another certificate: ${JSON.stringify(served?.status)}`);
}
