import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { load } from "../../../scripts/scenario/ask.ts";
import { must, type Scenario } from "../../../scripts/scenario/context.ts";
import { until } from "../../../scripts/scenario/kubectl.ts";
import { SHOP } from "../../../scripts/scenario/steps/shop.ts";
import { sha256, wasmModule } from "../wasm/module.ts";

const CLIENT = { namespace: SHOP, app: "client" };
const ASKED = { url: "http://catalog:8000/items", requests: 20, concurrency: 4 };
/** What the module refuses. */
const DENIED = "x-deny: 1";
const REF = { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin" } as const;

/**
 * A WebAssembly module from a server into the sidecars of a workload by their real agents: it decides there; one whose checksum is
 * another lets nothing through; without it all is as before. Pods must reach this machine's loopback.
 */
export async function wasmModuleFetched(scenario: Scenario): Promise<void> {
  const bytes = await wasmModule();
  let fetched = 0;
  const server = createServer((_, response) => {
    fetched += 1;
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const plugin = (checksum: string) => ({
    ...REF,
    metadata: { name: "stamp", namespace: SHOP },
    spec: {
      selector: { matchLabels: { app: "catalog" } },
      match: [{ mode: "SERVER" }],
      url: `http://127.0.0.1:${port}/stamp.wasm`,
      sha256: checksum,
      pluginConfig: { name: "stamp", deny: true },
    },
  });
  const answers = async (status: string, header?: string): Promise<boolean> => {
    const tally = await load(scenario, CLIENT, { ...ASKED, ...(header === undefined ? {} : { header }) });
    return tally.status[status] === tally.requests;
  };
  try {
    await scenario.cluster.apply(plugin(sha256(bytes)), { fieldManager: "test", force: true });
    await until(15_000, "the module to refuse what it is to refuse", () => answers("403", DENIED));
    must(await answers("200"), "the module refuses what it is to let through");
    must(fetched > 0, "nobody fetched the module");
    await scenario.cluster.apply(plugin("0".repeat(64)), { fieldManager: "test", force: true });
    await until(15_000, "a module with another checksum to let nothing through", () => answers("403"));
  } finally {
    await scenario.cluster.delete({ ...REF, namespace: SHOP, name: "stamp" });
    server.close();
  }
  await until(15_000, "all to be as before", () => answers("200", DENIED));
}
