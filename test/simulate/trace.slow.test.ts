import { test } from "vitest";
import { expectAgreement } from "../support/trace/agreement.ts";

// test/e2e/envoy/trace.test.ts with 10,000 requests and 3,000 connections, and connections without policies for requests, which would let
// none through a gateway.
test("what trace-route says is what happens", { timeout: 900_000 }, () =>
  expectAgreement({ requests: 10_000, connections: 3_000 }),
);

test("what trace-route says of connections alone is what happens", { timeout: 900_000 }, () =>
  expectAgreement({ requests: 0, connections: 3_000 }),
);
