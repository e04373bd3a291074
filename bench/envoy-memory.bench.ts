// What a mesh costs in a sidecar's Envoy: a real one, with mutual TLS and metrics, that sees so many services of 10 endpoints each.
// In a network namespace of its own (root), because it listens where redirected connections arrive.
import { readdirSync, readFileSync } from "node:fs";
import { statsConfig } from "../src/agent/bootstrap-stats.ts";
import { createState } from "../src/controlplane/state.ts";
import { peerOf } from "../src/model/workload.ts";
import { createRoot } from "../src/pki/ca.ts";
import { testEnvoy } from "../test/support/envoy/binary.ts";
import { startProxy } from "../test/support/envoy/mesh-pair.ts";
import { waitFor } from "../test/support/wait.ts";
import { callerIn, meshObjects, namespaceOf } from "./large-mesh.ts";

const DAY_MS = 24 * 3_600_000;
const TICKS_PER_MS = 0.1;
const binary = await testEnvoy();
const ca = await createRoot("cluster.local", {
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + DAY_MS),
});
const rows: Record<string, unknown>[] = [];
for (const services of [0, 100, 1000]) rows.push(await measure(services));
console.table(rows);

async function measure(services: number): Promise<Record<string, unknown>> {
  const state = createState({ rootNamespace: "istio-system", domain: "cluster.local", clusterId: "Kubernetes" });
  state.world.apply(meshObjects(services).map((object) => ({ type: "set", object })));
  const end = state.derivations.keep();
  const config = state.mesh.proxyConfig(callerIn(namespaceOf(0)));
  const others = envoys();
  const proxy = await startProxy(binary, {
    ca,
    peer: peerOf({ workload: "web", ns: namespaceOf(0) }),
    xds: { config, options: state.xdsOptions() },
    under: ["unshare", "--net"],
    stats: statsConfig({ proxyConfig: {}, metadata: {}, drain: { exitOnZeroConnections: false } }),
  });
  try {
    await waitFor(async () => (await proxy.admin("/listeners")).includes("virtualInbound"), {
      what: "the listeners",
      timeoutMs: 120_000,
    });
    const pid = envoys().find((one) => !others.includes(one)) ?? 0;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, , , , , , , , , , , user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ")
      .map(Number);
    const memory = JSON.parse(await proxy.admin("/memory")) as { readonly allocated: string };
    return {
      services,
      clusters: (await proxy.admin("/clusters")).match(/::default_priority::max_connections/g)?.length,
      "MB RssAnon": (Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1000).toFixed(1),
      "MB allocated": (Number(memory.allocated) / 1e6).toFixed(1),
      "CPU ms until ready": Math.round((user + system) / TICKS_PER_MS),
      refusals: proxy.refusals.length,
    };
  } finally {
    await proxy.stop();
    end();
    state.close();
  }
}

function envoys(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(`${binary}\0`);
    } catch {
      return false;
    }
  });
}
