import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load, podOf } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { applyText, until } from "../../../scripts/scenario/kubectl.ts";

const NAMESPACE = "shop";
const KIND = { apiVersion: "networking.istio.io/v1", kind: "VirtualService" };

/** `cart` answers 418 to a path that nobody has. */
const rule = (path: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: awaited }
spec:
  hosts: [cart]
  http:
    - match: [{ uri: { prefix: ${path} } }]
      directResponse: { status: 418 }
    - route: [{ destination: { host: cart } }]
`;

/** A filter that no Envoy takes. */
const REFUSED = `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: refused }
spec:
  workloadSelector: { labels: { app: cart } }
  configPatches:
    - applyTo: HTTP_FILTER
      match: { context: SIDECAR_INBOUND }
      patch:
        operation: INSERT_FIRST
        value:
          name: envoy.filters.http.lua
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
            default_source_code: { inline_string: "this is no program" }
`;

/** One proxy is compared with what it should run; an object is awaited until every Envoy has confirmed it; refusals are explained. */
export async function statusOfProxies(scenario: Scenario): Promise<void> {
  const client = `${(await podOf(scenario, NAMESPACE, "client")).metadata.name}.${NAMESPACE}`;
  await scenario.meshctl(["proxy-status", "--wait"], { quiet: true });
  const same = await scenario.meshctl(["proxy-status", client], { quiet: true });
  for (const title of ["Clusters", "Listeners", "Endpoints", "Routes", "Extensions", "Secrets"])
    must(same.stdout.includes(`${title} Match`), `the proxy does not run what it should:\n${same.stdout}`);
  const dump = join(scenario.work, "before.json");
  await writeFile(dump, (await scenario.meshctl(["pc", "all", client, "-o", "json"], { quiet: true })).stdout);

  await awaited(scenario);
  const old = await scenario.meshctl(["ps", "-f", dump, "--why"], { quiet: true, expect: 1 });
  must(old.stdout.includes("Routes Don't Match"), `a dump of before the change matches:\n${old.stdout}`);
  must(/from VirtualService shop\/awaited spec\.http\[\d\]/.test(old.stdout), `not by the rule:\n${old.stdout}`);

  await refused(scenario);
  await scenario.cluster.delete({ ...KIND, namespace: NAMESPACE, name: "awaited" });
  const gone = await scenario.meshctl(["wait", "--for=delete", "vs", `awaited.${NAMESPACE}`]);
  must(/is gone from (\d+) of \1 proxies/.test(gone.stdout), gone.stdout);
  await toldOfTheControlPlane(scenario);
}

/** Requests right behind `wait` are answered by the new rule, each time: whoever looked at pushes alone would be wrong sometimes. */
async function awaited(scenario: Scenario): Promise<void> {
  for (const path of ["/first", "/second"]) {
    await applyText(scenario, NAMESPACE, "awaited.yaml", rule(path));
    const { stdout } = await scenario.meshctl(["wait", "virtualservice", `awaited.${NAMESPACE}`]);
    must(/generation \d+ is live in (\d+) of \1 proxies/.test(stdout), stdout);
    const url = `http://cart:8000${path}`;
    const tally = await load(scenario, { namespace: NAMESPACE, app: "client" }, { url, requests: 20, concurrency: 4 });
    must(tally.status["418"] === 20, `right after wait: ${JSON.stringify(tally)}`);
  }
}

async function refused(scenario: Scenario): Promise<void> {
  await applyText(scenario, NAMESPACE, "refused.yaml", REFUSED);
  const name = `refused.${NAMESPACE}`;
  const late = await scenario.meshctl(["wait", "envoyfilter", name, "--timeout", "3s"], { expect: 1, quiet: true });
  must(/cart-\S+ +\S+ +refused listener /.test(late.stdout), `nobody is said to refuse it:\n${late.stdout}`);
  const fleet = await scenario.meshctl(["ps", "--why", "-n", NAMESPACE], { expect: 1, quiet: true });
  must(
    /cart-\S+ +LDS +\S+ +differs +.*perhaps EnvoyFilter shop\/refused spec\.configPatches\[0\]/.test(fleet.stdout),
    `not by its listener and the filter:\n${fleet.stdout}`,
  );
  must(/refused LDS: .*script load error/.test(fleet.stderr), `without Envoy's words:\n${fleet.stderr}`);
  // what was refused before is not the next generation's fault
  await applyText(scenario, NAMESPACE, "awaited.yaml", rule("/third"));
  const { stdout } = await scenario.meshctl(["wait", "vs", `awaited.${NAMESPACE}`, "--timeout", "10s"], {
    quiet: true,
  });
  must(stdout.includes("is live"), stdout);
  await scenario.cluster.delete({
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    namespace: NAMESPACE,
    name: "refused",
  });
  await scenario.meshctl(["wait", "--for=delete", "envoyfilter", name], { quiet: true });
  await scenario.meshctl(["proxy-status", "--wait"], { quiet: true });
}

async function toldOfTheControlPlane(scenario: Scenario): Promise<void> {
  const levels = await scenario.meshctl(["admin", "log", "--level", "ads:debug"], { quiet: true });
  must(/^ads .*debug +none$/m.test(levels.stdout), levels.stdout);
  const reset = await scenario.meshctl(["istiod", "log", "--reset"], { quiet: true });
  must(/^ads .*info +none$/m.test(reset.stdout), reset.stdout);
  const clusters = await scenario.meshctl(["x", "remote-clusters"], { quiet: true });
  must(/^Kubernetes +synced +istiod-/m.test(clusters.stdout), clusters.stdout);
  const inject = await scenario.meshctl(["check-inject", `deploy/cart-v1.${NAMESPACE}`], { quiet: true });
  must(/✔ +matches namespace label istio-injection=enabled/.test(inject.stdout), inject.stdout);
  await load(
    scenario,
    { namespace: NAMESPACE, app: "client" },
    { url: "http://cart:8000/", requests: 20, concurrency: 2 },
  );
  // Envoy merges its histograms every five seconds
  let served = "";
  await until(15_000, "what cart has served", async () => {
    served = (await scenario.meshctl(["metrics", `cart-v1.${NAMESPACE}`, "-d", "0s"], { quiet: true })).stdout;
    return /^cart-v1\.shop +- +- +\d+(\.\d)?ms /m.test(served);
  }).catch((error: Error) => must(false, `${error.message}: ${served}`));
}
