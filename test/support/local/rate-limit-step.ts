import { load } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { until } from "../../../scripts/scenario/kubectl.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

const INSIDE = { namespace: SHOP, app: "client" };
const URL = "http://catalog:8000/items";
const LIMIT = 20;

const policy: KubeObject = {
  apiVersion: "meshctl.io/v1alpha1",
  kind: "RateLimitPolicy",
  metadata: { name: "catalog", namespace: SHOP },
  spec: {
    selector: { matchLabels: { app: "catalog" } },
    // a busy machine is no reason to let a request pass
    timeout: "5s",
    limits: [{ name: "year", global: { requestsPerUnit: LIMIT, unit: "YEAR" } }],
  },
};

/** The rate limit service is installed beside the mesh, keeps one limit for all pods of a workload, and goes again. */
export async function rateLimits(scenario: Scenario): Promise<void> {
  const { cluster } = scenario;
  const install = ["install", "--set", "profile=demo", "-y"];
  await scenario.meshctl([...install, "--set", "values.ratelimit.enabled=true"]);
  await cluster.create(policy);
  const overLimit = async (requests: number): Promise<number> =>
    (await load(scenario, INSIDE, { url: URL, requests, concurrency: 4 })).status["429"] ?? 0;
  let sent = 0;
  let refused = 0;
  await until(30_000, "the limit to be kept", async () => {
    sent += 10;
    refused += await overLimit(10);
    return refused > 0;
  });
  refused += await overLimit(40);
  sent += 40;
  // requests before the policy arrived are not counted
  must(sent - refused >= LIMIT, `${sent - refused} requests passed, expected ${LIMIT} at least`);
  const again = await overLimit(20);
  must(again === 20, `${again} of 20 requests over the limit were refused`);
  scenario.say(`  ${refused + again} of ${sent + 20} requests were refused: ${LIMIT} a year are allowed`);
  await cluster.delete({ apiVersion: policy.apiVersion, kind: policy.kind, namespace: SHOP, name: "catalog" });
  await scenario.meshctl(install);
  await until(30_000, "requests to pass again", async () => (await overLimit(10)) === 0);
  const service = { apiVersion: "v1", kind: "Service", namespace: "istio-system", name: "ratelimit" };
  must((await cluster.get(service)) === undefined, "the rate limit service stayed");
}
