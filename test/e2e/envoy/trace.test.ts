import { expect, test } from "vitest";
import { agreement, MET } from "../../support/trace/agreement.ts";

// 2,000 random requests, by HTTP, HTTPS and TLS, of a sidecar's client and of a gateway's, through real Envoys on both sides: routes, tokens
// and policies. What trace-route says of each, from the objects alone, is what happens. A longer run of the same: test/simulate/trace.slow.test.ts.
const REQUESTS = 2_000;
const SEED = Number(process.env["SIMULATE_SEED"] ?? 20_261_121);

test("what trace-route says is what happens", { timeout: 240_000 }, async () => {
  const { differences, counts, problems } = await agreement(REQUESTS, SEED);
  const told = [...counts].map(([kind, times]) => `${kind} ${times}`).toSorted();
  process.stdout.write(`${told.join("; ")}\n`);
  const first = differences.slice(0, 3).join("\n\n");
  expect(differences.length === 0 ? "" : `${differences.length} of ${REQUESTS}: ${first}`).toBe("");
  expect(problems).toEqual([]);
  for (const kind of MET) expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(5);
});
