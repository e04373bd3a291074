// From `meshctl up` to the first request over mutual TLS, and the memory of what then runs. Whole processes, real Envoys.
import { readdir, readFile } from "node:fs/promises";
import { startEmbedded } from "../scripts/demo/embedded.ts";
import { load } from "../scripts/scenario/ask.ts";
import { openScenario } from "../scripts/scenario/context.ts";
import { applyFile, createNamespace, until } from "../scripts/scenario/kubectl.ts";

const quiet = (): void => undefined;
const start = performance.now();
const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
const rows: [string, string][] = [];

const cluster = await startEmbedded({
  name: `bench-${process.pid}`,
  tied: true,
  say: quiet,
  signal: new AbortController().signal,
});
rows.push(["meshctl up ready", seconds()]);
const scenario = await openScenario(cluster.kubeconfig, quiet);
try {
  await scenario.meshctl(["install", "--set", "profile=demo", "-y"]);
  rows.push(["mesh installed", seconds()]);
  await createNamespace(scenario, "shop", { "istio-injection": "enabled" });
  await applyFile(scenario, "istio-system", "samples/shop/strict-mtls.yaml");
  await applyFile(scenario, "shop", "samples/shop/shop.yaml");
  await until(60_000, "the first 200 over mutual TLS", async () => {
    const tally = await load(
      scenario,
      { namespace: "shop", app: "client" },
      { url: "http://catalog:8000/items" },
    ).catch(() => undefined);
    return tally?.status["200"] === 1;
  });
  rows.push(["first 200 over mutual TLS (STRICT)", seconds()]);
  console.log("step                                  seconds since meshctl up");
  for (const [name, value] of rows) console.log(`${name.padEnd(38)} ${value.padStart(6)}`);
  await printMemory();
} finally {
  await scenario.close();
  await cluster.down();
}

/** Proportional set size (shared pages counted once, split among their users) by program, in MB. */
async function printMemory(): Promise<void> {
  const programs = ["local-node", "meshd.js", "mesh-agent.js", "envoy", "server.mjs"] as const;
  const sums = new Map<string, { count: number; kilobytes: number }>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    const program = programs.find((name) => words.slice(0, 4).some((word) => word.endsWith(name)));
    if (program === undefined || words[0]?.endsWith("unshare") === true || words[0] === "sh") continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    const kilobytes = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    if (kilobytes === 0) continue;
    const sum = sums.get(program) ?? { count: 0, kilobytes: 0 };
    sums.set(program, { count: sum.count + 1, kilobytes: sum.kilobytes + kilobytes });
  }
  console.log("\nprogram         count   PSS MB each     sum");
  let total = 0;
  for (const [name, { count, kilobytes }] of sums) {
    total += kilobytes;
    console.log(
      `${name.padEnd(14)} ${String(count).padStart(6)} ${(kilobytes / count / 1024).toFixed(1).padStart(13)} ${(kilobytes / 1024).toFixed(0).padStart(7)}`,
    );
  }
  console.log(`${"all".padEnd(14)} ${"".padStart(6)} ${"".padStart(13)} ${(total / 1024).toFixed(0).padStart(7)}`);
}
