import { getAt, load, metrics, podOf } from "../ask.ts";
import { must, type Scenario } from "../context.ts";
import { applyFile, createNamespace, deleteNamespace, until, waitAvailable } from "../kubectl.ts";
import { SHOP } from "./shop.ts";
import { ingress } from "./traffic.ts";

const HELLO = "hello";
const FILES = ["app", "destination-rule", "virtual-service", "peer-authentication", "service-entry", "gateway"];
const INSIDE = { namespace: SHOP, app: "client" };

/** What a first-time reader types: an unnamed port, a header match, weights, a circuit breaker, a gateway. */
export const gettingStarted = {
  title: "The getting-started samples: a header decides the version, weights split the rest",
  async run(scenario: Scenario): Promise<void> {
    await createNamespace(scenario, HELLO, { "istio-injection": "enabled" });
    for (const file of FILES) await applyFile(scenario, HELLO, `samples/getting-started/${file}.yaml`);
    await waitAvailable(scenario, HELLO);
    // before the client's proxy knows the service, it lets a request past as one to an address that is nobody's
    await scenario.meshctl(["wait", "virtualservice", `hello.${HELLO}`], { quiet: true });
    const url = `http://hello.${HELLO}:5678/`;
    const tester = { url, header: "x-user: tester" };
    // the first of 40: an Available Deployment may be ahead of what the client's proxy knows, and of its application, which has no
    // readiness probe: until that listens, its proxy answers 503, and the client's counts that as an answer of v2, too
    await until(10_000, "the client's proxy to reach hello", async () => {
      const { status } = await load(scenario, INSIDE, { ...tester, requests: 1 });
      return status["200"] === 1;
    });
    const testers = await load(scenario, INSIDE, { ...tester, requests: 39 });
    must(testers.status["200"] === 39, `testers got ${JSON.stringify(testers)}`);
    let counted = 0;
    await until(15_000, "40 counted requests of testers", async () => {
      counted = await countOf(scenario, "v2");
      return counted === 40;
    }).catch((error: Error) => must(false, `${error.message}; counted ${counted} of v2`));
    must((await countOf(scenario, "v1")) === 0, "a tester's request was answered by v1");
    const everybody = await load(scenario, INSIDE, { url, requests: 500, concurrency: 8 });
    must(everybody.status["200"] === 500, `everybody got ${JSON.stringify(everybody)}`);
    let share = 0;
    await until(15_000, "500 counted requests of everybody", async () => {
      const [v1, v2] = [await countOf(scenario, "v1"), (await countOf(scenario, "v2")) - 40];
      share = (100 * v2) / 500;
      return v1 + v2 === 500;
    });
    must(Math.abs(share - 20) <= 7, `v2 got ${share.toFixed(1)} % of everybody's requests, expected 20 ± 7`);
    scenario.say(`  40 of 40 testers saw v2; of everybody else ${share.toFixed(1)} %`);

    const { host, port } = await ingress(scenario);
    const answer = await getAt(host, port, "/", { host: "hello.example.com" });
    must(
      answer.status === 200 && /^hello from v[12]/.test(answer.body),
      `the gateway answered ${answer.status}: ${answer.body}`,
    );
    scenario.say(`  through the gateway: ${answer.body.trim()}`);
    await scenario.meshctl(["analyze", "-n", HELLO, "samples/getting-started"], { quiet: true });
    await deleteNamespace(scenario, HELLO);
  },
};

/** Requests that a version of hello answered with 200, as the client's proxy counted them. */
async function countOf(scenario: Scenario, version: string): Promise<number> {
  const { name } = (await podOf(scenario, INSIDE.namespace, INSIDE.app)).metadata;
  const service = `destination_service="hello.${HELLO}.svc.cluster.local"`;
  const parts = [service, `destination_version="${version}"`, 'response_code="200"'];
  const lines = await metrics(scenario, { namespace: INSIDE.namespace, name }, "istio_requests_total", parts);
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
