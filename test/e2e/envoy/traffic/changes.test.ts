import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ca, createRoot } from "../../../../src/pki/ca.ts";
import { issueAuthority } from "../../../../src/pki/issue-authority.ts";
import { revoke } from "../../../../src/pki/revocation.ts";
import { asTraffic, readChangeCases } from "../../../support/traffic/change-case.ts";
import { changeCertificates } from "../../../support/traffic/change-certificates.ts";
import { loadOf, runChanges } from "../../../support/traffic/change-run.ts";
import { exchangeAuthorities } from "../../../support/traffic/exchange.ts";
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
    const load = loadOf(lab, rotation!, 2);
    const started = performance.now();
    let next: Ca | undefined;
    try {
      await load.steady(() => true, 10);
      load.restart();
      next = await exchangeAuthorities(lab, load);
      await load.steady(() => true, 50);
      expect(load.failures).toEqual([]);
      // more than the 200 that the issue asks for on an idle machine (under-load.slow.test.ts); a crowded one is given room
      expect((load.sent() * 1000) / (performance.now() - started)).toBeGreaterThan(60);
      // the negative: who comes from the root that nobody trusts any more is refused
      await lab.proxies.client.identify({ ca: lab.plane.ca });
      await waitFor(() => load.failures.length > 0, { what: "a refused handshake" });
    } finally {
      await load.stop();
      if (next !== undefined) await lab.proxies.client.identify({ ca: next });
    }
    expect(load.sent()).toBeGreaterThan(200);
  },
);

// Envoy looks up every certificate below a root, or the peer's own alone; without a list of its authority nobody is taken.
test.skipIf(rotation === undefined)(
  "who is on a revocation list is refused at the next handshake, and served with another certificate",
  async () => {
    const { validity } = lab.plane;
    const now = new Date();
    const root = await createRoot("third", validity, { commonName: "third root" });
    const ca = await issueAuthority(root, { trustDomain: "third", commonName: "third", kind: "ecdsa", validity });
    const proxies = Object.values(lab.proxies);
    const check = async (revocations: string, leafOnly: boolean): Promise<void> => {
      for (const proxy of proxies) await proxy.identify({ roots: { pem: root.roots, revocations, leafOnly } });
    };
    for (const proxy of proxies) await proxy.identify({ roots: root.roots, ca });
    const load = loadOf(lab, rotation!);
    const served = async (): Promise<void> => {
      await load.steady(() => true, 10);
      load.restart();
    };
    const refused = async (what: string): Promise<void> => {
      load.restart();
      await waitFor(() => load.failures.length > 5, { what });
      expect(load.failures.join()).toContain("status 503");
    };
    try {
      const held = await lab.proxies.client.identify({ ca });
      await served();
      const own = await revoke(ca, "", [], now);
      await check(own, true);
      await served();
      const listed = await revoke(ca, own, [new X509Certificate(held).serialNumber], now);
      await check(listed, true);
      await refused("the revoked client to be refused");
      await lab.proxies.client.identify({ ca });
      await served();
      // the whole chain: the root needs a list too, and may revoke the authority
      await check(listed, false);
      await refused("a chain without the root's list to be refused");
      await check(await revoke(root, listed, [], now), false);
      await served();
      await check(await revoke(root, listed, [new X509Certificate(ca.certificate).serialNumber], now), false);
      await refused("certificates of a revoked authority to be refused");
    } finally {
      await load.stop();
    }
  },
);
