import { getAt } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { until } from "../../../scripts/scenario/kubectl.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

const API = "gateway.networking.k8s.io/v1";
const PORT = 8090;
const HOST = "front.example.com";

const gateway: KubeObject = {
  apiVersion: API,
  kind: "Gateway",
  metadata: { name: "front", namespace: SHOP },
  spec: { gatewayClassName: "istio", listeners: [{ name: "web", port: PORT, protocol: "HTTP", hostname: HOST }] },
};

const route: KubeObject = {
  apiVersion: API,
  kind: "HTTPRoute",
  metadata: { name: "front", namespace: SHOP },
  spec: { parentRefs: [{ name: "front" }], rules: [{ backendRefs: [{ name: "catalog", port: 8000 }] }] },
};

/**
 * A Gateway of class istio gets a pod and a Service of its own, its status tells where it is reached, it lets requests in there, and what was made
 * goes with it.
 */
export async function automatedGateway(scenario: Scenario): Promise<void> {
  const { cluster } = scenario;
  for (const object of [gateway, route]) await cluster.create(object);
  const at = { apiVersion: API, kind: "Gateway", namespace: SHOP, name: "front" };
  const service = { apiVersion: "v1", kind: "Service", namespace: SHOP, name: "front-istio" };
  const host = await until60("the Gateway to have an address", async () => {
    const { addresses } = ((await cluster.get(at))?.status ?? {}) as { addresses?: readonly { value: string }[] };
    return addresses?.[0]?.value;
  });
  const taken = (await cluster.get(service))?.metadata.annotations?.["local.meshctl.io/host-ports"] ?? "";
  const port = Number(new RegExp(String.raw`(?:^|,)${PORT}=(\d+)`).exec(taken)?.[1] ?? PORT);
  await until60("the Gateway to let requests in", async () => {
    const { status } = await getAt(host, port, "/items", { host: HOST }).catch(() => ({ status: 0 }));
    return status === 200 ? true : undefined;
  });
  const { status } = await getAt(host, port, "/items", { host: "other.example.com" });
  must(status === 404, `a host that no listener has got ${status}, expected 404`);
  scenario.say(`  http://${HOST}/items at ${host}:${port} -> 200, other hosts 404`);

  await cluster.delete({ ...at, kind: "HTTPRoute" });
  await cluster.delete(at);
  await until60("what was made for the Gateway to go with it", async () => {
    const made = [service, { ...service, apiVersion: "apps/v1", kind: "Deployment" }];
    const left = await Promise.all(made.map((target) => cluster.get(target)));
    return left.every((object) => object === undefined) ? true : undefined;
  });
}

async function until60<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  let found: T | undefined;
  await until(60_000, what, async () => {
    found = await ask();
    return found !== undefined;
  });
  return found as T;
}
