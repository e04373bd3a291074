import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRoot } from "../../../../src/pki/ca.ts";
import { intermediateCa } from "../../../support/authorities.ts";
import { asTraffic, readChangeCases } from "../../../support/traffic/change-case.ts";
import { changeCertificates } from "../../../support/traffic/change-certificates.ts";
import { loadOf, runChanges } from "../../../support/traffic/change-run.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { waitFor } from "../../../support/wait.ts";

// Live edits under load: a case is a file below changes/ with the states it goes through (docs/internals/traffic.md). What an
// edit needs is there before what asks for it, what it leaves goes after: not one request fails. CHANGE=text picks cases.
const cases = readChangeCases(join(import.meta.dirname, "changes"), await changeCertificates());
const rotation = cases.find(({ name }) => name === "rotation");
let lab: Lab;

beforeAll(async () => {
  lab = await startLab(cases.flatMap((item) => item.steps.slice(0, 1).map((step) => asTraffic(item, step))));
});
afterAll(() => lab?.stop());

describe("changes under load", () => {
  const changing = cases
    .map((item, index) => ({ name: item.name, item, index }))
    .filter(({ item }) => item !== rotation);
  test.each(changing)("$name", async ({ item, index }) => {
    const { sent, failures } = await runChanges(lab, item, index);
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(50);
  });
});

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});

// The connections between proxies carry one request each (rotation.yaml): each request is a handshake with what is served then.
test.skipIf(rotation === undefined)(
  "leaf, intermediate and root are exchanged under load, one proxy after another, and no request fails",
  async () => {
    const { ca: first, validity } = lab.plane;
    const second = await createRoot("second", validity);
    const both = `${first.roots}${second.roots}`;
    const under = await intermediateCa(first, "under the first", { kind: "ecdsa", validity });
    const next = await intermediateCa(second, "under the second", { kind: "rsa", validity });
    const proxies = Object.values(lab.proxies);
    const load = loadOf(lab, rotation!, 2);
    const all = async (by: Parameters<(typeof proxies)[number]["identify"]>[0]): Promise<void> => {
      for (const proxy of proxies) {
        await proxy.identify(by);
        await load.steady(() => true, 10);
      }
    };
    try {
      await load.steady(() => true, 10);
      load.restart();
      await all({ ca: first });
      await all({ ca: under });
      await all({ roots: both });
      await all({ ca: next });
      await all({ roots: second.roots });
      await load.steady(() => true, 50);
      expect(load.failures).toEqual([]);
      // the negative: who comes from the root that nobody trusts any more is refused
      await lab.proxies.client.identify({ ca: first });
      await waitFor(() => load.failures.length > 0, { what: "a refused handshake" });
    } finally {
      await load.stop();
      await lab.proxies.client.identify({ ca: next });
    }
    expect(load.sent()).toBeGreaterThan(200);
  },
);
