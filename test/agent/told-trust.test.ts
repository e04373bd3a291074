import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isOutside } from "../../src/agent/told-trust.ts";
import { createTrust } from "../../src/agent/trust.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { toldTrust } from "../../src/controlplane/trust-maps.ts";
import type { SdsSecret } from "../../src/grpc/sds-server.ts";
import { type Ca, createRoot } from "../../src/pki/ca.ts";

// What the control plane tells machines to trust, in place of the files that a pod mounts.

const validity = { notBefore: new Date("2026-01-01"), notAfter: new Date("2036-01-01") };
const folder = mkdtempSync(join(tmpdir(), "told-trust-"));
const rootCert = join(folder, "root-cert.pem");
let own: Ca;
let next: Ca;
let foreign: Ca;

beforeAll(async () => {
  own = await createRoot("a.example", validity, { commonName: "own" });
  next = await createRoot("a.example", validity, { commonName: "next" });
  foreign = await createRoot("b.example", validity, { commonName: "foreign" });
  writeFileSync(rootCert, own.certificate);
});
afterAll(() => rmSync(folder, { recursive: true }));

const maps = (...data: readonly Readonly<Record<string, string>>[]) =>
  data.map((one, index) => ({ name: `map-${index}`, data: () => one }));

test("machines are asked, pods mount", () => {
  expect(isOutside({ AUTO_REGISTER_GROUP: "machines" })).toBe(true);
  expect(isOutside({ WORKLOAD_ENTRY: "one" })).toBe(true);
  expect(isOutside({ WORKLOAD_ENTRY: "", NAMESPACE: "shop" })).toBe(false);
});

test("what is told are the files of all ConfigMaps; nothing without roots", () => {
  const files = { "root-cert.pem": "roots", "signing-cert.pem": "signing" };
  expect(JSON.parse(toldTrust(maps(files, { "ca-crl.pem": "lists", scope: "leaf" })))).toEqual({
    ...files,
    "ca-crl.pem": "lists",
    scope: "leaf",
  });
  expect(toldTrust(maps({}, {}))).toBe("");
  expect(toldTrust([])).toBe("");
});

test("what was told counts in place of the file: bundles come, roots come and go, another signer brings a new certificate", async () => {
  const held = new Map<string, SdsSecret>();
  let superseded = 0;
  const trust = createTrust({
    config: { rootCert, moreRoots: "" },
    sds: { publish: (name, secret) => void held.set(name, secret) },
    onSuperseded: () => (superseded += 1),
    log: silentLogger,
  });
  expect(await trust.roots()).toBe(own.certificate);
  await trust.issued({ chain: own.certificate, root: own.certificate });
  expect(held.get("ROOTCA")).toEqual({ kind: "roots", pem: own.certificate });

  const bundles = { own: ["a.example"], federated: { "b.example": foreign.certificate } };
  const told = (roots: string, signing: string): string =>
    toldTrust(
      maps({ "root-cert.pem": roots, "signing-cert.pem": signing, "trust-bundles.json": JSON.stringify(bundles) }),
    );
  trust.told(told(own.certificate, own.certificate));
  expect(held.get("ROOTCA")).toMatchObject({
    byTrustDomain: { "a.example": own.certificate, "b.example": foreign.certificate },
  });
  expect(held.get("ROOTCA-CONTROL-PLANE")).toEqual({ kind: "roots", pem: own.certificate });
  expect(superseded).toBe(0);

  const both = own.certificate + next.certificate;
  trust.told(told(both, next.certificate));
  expect(superseded).toBe(1);
  await trust.issued({ chain: next.certificate, root: next.certificate });
  trust.told(told(next.certificate, next.certificate));
  expect(held.get("ROOTCA")).toMatchObject({ byTrustDomain: { "a.example": next.certificate } });
  expect(await trust.roots()).toBe(next.certificate);

  const before = held.get("ROOTCA");
  for (const text of ["", "no JSON", "{}", '{"root-cert.pem":"none"}']) trust.told(text);
  expect(held.get("ROOTCA")).toBe(before);
});
