import { test } from "vitest";
import { expectAgreement } from "../../support/trace/agreement.ts";

// 2,000 random requests, by HTTP, HTTPS and TLS, and 300 connections of other bytes, of a sidecar's client and of a gateway's, through real
// Envoys on both sides: routes, tokens and policies. What trace-route says of each, from the objects alone, is what happens. A longer run of
// the same: test/simulate/trace.slow.test.ts.
test("what trace-route says is what happens", { timeout: 240_000 }, () =>
  expectAgreement({ requests: 2_000, connections: 300 }),
);
