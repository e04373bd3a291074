// `meshctl proxy-status` as a user runs it, over 2,000 proxies that are connected to a real meshd in an embedded cluster: the built
// command line, the Kubernetes API and its port-forward between them included. Proxies are delta xDS streams. PROXIES=n for fewer, REPLICAS=n for more pods of the control plane, WIDE=1 for proxies that see
// all namespaces.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { manyProxies } from "../test/support/simulated-proxies/many.ts";

const COUNT = Number(process.env["PROXIES"] ?? 2000);
const program = fileURLToPath(new URL("../bin/meshctl.js", import.meta.url));
const REPLICAS = Number(process.env["REPLICAS"] ?? 1);
const size = { count: COUNT, replicas: REPLICAS, wide: process.env["WIDE"] !== undefined };
const { cluster, close } = await manyProxies(size, (text) => process.stderr.write(`${text}\n`));
const rows: Record<string, unknown>[] = [];
try {
  for (const args of [["proxy-status"], ["proxy-status"], ["proxy-status", "-v", "1"], ["proxy-status", "-o", "json"]])
    rows.push(await timed(args));
} finally {
  await close();
}
console.table(rows);

/** Runs a command line; how long it took, and what it said. */
async function timed(args: readonly string[]): Promise<Record<string, unknown>> {
  const began = performance.now();
  const child = spawn(process.execPath, [program, "--kubeconfig", cluster.kubeconfig, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const ms = Math.round(performance.now() - began);
  return {
    command: args.join(" "),
    ms,
    "exit code": code,
    lines: out.split("\n").length - 1,
    "not in sync": out.match(/STALE|NACK|NOT CONNECTED/g)?.length ?? 0,
  };
}
