import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asTraffic, readChangeCases } from "../../../support/traffic/change-case.ts";
import { changeCertificates } from "../../../support/traffic/change-certificates.ts";
import { runChanges } from "../../../support/traffic/change-run.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";

// Live edits under load: a case is a file below changes/ with the states it goes through (docs/internals/traffic.md). What an
// edit needs is there before what asks for it, what it leaves goes after: not one request fails. CHANGE=text picks cases.
const cases = readChangeCases(join(import.meta.dirname, "changes"), await changeCertificates());
let lab: Lab;

beforeAll(async () => {
  lab = await startLab(cases.flatMap((item) => item.steps.slice(0, 1).map((step) => asTraffic(item, step))));
});
afterAll(() => lab?.stop());

describe("changes under load", () => {
  test.each(cases.map((item, index) => ({ name: item.name, item, index })))("$name", async ({ item, index }) => {
    const { sent, failures } = await runChanges(lab, item, index);
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(50);
  });
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
