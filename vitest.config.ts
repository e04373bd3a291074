import { defineConfig } from "vitest/config";

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
          exclude: ["test/**/*.slow.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "apiserver",
          include: ["test/e2e/apiserver/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // each file has its own API server, and waits for it half of the time; a group of its own, as vitest asks for another number
          maxWorkers: 2,
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
