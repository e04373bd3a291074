import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../../../src/resources/object.ts";
import { asTraffic, type ChangeCase, readChangeCases } from "../../../support/traffic/change-case.ts";
import { changeCertificates } from "../../../support/traffic/change-certificates.ts";
import { loadOf } from "../../../support/traffic/change-run.ts";
import { exchangeAuthorities } from "../../../support/traffic/exchange.ts";
import { type Lab, startLab } from "../../../support/traffic/lab.ts";
import { type Load, startLoad } from "../../../support/traffic/load.ts";

// STRICT, and the exchange of all certificates (a handshake between the proxies for each request), under 200 requests a second and
// more. The same with fewer requests, for machines that are busy, is in mtls-changes.test.ts and changes.test.ts.

const RATE = 200;
const cases = readChangeCases(join(import.meta.dirname, "changes"), await changeCertificates());
const rotation = cases.find(({ name }) => name === "rotation")!;
const strict: ChangeCase = {
  name: "strict",
  namespace: "strict",
  load: { path: "/" },
  steps: [
    {
      it: "goes on",
      objects: [
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "echo" },
          spec: { selector: { app: "echo", version: "v1" } },
        } as KubeObject,
      ],
    },
  ],
};
let lab: Lab;

beforeAll(async () => {
  lab = await startLab([rotation, strict].map((item) => asTraffic(item, item.steps[0]!)));
}, 60_000);
afterAll(() => lab?.stop(), 60_000);

function take(mode: "STRICT" | "PERMISSIVE"): void {
  const object = {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace: "servers" },
    spec: { mtls: { mode } },
  } as KubeObject;
  lab.plane.state.world.apply([{ type: "set", object }]);
}

/** What went through while `work` was done. */
async function during(
  load: Load,
  work: () => Promise<void>,
): Promise<{ readonly sent: number; readonly failed: number; readonly rate: number }> {
  const [sent, failed, began] = [load.sent(), load.failures.length, performance.now()];
  await work();
  const more = load.sent() - sent;
  return { sent: more, failed: load.failures.length - failed, rate: (more * 1_000) / (performance.now() - began) };
}

test("STRICT switched on under load: exactly the plaintext requests fail", async () => {
  const mesh = loadOf(lab, strict, 4);
  const target = { host: `${lab.places.v1}.0.1`, port: 8080, authority: "echo" };
  const plain = startLoad({ target, path: "/", secure: false, times: 1 });
  try {
    for (const load of [mesh, plain]) {
      await load.steady(() => true, 20);
      load.restart();
    }
    for (let turn = 0; turn < 3; turn += 1) {
      const both = await during(mesh, () => plain.steady(() => true, 300));
      expect(plain.failures).toEqual([]);
      take("STRICT");
      await plain.failing(20);
      plain.restart();
      let refused = { sent: 0, failed: 0, rate: 0 };
      const refusing = await during(mesh, async () => {
        refused = await during(plain, () => plain.failing(300));
      });
      // those on their way at either end may be counted in one and not in the other
      expect(refused.failed).toBeGreaterThanOrEqual(refused.sent - 4);
      expect(refused.failed).toBeGreaterThanOrEqual(300);
      take("PERMISSIVE");
      await plain.steady(() => true, 20);
      plain.restart();
      process.stdout.write(
        `mesh ${both.rate.toFixed(0)}/s, then ${refusing.rate.toFixed(0)}/s with STRICT; plain refused ${refused.failed}\n`,
      );
      expect(Math.min(both.rate, refusing.rate)).toBeGreaterThan(RATE);
    }
    expect(mesh.failures).toEqual([]);
  } finally {
    await mesh.stop();
    await plain.stop();
  }
}, 120_000);

test("leaf, intermediate and root are exchanged, one proxy after another, and no request fails", async () => {
  const load = loadOf(lab, rotation, 4);
  try {
    await load.steady(() => true, 10);
    load.restart();
    const { sent, failed, rate } = await during(load, async () => {
      await exchangeAuthorities(lab, load);
      await load.steady(() => true, 500);
    });
    process.stdout.write(`rotation: ${sent} requests, ${rate.toFixed(0)}/s, ${failed} failed\n`);
    expect(load.failures).toEqual([]);
    expect(rate).toBeGreaterThan(RATE);
  } finally {
    await load.stop();
  }
}, 120_000);

test("no proxy refused anything", () => {
  expect(lab.plane.problems).toEqual([]);
});
