// `meshctl proxy-status` over 2,000 connected proxies: meshd's own server and /debug in a process of their own, the command in this
// one, without the API server between them. PROXIES=n for fewer, WIDE=1 for proxies that see all 1,000 services.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { proxyStatus } from "../src/commands/proxy-status.ts";
import type { KubeObject } from "../src/resources/object.ts";
import { fakeCluster } from "../test/support/fake-cluster.ts";
import { fakeIo } from "../test/support/fake-io.ts";
import { namespaceOf } from "./large-mesh.ts";
import { createFleet } from "./proxies/fleet.ts";
import type { Report, Wish } from "./proxies/server.ts";

const COUNT = Number(process.env["PROXIES"] ?? 2000);
const server = fork(fileURLToPath(new URL("./proxies/server.ts", import.meta.url)), [], { execArgv: process.execArgv });
const ask = (wish: Wish): Promise<Report> =>
  new Promise((resolve, reject) => {
    server.once("exit", reject);
    server.once("message", resolve);
    server.send(wish);
  });

function pod(name: string, namespace: string): KubeObject {
  const annotations = { "sidecar.istio.io/status": "{}" };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, annotations }, status: { phase: "Running" } };
}

const istiod: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod" } },
  status: { phase: "Running" },
};
const { port, roots, monitoring } = await ask({
  type: "start",
  proxies: COUNT,
  scoped: process.env["WIDE"] === undefined,
});
const fleet = createFleet({ port, roots, count: COUNT });
fleet.connect();
await fleet.settled();
const pods = Array.from({ length: COUNT }, (_, index) => pod(`web-${index}`, namespaceOf(index)));
let bytes = 0;
const cluster = {
  ...fakeCluster({ objects: [istiod, ...pods] }),
  async podHttp(_target: unknown, { path }: { readonly path: string }) {
    const answer = await fetch(`http://127.0.0.1:${monitoring}${path}`);
    const body = await answer.text();
    bytes = body.length;
    return { status: answer.status, body };
  },
};
const rows: Record<string, unknown>[] = [];
for (let turn = 0; turn < 3; turn += 1) {
  const { cpuMs } = await ask({ type: "report" });
  const spent = process.cpuUsage();
  const began = performance.now();
  const { proxies, exitCode } = await proxyStatus(
    { istioNamespace: "istio-system", output: "table", wait: false, timeoutMs: 60_000 },
    fakeIo({ cluster }),
  );
  const ms = performance.now() - began;
  const own = process.cpuUsage(spent);
  rows.push({
    proxies: proxies.length,
    "in sync": proxies.filter(({ status }) => status === "SYNCED").length,
    "exit code": exitCode,
    ms: Math.round(ms),
    "server CPU ms": Math.round((await ask({ type: "report" })).cpuMs - cpuMs),
    "command CPU ms": Math.round((own.user + own.system) / 1000),
    "MB of answer": (bytes / 1e6).toFixed(1),
  });
}
console.table(rows);
fleet.close();
server.kill();
