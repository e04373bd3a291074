import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCases } from "../../../support/traffic/case.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { runRequest } from "../../../support/traffic/run.ts";

// One mesh for all cases: a client, two servers and a gateway as real Envoys with mutual TLS, configured by meshd's own
// compiler and xDS server in this process. A case is a file below cases/: what is applied, what is asked, what is expected
// (docs/internals/traffic.md). TRAFFIC=text runs the cases whose name has it.
const cases = readCases(join(import.meta.dirname, "cases"));
let lab: Lab;

beforeAll(async () => {
  lab = await startLab(cases);
});
afterAll(() => lab?.stop());

describe.concurrent("traffic", () => {
  test.each(cases)("$name", async (item) => {
    const problems: string[] = [];
    for (const request of item.requests)
      for (const problem of await runRequest(lab, item, request)) problems.push(`${request.it}: ${problem}`);
    expect(problems).toEqual([]);
  });
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
