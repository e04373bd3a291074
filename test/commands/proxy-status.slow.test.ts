import { expect, test } from "vitest";
import { manyProxies } from "../support/simulated-proxies/many.ts";

/** A tenth of the benchmark's (bench/real-proxies.bench.ts), within its bound: machines that run tests are slow and busy. */
const COUNT = 200;
const BOUND_MS = 2000;

test(`proxy-status of ${COUNT} proxies that are connected to a real control plane takes less than ${BOUND_MS} ms`, async () => {
  const { cluster, close } = await manyProxies(COUNT, () => undefined);
  try {
    const took: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const began = performance.now();
      const out = await cluster.meshctl("proxy-status");
      took.push(performance.now() - began);
      expect(out.match(/^web-\d+\.ns-\d+ .*SYNCED +SYNCED +SYNCED +SYNCED$/gm)).toHaveLength(COUNT);
    }
    expect(Math.min(...took)).toBeLessThan(BOUND_MS);
  } finally {
    await close();
  }
});
