import { defineConfig } from "vitest/config";

/** Files with bounds on time or rate: each has the machine for itself. */
const ENVOY_ALONE = [
  // a hundred connections of garbage at each port within four seconds
  "test/e2e/envoy/agent.test.ts",
  // a drained pod gets nothing after one second
  "test/e2e/envoy/drain.test.ts",
  // a replica may lose so many requests as come within its interval
  "test/e2e/envoy/rate-limits.test.ts",
  // at least 60 requests a second while the mesh changes
  "test/e2e/envoy/traffic/changes.test.ts",
  // hundreds of requests within the moment that a change takes
  "test/e2e/envoy/traffic/mtls-changes.test.ts",
  // bytes are told within the interval that was asked for
  "test/e2e/envoy/traffic/streams.test.ts",
  // answers within 250 ms where nothing delays them
  "test/e2e/envoy/traffic/traffic.test.ts",
];

/** Tiers by what they need: unit (nothing), scenarios (the built CLI), envoy, apiserver, node (real parts). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/scenarios/**", "test/**/*.slow.test.ts"],
          testTimeout: 20_000,
          // a process for each file, with all modules read anew, was two thirds of this tier's time; what a test changes it puts back
          isolate: false,
          // vitest leaves one processor of two to others
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      // only `npm run test:full`: long random runs of what the unit tier runs shortly
      { test: { name: "slow", include: ["test/**/*.slow.test.ts"], testTimeout: 1_800_000 } },
      { test: { name: "scenarios", include: ["test/scenarios/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "envoy",
          include: ["test/e2e/envoy/**/*.test.ts"],
          exclude: ["test/**/*.slow.test.ts", ...ENVOY_ALONE],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // one alone leaves the processors idle half of the time; ports and addresses are of the worker's lane (test/support/envoy/free-ports.ts)
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "envoy-alone",
          include: ENVOY_ALONE,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "apiserver",
          include: ["test/e2e/apiserver/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // each file has its own API server, and waits for it half of the time; a group of its own, as vitest asks for another number
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "local",
          include: ["test/e2e/local/**/*.test.ts"],
          exclude: ["test/**/*.slow.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      // only `npm run test:full`: the public conformance suite of Gateway API
      {
        test: {
          name: "conformance",
          include: ["test/e2e/conformance/**/*.test.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "node",
          include: ["test/e2e/node/**/*.test.ts"],
          exclude: ["test/**/*.slow.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
