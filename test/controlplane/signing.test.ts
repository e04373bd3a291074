import { expect, test } from "vitest";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import type { Caller } from "../../src/controlplane/caller.ts";
import { createSigner, LIFETIMES, lifetimes, type SigningDeps } from "../../src/controlplane/signing.ts";
import { createRoot } from "../../src/pki/ca.ts";
import { readCertificate } from "../../src/pki/certificate.ts";
import { createCsr } from "../../src/pki/create-csr.ts";

const labels = Object.fromEntries(PEER_KEYS.map((key) => [key, key])) as PeerLabels;
const caller: Caller = {
  identity: { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" },
  podUid: "u-1",
  podName: "web-1",
  expiresAt: undefined,
  by: "token",
};
const peer = { address: "", certificate: undefined, bearer: "t" };
const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 200 * 24 * 3_600_000) };

async function signer(changes: Partial<SigningDeps> = {}) {
  const root = await createRoot("cluster.local", validity);
  const results: string[] = [];
  const sign = createSigner({
    ca: () => root,
    roots: () => root.roots,
    authenticate: () => Promise.resolve(caller),
    peerOf: () => Promise.resolve(labels),
    lifetimes: LIFETIMES,
    now: Date.now,
    onResult: (result) => void results.push(result),
    ...changes,
  });
  return { sign, results, root };
}

test("the certificate is the caller's, for as long as asked, a day when nothing is asked", async () => {
  const { sign, results, root } = await signer();
  const { csr } = await createCsr();
  for (const [asked, hours] of [
    [0, 24],
    [3600, 1],
    [-5, 24],
    [Number.NaN, 24],
  ] as const) {
    const answer = await sign({ peer, csr, validitySeconds: asked });
    if (!("chain" in answer)) throw new Error("expected a certificate");
    expect(answer.chain).toHaveLength(2);
    expect(answer.chain[1]).toBe(root.certificate);
    const facts = readCertificate(answer.chain[0] ?? "");
    expect(facts.identity).toEqual(caller.identity);
    expect(facts.podUid).toBe("u-1");
    const left = (facts.notAfter.getTime() - Date.now()) / 3_600_000;
    expect(Math.abs(left - hours)).toBeLessThan(0.1);
  }
  expect(results).toEqual(["issued", "issued", "issued", "issued"]);
});

test("refusals: nobody, too long, unknown pod, bad request", async () => {
  const { csr } = await createCsr();
  const status = async (changes: Partial<SigningDeps>, request = { peer, csr, validitySeconds: 0 }) => {
    const { sign, results } = await signer(changes);
    const answer = await sign(request);
    return "refusal" in answer ? `${answer.refusal.status} ${results.join()}` : "signed";
  };
  expect(await status({ authenticate: () => Promise.resolve(undefined) })).toBe("UNAUTHENTICATED unauthenticated");
  expect(await status({}, { peer, csr, validitySeconds: 91 * 24 * 3600 })).toBe("INVALID_ARGUMENT refused");
  expect(await status({ peerOf: () => Promise.resolve(undefined) })).toBe("UNAVAILABLE refused");
  expect(await status({}, { peer, csr: "nonsense", validitySeconds: 0 })).toBe("INVALID_ARGUMENT bad-csr");
});

test("the lifetimes come from the environment under Istio's names", () => {
  expect(lifetimes({})).toEqual({ usual: 24 * 3600, most: 90 * 24 * 3600 });
  expect(lifetimes({ DEFAULT_WORKLOAD_CERT_TTL: "1h", MAX_WORKLOAD_CERT_TTL: "2h30m" })).toEqual({
    usual: 3600,
    most: 9000,
  });
  expect(() => lifetimes({ MAX_WORKLOAD_CERT_TTL: "long" })).toThrow("MAX_WORKLOAD_CERT_TTL");
});
