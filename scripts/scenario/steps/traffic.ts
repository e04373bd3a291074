import { getAt, load, metrics, podOf } from "../ask.ts";
import { must, type Scenario } from "../context.ts";
import { applyFile, until } from "../kubectl.ts";
import { SHOP } from "./shop.ts";

const INSIDE = { namespace: SHOP, app: "client" };
const REQUESTS = 10_000;

/** 90/10 by 10,000 requests, then 50/50, live within a second. */
export const canary = {
  title: "Canary: 90/10 between two versions, then 50/50",
  async run(scenario: Scenario): Promise<void> {
    const url = "http://catalog:8000/items";
    await applyFile(scenario, SHOP, "samples/shop/canary-90-10.yaml");
    await until(10_000, "version v3 to get no requests", async () => {
      const { version } = await load(scenario, INSIDE, { url, requests: 60, concurrency: 4 });
      return version["v3"] === undefined;
    });
    const tally = await load(scenario, INSIDE, { url, requests: REQUESTS, concurrency: 16 });
    const share = (100 * (tally.version["v2"] ?? 0)) / REQUESTS;
    must(tally.status["200"] === REQUESTS, `not every request was served: ${JSON.stringify(tally)}`);
    must(
      Math.abs(share - 10) <= 1.5,
      `v2 got ${share.toFixed(2)} %, expected 10 ± 1.5: ${JSON.stringify(tally.version)}`,
    );
    scenario.say(
      `  ${REQUESTS} requests: v1 ${tally.version["v1"]}, v2 ${tally.version["v2"]} = ${share.toFixed(2)} %, p50 ${tally.latency.p50} ms, p99 ${tally.latency.p99} ms`,
    );

    await applyFile(scenario, SHOP, "samples/shop/canary-50-50.yaml");
    const took = await until(5000, "50/50 to be live", async () => {
      const { version } = await load(scenario, INSIDE, { url, requests: 40, concurrency: 8 });
      return (version["v2"] ?? 0) >= 12;
    });
    const even = await load(scenario, INSIDE, { url, requests: 2000, concurrency: 16 });
    const half = (100 * (even.version["v2"] ?? 0)) / 2000;
    must(Math.abs(half - 50) <= 5, `v2 got ${half.toFixed(1)} %, expected 50 ± 5`);
    must(took <= 1000, `50/50 was seen ${took.toFixed(0)} ms after the change, expected within a second`);
    scenario.say(`  50/50 seen ${took.toFixed(0)} ms after the change: v2 ${half.toFixed(1)} % of 2000`);
  },
};

/** A request from outside through the ingress gateway. */
export const gateway = {
  title: "Let a request in through the ingress gateway",
  async run(scenario: Scenario): Promise<void> {
    await applyFile(scenario, SHOP, "samples/shop/gateway.yaml");
    const { host, port } = await ingress(scenario);
    let seen = "";
    await until(10_000, "the gateway to serve shop.example.com", async () => {
      const answer = await getAt(host, port, "/", { host: "shop.example.com" }).catch((error: Error) => ({
        status: 0,
        body: error.message,
      }));
      seen = answer.body;
      return answer.status === 200;
    }).catch((error: Error) => must(false, `${error.message}; last seen: ${seen}`));
    scenario.say(`  curl -H 'host: shop.example.com' http://${host}:${port}/ -> 200 ${seen.trim().slice(0, 120)}`);
    const other = await getAt(host, port, "/", { host: "other.example.com" });
    must(other.status === 404, `a host that no Gateway names got ${other.status}, expected 404`);
    scenario.say("  the same for other.example.com -> 404");
  },
};

/** Where the ingress gateway is reached from this machine: its load balancer, else its cluster IP. */
export async function ingress(scenario: Scenario): Promise<{ host: string; port: number }> {
  const target = { apiVersion: "v1", kind: "Service", namespace: "istio-system", name: "istio-ingressgateway" };
  const service = await scenario.cluster.get(target);
  must(service !== undefined, "there is no Service istio-system/istio-ingressgateway");
  const status = service.status as { loadBalancer?: { ingress?: readonly { ip?: string }[] } } | undefined;
  const { clusterIP } = service.spec as { clusterIP: string };
  // a balancer on this machine that may not bind low ports says which it took instead: "80=8080,443=8443"
  const taken = service.metadata.annotations?.["local.meshctl.io/host-ports"] ?? "";
  const port = Number(/(?:^|,)80=(\d+)/.exec(taken)?.[1] ?? 80);
  return { host: status?.loadBalancer?.ingress?.[0]?.ip ?? clusterIP, port };
}

/** A plain TCP protocol through two sidecars. */
export const tcp = {
  title: "A TCP call through two sidecars",
  async run(scenario: Scenario): Promise<void> {
    const tally = await load(scenario, INSIDE, { to: "ledger:9000", line: "PING", requests: 20, concurrency: 2 });
    must(tally.status["PONG"] === 20, `the ledger answered: ${JSON.stringify(tally)}`);
    const ledger = await podOf(scenario, SHOP, "ledger");
    const parts = [
      'connection_security_policy="mutual_tls"',
      `source_principal="spiffe://cluster.local/ns/${SHOP}/sa/client"`,
    ];
    await until(15_000, "the ledger's proxy to count TCP connections over mutual TLS", async () => {
      const lines = await metrics(
        scenario,
        { namespace: SHOP, name: ledger.metadata.name },
        "istio_tcp_connections_opened_total",
        parts,
      );
      return lines.length > 0;
    });
    scenario.say("  20 of 20 PONG; the ledger's proxy counted them as mutual_tls from shop/client");
  },
};
