import { load, type Tally } from "../ask.ts";
import { must, type Scenario } from "../context.ts";
import { restartDeployments, until } from "../kubectl.ts";
import { CLIENTS, SHOP } from "./shop.ts";

const OLD = "default";
const NEW = "next";
/** Requests a second, all the way from outside through the gateway to three services. */
const RATE = 60;

/** A second control plane, the pods moved to it by a tag while requests flow, then the first one taken away. */
export const upgradeByTag = {
  title: "Upgrade to a second revision by tag under traffic: no request fails; then the first one goes",
  async run(scenario: Scenario): Promise<void> {
    await scenario.meshctl(["upgrade", "--revision", NEW, "--skip-precheck", "-y"]);
    must(
      (await revisionsOf(scenario)).every((name) => name === OLD),
      "pods moved before they were told to",
    );
    const moving = traffic(scenario);
    await scenario.meshctl(["tag", "set", "default", "--revision", NEW]);
    await restartDeployments(scenario, SHOP);
    const pods = await moving();
    say(scenario, pods, "while the pods moved");
    await scenario.meshctl(["uninstall", "--revision", OLD, "-y"], { expect: 2, quiet: true });

    const handing = traffic(scenario);
    await scenario.meshctl(["upgrade", "--revision", NEW, "--gateways", "--skip-precheck", "-y"]);
    await scenario.meshctl(["tag", "set", "default", "--revision", NEW, "--wait", "--timeout", "60s"]);
    say(scenario, await handing(), "while the gateways moved");
    must(
      (await revisionsOf(scenario)).every((name) => name === NEW),
      "a pod has the proxy of before",
    );
    // gateways of before drain
    await until(60_000, `every proxy to be connected to istiod-${NEW}`, async () => {
      const status = await scenario.meshctl(["proxy-status", "--wait"], { quiet: true });
      const rows = status.stdout.trim().split("\n").slice(1);
      return rows.length > 0 && rows.every((row) => row.includes(`istiod-${NEW}-`));
    });

    const without = traffic(scenario);
    await scenario.meshctl(["uninstall", "--revision", OLD, "-y"]);
    say(scenario, await without(), "while the first one went");
    await scenario.meshctl(["orphans"]);
    await scenario.meshctl(["tag", "list"]);
  },
};

/** Sends requests until the returned function is called, which gives what came back: every one must have been served. */
function traffic(scenario: Scenario): () => Promise<Tally> {
  const query = { url: "http://istio-ingressgateway.istio-system/", header: "host: shop.example.com" };
  let isOver = false;
  const tallies: Tally[] = [];
  const sending = (async () => {
    while (!isOver) {
      const from = { namespace: CLIENTS, app: "client" };
      tallies.push(await load(scenario, from, { ...query, seconds: 3, concurrency: 4, rate: RATE }));
    }
  })();
  // heard when it is awaited
  sending.catch(() => undefined);
  return async () => {
    isOver = true;
    await sending;
    const sum = (of: (tally: Tally) => number): number => tallies.reduce((all, tally) => all + of(tally), 0);
    const [sent, served] = [sum(({ requests }) => requests), sum(({ status }) => status["200"] ?? 0)];
    must(sent > 0 && served === sent, `${sent - served} of ${sent} requests failed: ${JSON.stringify(tallies)}`);
    const [first] = tallies;
    must(first !== undefined, "nothing was sent");
    return { ...first, requests: sent };
  };
}

function say(scenario: Scenario, { requests }: Tally, when: string): void {
  scenario.say(`  ${requests} of ${requests} requests through the gateway served ${when}`);
}

/** Revisions of the proxies of the shop's pods, once those of before are gone. */
async function revisionsOf(scenario: Scenario): Promise<readonly string[]> {
  const kind = { apiVersion: "v1", kind: "Pod" };
  let pods = await scenario.cluster.list(kind, { namespace: SHOP });
  await until(60_000, "pods of before to be gone", async () => {
    pods = await scenario.cluster.list(kind, { namespace: SHOP });
    return pods.every(({ metadata }) => metadata.deletionTimestamp === undefined);
  });
  return pods.map(({ metadata }) => metadata.annotations?.["istio.io/rev"] ?? "none");
}
