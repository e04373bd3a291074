// Memory of one agent at rest: the built program beside a real Envoy, configured, probed and scraped. Flags of node and NAME=VALUE as arguments.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { body, ADDRESS, ready, startPod, status } from "../test/support/agent/pod.ts";

const RUNS = 3;
const IMAGE_FLAGS = ["--lite-mode", "--max-semi-space-size=1"];
const program = fileURLToPath(new URL("../bin/mesh-agent.js", import.meta.url));
const given = process.argv.slice(2).filter((word) => word.startsWith("--") && word !== "--");
const variables = process.argv.slice(2).filter((word) => /^[A-Z_]+=/.test(word));
const env = Object.fromEntries(variables.map((word) => word.split("=", 2) as [string, string]));
const flags = given.length === 0 ? IMAGE_FLAGS : given;

const seen: { readonly private: number; readonly rss: number }[] = [];
for (let run = 0; run < RUNS; run++) seen.push(await measured());
const median = (key: "private" | "rss"): string =>
  (seen.map((one) => one[key]).toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0).toFixed(1);
console.log(
  `node ${process.version} ${[...flags, ...variables].join(" ")}: private ${median("private")} MB, RSS ${median("rss")} MB (median of ${RUNS})`,
);

async function measured(): Promise<{ readonly private: number; readonly rss: number }> {
  const open: { close(): unknown }[] = [];
  try {
    const pod = await startPod({ ttlSeconds: 3600, open, env, program: [...flags, program] });
    await ready(pod.agent);
    for (let probe = 0; probe < 30; probe++) await status(`http://${ADDRESS}:15021/healthz/ready`);
    for (let scrape = 0; scrape < 6; scrape++) await body(`http://${ADDRESS}:15020/stats/prometheus`);
    const rollup = readFileSync(`/proc/${pod.agent.process.pid}/smaps_rollup`, "utf8");
    const megabytes = (pattern: RegExp): number =>
      [...rollup.matchAll(pattern)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024;
    return { private: megabytes(/^Private_\w+: +(\d+)/gm), rss: megabytes(/^Rss: +(\d+)/gm) };
  } finally {
    for (const item of open.toReversed()) await item.close();
  }
}
