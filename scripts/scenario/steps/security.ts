import { load, metrics, podIp, podOf } from "../ask.ts";
import { must, type Scenario } from "../context.ts";
import { applyFile, until } from "../kubectl.ts";
import { CLIENTS, SHOP } from "./shop.ts";

const ANY = { requests: 5, concurrency: 1, timeout: 3000 };

/** Mesh-wide STRICT: plaintext is refused, a sidecar is served, both ends know each other by certificate. */
export const security = {
  title: "Mutual TLS everywhere: plaintext is refused, identities come from certificates that meshd signed",
  async run(scenario: Scenario): Promise<void> {
    const catalog = await podOf(scenario, SHOP, "catalog");
    const url = `http://${podIp(catalog)}:8000/items`;
    const plain = { namespace: CLIENTS, app: "client" };
    const permissive = await load(scenario, plain, { ...ANY, url });
    must(
      permissive.status["200"] === ANY.requests,
      `before STRICT plaintext should be served: ${JSON.stringify(permissive)}`,
    );
    await applyFile(scenario, "istio-system", "samples/shop/strict-mtls.yaml");
    await until(10_000, "plaintext to be refused", async () => {
      const { status, error } = await load(scenario, plain, { ...ANY, requests: 1, url });
      return Object.keys(status).length === 0 && Object.keys(error).length > 0;
    });
    const refused = await load(scenario, plain, { ...ANY, url });
    must(Object.keys(refused.status).length === 0, `plaintext was answered: ${JSON.stringify(refused)}`);
    scenario.say(
      `  plaintext from ${CLIENTS}/client: refused ${ANY.requests} of ${ANY.requests} (${Object.keys(refused.error).join(", ")})`,
    );

    const served = await load(
      scenario,
      { namespace: SHOP, app: "client" },
      { ...ANY, url: "http://catalog:8000/items" },
    );
    must(served.status["200"] === ANY.requests, `through the sidecar: ${JSON.stringify(served)}`);
    scenario.say(`  through the sidecar of ${SHOP}/client: 200 for ${ANY.requests} of ${ANY.requests}`);
    await identities(scenario);
  },
};

/** What each end's Envoy counted names both SPIFFE identities. */
async function identities(scenario: Scenario): Promise<void> {
  const client = `spiffe://cluster.local/ns/${SHOP}/sa/client`;
  const server = `spiffe://cluster.local/ns/${SHOP}/sa/catalog`;
  const both = [`source_principal="${client}"`, `destination_principal="${server}"`];
  for (const [app, extra] of [
    ["client", 'reporter="source"'],
    ["catalog", 'connection_security_policy="mutual_tls"'],
  ] as const) {
    await until(15_000, `the proxy of ${app} to count a request between ${client} and ${server}`, async () => {
      const pods = await scenario.cluster.list(
        { apiVersion: "v1", kind: "Pod" },
        { namespace: SHOP, labelSelector: `app=${app}` },
      );
      const lines = await Promise.all(
        pods.map((pod) =>
          metrics(scenario, { namespace: SHOP, name: pod.metadata.name }, "istio_requests_total", [...both, extra]),
        ),
      );
      return lines.flat().length > 0;
    });
    scenario.say(`  ${app}'s proxy: ${client} -> ${server} (${extra})`);
  }
}
