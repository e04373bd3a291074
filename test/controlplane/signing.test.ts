import { expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import { openAuthority, servingIdentity } from "../../src/controlplane/authority.ts";
import type { Caller } from "../../src/controlplane/caller.ts";
import { createSigner, type SigningDeps } from "../../src/controlplane/signing.ts";
import { createRoot } from "../../src/pki/ca.ts";
import { readCertificate } from "../../src/pki/certificate.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import type { KubeObject } from "../../src/resources/object.ts";

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
    authenticate: () => Promise.resolve(caller),
    peerOf: () => Promise.resolve(labels),
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

/** A cluster that keeps one Secret. */
function secrets() {
  let stored: KubeObject | undefined;
  let created = 0;
  return {
    created: () => created,
    put(object: KubeObject) {
      stored = object;
    },
    get: () => Promise.resolve(stored),
    create(object: KubeObject) {
      if (stored !== undefined) return Promise.reject(new ClusterError("already-exists", "exists"));
      created += 1;
      stored = object;
      return Promise.resolve(object);
    },
  };
}

test("the CA outlives the control plane in its Secret, and two that start at once agree", async () => {
  const cluster = secrets();
  const options = { namespace: "istio-system", trustDomain: "cluster.local", log: silentLogger };
  const [one, two] = await Promise.all([openAuthority(cluster, options), openAuthority(cluster, options)]);
  expect(one.certificate).toBe(two.certificate);
  expect((await openAuthority(cluster, options)).certificate).toBe(one.certificate);
  expect(cluster.created()).toBe(1);
  expect(JSON.stringify(one)).not.toContain("PRIVATE");
  const serving = await servingIdentity(one, "istio-system", "default");
  expect(serving.clientRoots).toBe(one.certificate);
  cluster.put({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "istio-ca-secret" },
    data: { "ca-cert.pem": "eA==" },
  });
  await expect(openAuthority(cluster, options)).rejects.toMatchObject({ code: "bad-ca" });
});
