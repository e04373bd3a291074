import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import { createRoot, issueServing, loadCa, signWorkload } from "../../src/pki/ca.ts";
import { readCertificate } from "../../src/pki/certificate.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import { privateKey } from "../../src/pki/private-key.ts";
import { parseSpiffeId, spiffeId } from "../../src/pki/spiffe.ts";

const now = new Date("2026-11-21T00:00:00Z");
const years = (count: number): Date => new Date(now.getTime() + count * 365 * 24 * 3600 * 1000);
const validity = { notBefore: now, notAfter: new Date(now.getTime() + 24 * 3600 * 1000) };
const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
const peer = Object.fromEntries(PEER_KEYS.map((key) => [key, `${key}-value`])) as PeerLabels;
const dir = mkdtempSync(join(tmpdir(), "pki-"));

function openssl(args: readonly string[], input?: string): string {
  return execFileSync("openssl", args, { input: input ?? "", encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

test("our requests are what openssl takes: its own signature, an empty subject, no attributes", async () => {
  const { csr } = await createCsr();
  const text = openssl(["req", "-noout", "-text", "-verify"], csr);
  expect(text).toMatch(/Subject: *\n/);
  expect(text).toContain("ASN1 OID: prime256v1");
  expect(text).toMatch(/Attributes:\s*\(none\)/);
});

test("a workload certificate holds what Envoy reads, and openssl verifies it", async () => {
  const root = await createRoot("cluster.local", { notBefore: now, notAfter: years(10) });
  const { csr, key } = await createCsr();
  const leaf = await signWorkload(root, csr, { identity, peer, podUid: "uid-1" }, validity);
  const certificate = new X509Certificate(leaf);
  expect(certificate.subject.split("\n")).toEqual([
    "CN=uid-1",
    "O=mesh",
    ...PEER_KEYS.map((name) => `OU=${name}-value`),
  ]);
  expect(certificate.subjectAltName).toBe("URI:spiffe://cluster.local/ns/shop/sa/web");
  expect(certificate.checkPrivateKey(createPrivateKey(key.pem()))).toBe(true);

  writeFileSync(join(dir, "root.pem"), root.certificate);
  writeFileSync(join(dir, "leaf.pem"), leaf);
  const at = String(now.getTime() / 1000 + 60);
  const purpose = ["verify", "-x509_strict", "-attime", at, "-CAfile", join(dir, "root.pem"), "-purpose"];
  expect(openssl([...purpose, "sslclient", join(dir, "leaf.pem")])).toContain("OK");
  expect(openssl([...purpose, "sslserver", join(dir, "leaf.pem")])).toContain("OK");
  const text = openssl(["x509", "-noout", "-text", "-nameopt", "RFC2253", "-in", join(dir, "leaf.pem")]);
  expect(text).toMatch(/Subject Alternative Name: critical\s+URI:spiffe:/);
  // The order in which Envoy's recipe splits the subject: last OU first.
  expect(text).toContain(
    "Subject: OU=cluster-value,OU=version-value,OU=app-value,OU=revision-value,OU=canonical-value",
  );

  const facts = readCertificate(leaf);
  expect(facts.identity).toEqual(identity);
  expect(facts.podUid).toBe("uid-1");
  expect(facts.notAfter).toEqual(validity.notAfter);
});

test("a leaf never outlives its CA", async () => {
  const notAfter = new Date(now.getTime() + 3600 * 1000);
  const root = await createRoot("cluster.local", { notBefore: now, notAfter });
  const { csr } = await createCsr();
  const leaf = await signWorkload(root, csr, { identity, peer }, validity);
  expect(readCertificate(leaf).notAfter).toEqual(notAfter);
  expect(readCertificate(leaf).podUid).toBeUndefined();
});

test("RSA requests, as Istio's agents send them, are signed by an RSA CA read from its Secret", async () => {
  openssl([
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/O=cluster.local",
    "-days",
    "9999",
    "-keyout",
    join(dir, "ca.key"),
    "-out",
    join(dir, "ca.pem"),
    "-addext",
    "basicConstraints=critical,CA:TRUE",
  ]);
  const traditional = openssl(["rsa", "-traditional", "-in", join(dir, "ca.key")]);
  expect(traditional).toContain("BEGIN RSA PRIVATE KEY");
  const ca = await loadCa(openssl(["x509", "-in", join(dir, "ca.pem")]), traditional);
  openssl([
    "req",
    "-new",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/",
    "-keyout",
    join(dir, "w.key"),
    "-out",
    join(dir, "w.csr"),
  ]);
  const today = new Date();
  const leaf = await signWorkload(
    ca,
    openssl(["req", "-in", join(dir, "w.csr")]),
    { identity, peer },
    {
      notBefore: new Date(today.getTime() - 60_000),
      notAfter: new Date(today.getTime() + 3600_000),
    },
  );
  writeFileSync(join(dir, "w.pem"), leaf);
  expect(openssl(["verify", "-CAfile", join(dir, "ca.pem"), join(dir, "w.pem")])).toContain("OK");
});

test("serving certificates name hosts and addresses", async () => {
  const root = await createRoot("cluster.local", { notBefore: now, notAfter: years(10) });
  const { certificate, key } = await issueServing(
    root,
    { dns: ["istiod.istio-system.svc"], ips: ["127.0.0.1"] },
    validity,
  );
  const read = new X509Certificate(certificate);
  expect(read.checkHost("istiod.istio-system.svc")).toBeDefined();
  expect(read.checkHost("other")).toBeUndefined();
  expect(read.checkIP("127.0.0.1")).toBeDefined();
  expect(read.checkPrivateKey(createPrivateKey(key.pem()))).toBe(true);
  expect(read.checkIssued(new X509Certificate(root.certificate))).toBe(true);
});

test("bad requests are refused with a reason", async () => {
  const root = await createRoot("cluster.local", { notBefore: now, notAfter: years(10) });
  const sign = (csr: string) => signWorkload(root, csr, { identity, peer }, validity);
  await expect(sign("")).rejects.toMatchObject({ code: "bad-csr" });
  await expect(
    sign("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"),
  ).rejects.toMatchObject({ code: "bad-csr" });
  await expect(sign("x".repeat(1 << 20))).rejects.toMatchObject({ code: "bad-csr" });
  await expect(sign(root.certificate)).rejects.toMatchObject({ code: "bad-csr" });

  const { csr } = await createCsr();
  const der = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ""), "base64");
  der[der.length - 4]! ^= 1;
  await expect(
    sign(`-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----`),
  ).rejects.toMatchObject({ code: "bad-csr" });

  openssl([
    "req",
    "-new",
    "-newkey",
    "rsa:1024",
    "-nodes",
    "-subj",
    "/",
    "-keyout",
    join(dir, "k"),
    "-out",
    join(dir, "weak.csr"),
  ]);
  await expect(sign(openssl(["req", "-in", join(dir, "weak.csr")]))).rejects.toMatchObject({ code: "weak-key" });
  openssl([
    "req",
    "-new",
    "-newkey",
    "ed25519",
    "-nodes",
    "-subj",
    "/",
    "-keyout",
    join(dir, "k"),
    "-out",
    join(dir, "ed.csr"),
  ]);
  await expect(sign(openssl(["req", "-in", join(dir, "ed.csr")]))).rejects.toMatchObject({ code: "weak-key" });
});

test("a CA whose halves do not belong together is refused", async () => {
  const one = await createRoot("cluster.local", { notBefore: now, notAfter: years(10) });
  const two = await createRoot("cluster.local", { notBefore: now, notAfter: years(10) });
  await expect(loadCa(one.certificate, two.key)).rejects.toMatchObject({ code: "bad-ca" });
  await expect(loadCa("nonsense", one.key)).rejects.toMatchObject({ code: "bad-certificate" });
  await expect(loadCa(one.certificate, "nonsense")).rejects.toMatchObject({ code: "bad-key" });
  expect((await loadCa(one.certificate, one.key.pem())).notAfter).toEqual(years(10));
});

test("private keys do not print", () => {
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
  const key = privateKey(pem.toString());
  for (const text of [String(key), JSON.stringify({ key }), inspect({ deep: { key } })]) {
    expect(text).toContain("[redacted]");
    expect(text).not.toContain("PRIVATE");
  }
});

test("SPIFFE ids round-trip, and other forms are no identity", () => {
  expect(parseSpiffeId(spiffeId(identity))).toEqual(identity);
  for (const uri of [
    "",
    "spiffe://",
    "spiffe://td/ns/a",
    "https://td/ns/a/sa/b",
    "spiffe://td/ns/a/sa/b/c",
    "spiffe://td/ns/a b/sa/c",
    "spiffe://td/ns/a/sa/b\n",
  ])
    expect(parseSpiffeId(uri)).toBeUndefined();
});
