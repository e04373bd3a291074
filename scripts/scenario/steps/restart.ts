import { load, podOf } from "../ask.ts";
import { must, type Scenario } from "../context.ts";
import { processesOfPod } from "../process.ts";
import { SHOP } from "./shop.ts";

const SECONDS = 8;
/** Requests a second: what is measured is the restart, not who gets the processors. */
const RATE = 150;

/** kill -9 of meshd while requests flow. */
export const restart = {
  title: "kill -9 of the control plane under traffic: no request fails",
  async run(scenario: Scenario): Promise<void> {
    const pod = (await podOf(scenario, "istio-system", "istiod")).metadata.name;
    const [pid] = await processesOfPod(pod, "meshd.js");
    must(pid !== undefined, `no process of pod ${pod} on this machine`);
    const traffic = load(
      scenario,
      { namespace: SHOP, app: "client" },
      { url: "http://web/", seconds: SECONDS, concurrency: 4, rate: RATE },
    );
    // requests are flowing before the kill: the client's proxy has some in its counters
    await load(scenario, { namespace: SHOP, app: "client" }, { url: "http://web/", requests: 20, concurrency: 1 });
    scenario.say(`$ kill -9 ${pid}    # meshd, pod ${pod}`);
    process.kill(pid, "SIGKILL");
    const killed = performance.now();
    await scenario.meshctl(["proxy-status", "--wait", "--timeout", "30s"], { quiet: true });
    const took = performance.now() - killed;
    const [next] = await processesOfPod(pod, "meshd.js");
    must(next !== undefined && next !== pid, `pod ${pod} runs process ${next ?? "none"}, expected another than ${pid}`);
    const tally = await traffic;
    const served = tally.status["200"] ?? 0;
    must(served === tally.requests, `requests failed: ${JSON.stringify(tally)}`);
    must(took <= 5000, `all proxies were SYNCED after ${(took / 1000).toFixed(1)} s, expected 5`);
    scenario.say(
      `  ${served} of ${tally.requests} requests served; all proxies SYNCED ${(took / 1000).toFixed(1)} s after the kill`,
    );
  },
};
