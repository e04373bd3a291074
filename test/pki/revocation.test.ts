import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { type Ca, createRoot, issueServing } from "../../src/pki/ca.ts";
import { issueAuthority } from "../../src/pki/issue-authority.ts";
import { signingKey } from "../../src/pki/private-key.ts";
import { PemConverter, X509CrlGenerator } from "../../src/pki/x509.ts";
import { isRevoked, readRevocationLists, revocationScope, revoke } from "../../src/pki/revocation.ts";

const DAY_MS = 24 * 3_600_000;
const now = new Date();
const days = (from: number, to: number) => ({
  notBefore: new Date(now.getTime() + from * DAY_MS),
  notAfter: new Date(now.getTime() + to * DAY_MS),
});
const wish = (commonName: string, kind: "ecdsa" | "rsa" = "ecdsa") =>
  ({ trustDomain: "cluster.local", commonName, kind, validity: days(-1, 100) }) as const;
const leaf = async (ca: Ca): Promise<string> =>
  (await issueServing(ca, { dns: ["a.example"] }, days(-1, 1))).certificate;
const serialOf = (pem: string): string => new X509Certificate(pem).serialNumber;
const scope = (ca: Ca, pem: string, at = now) => revocationScope(ca, readRevocationLists(pem), at.getTime());

test.each(["ecdsa", "rsa"] as const)(
  "what is on the list is revoked, what another (%s) authority signed is not",
  async (kind) => {
    const root = await createRoot("cluster.local", days(-1, 1000), { commonName: "root" });
    const ca = await issueAuthority(root, wish("one", kind));
    const [first, second, third] = [
      await leaf(ca),
      await leaf(ca),
      await leaf(await issueAuthority(root, wish("two"))),
    ];
    const one = await revoke(ca, "", [serialOf(first)], now);
    const both = await revoke(ca, one, [serialOf(third).toLowerCase(), serialOf(first)], now);
    const lists = readRevocationLists(both);
    expect(lists.map(({ serials }) => serials.length)).toEqual([2]);
    expect([first, second, third].map((pem) => isRevoked(lists, pem))).toEqual([true, false, false]);
    expect(isRevoked(lists, new X509Certificate(first).raw)).toBe(true);
    expect(lists[0]?.nextUpdate?.getTime()).toBe(Math.floor(ca.notAfter.getTime() / 1000) * 1000);
  },
);

test("the list is as long as the chain, or Envoys look at the workload's own certificate alone", async () => {
  const root = await createRoot("cluster.local", days(-1, 1000), { commonName: "root" });
  const ca = await issueAuthority(root, wish("one"));
  const own = await revoke(ca, "", [], now);
  expect(await scope(ca, own)).toBe("leaf");
  expect(await scope(ca, await revoke(root, own, [], now))).toBe("chain");
  expect(await scope(root, await revoke(root, "", [], now))).toBe("chain");
});

test("lists that would have everybody refused are told in words", async () => {
  const root = await createRoot("cluster.local", days(-1, 1000), { commonName: "root" });
  const ca = await issueAuthority(root, wish("one"));
  const own = await revoke(ca, "", [], now);
  await expect(scope(ca, await revoke(root, "", [], now))).rejects.toThrow("no revocation list of");
  await expect(scope(ca, own, new Date(now.getTime() + 200 * DAY_MS))).rejects.toThrow("ended on");
  await expect(scope(ca, own, new Date(now.getTime() - 2 * DAY_MS))).rejects.toThrow("begins on");
  const namesake = await issueAuthority(root, wish("one"));
  await expect(scope(ca, await revoke(namesake, "", [], now))).rejects.toThrow("not signed by it");
  expect(() => readRevocationLists("nonsense")).toThrow("holds no revocation list");
  expect(() => readRevocationLists("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----")).toThrow("cannot be read");
  expect(readRevocationLists(" \n")).toEqual([]);
  const endless = await X509CrlGenerator.create({
    issuer: "CN=endless",
    signingKey: await signingKey(root.key),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  const pem = PemConverter.encode(endless.rawData, "X509 CRL");
  expect(() => readRevocationLists(pem)).toThrow("does not say when the next one comes");
});

test("openssl reads the lists and refuses the revoked certificate by them", async () => {
  const root = await createRoot("cluster.local", days(-1, 1000), { commonName: "root" });
  const ca = await issueAuthority(root, wish("one"));
  const [good, bad] = [await leaf(ca), await leaf(ca)];
  const lists = await revoke(root, await revoke(ca, "", [serialOf(bad)], now), [], now);
  const folder = mkdtempSync(join(tmpdir(), "crl-"));
  try {
    const texts = { good, bad, trusted: root.certificate + ca.certificate + lists };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    const verify = (name: string): string => {
      const args = ["verify", "-crl_check_all", "-CAfile", join(folder, "trusted"), join(folder, name)];
      try {
        return execFileSync("openssl", args, { stdio: "pipe" }).toString();
      } catch (error) {
        return String((error as { stderr: Buffer }).stderr);
      }
    };
    expect(verify("good")).toContain("good: OK");
    expect(verify("bad")).toContain("certificate revoked");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
