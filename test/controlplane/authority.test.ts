import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { ClusterError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import { openAuthority, renewedRoot, servingIdentity } from "../../src/controlplane/authority.ts";
import { createAuthority, renewServing } from "../../src/controlplane/authority-runner.ts";
import { meshConfigOf } from "../../src/model/mesh-config.ts";
import { readAuthority } from "../../src/pki/authority-secret.ts";
import { type Ca, createRoot, signWorkload } from "../../src/pki/ca.ts";
import { readCertificate } from "../../src/pki/certificate.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import { splitPem } from "../../src/pki/trust-path.ts";
import type { WatchEvent } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { intermediateCa, pluggedData } from "../support/authorities.ts";
import { waitFor } from "../support/wait.ts";

const DAY_MS = 24 * 3_600_000;
const peer = Object.fromEntries(PEER_KEYS.map((key) => [key, key])) as PeerLabels;
const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
const around = (days: number) => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + days * DAY_MS),
});
const options = { namespace: "istio-system", trustDomain: "cluster.local", log: silentLogger };

const serving = (ca: Ca) => ({ namespace: "istio-system", revision: "default", clientRoots: ca.roots });

async function leafOf(ca: Ca): Promise<X509Certificate> {
  const { csr } = await createCsr();
  return new X509Certificate(await signWorkload(ca, csr, { identity, peer }, around(1)));
}

/** Whether a certificate leads by these intermediates to one of the roots, as a peer checks it. */
function leads(leaf: X509Certificate, intermediates: readonly string[], roots: string): boolean {
  const path = [leaf, ...intermediates.map((pem) => new X509Certificate(pem))];
  const isBy = (one: X509Certificate, by: X509Certificate) => one.checkIssued(by) && one.verify(by.publicKey);
  const inside = path.slice(1).every((by, index) => isBy(path[index]!, by));
  return inside && splitPem(roots).some((pem) => isBy(path.at(-1)!, new X509Certificate(pem)));
}

/** A cluster that keeps Secrets and tells who watches. */
function secrets() {
  const stored = new Map<string, KubeObject>();
  const watchers = new Map<string, (event: WatchEvent) => void>();
  const put = (name: string, data: Readonly<Record<string, string>> | undefined): void => {
    const metadata = { name, namespace: "istio-system" };
    const object = { apiVersion: "v1", kind: "Secret", metadata, data: data ?? {} };
    if (data === undefined) stored.delete(name);
    else stored.set(name, object);
    watchers.get(name)?.({ type: data === undefined ? "DELETED" : "MODIFIED", object });
  };
  return {
    put,
    names: () => [...stored.keys()],
    get: ({ name }: { readonly name: string }) => Promise.resolve(stored.get(name)),
    create(object: KubeObject) {
      if (stored.has(object.metadata.name)) return Promise.reject(new ClusterError("already-exists", "exists"));
      stored.set(object.metadata.name, object);
      return Promise.resolve(object);
    },
    mergePatch({ name }: { readonly name: string }, patch: object) {
      put(name, (patch as { readonly data: Readonly<Record<string, string>> }).data);
      return Promise.resolve(stored.get(name)!);
    },
    watch(
      _kind: object,
      { fieldSelector = "" }: { readonly fieldSelector?: string },
      onEvent: (event: WatchEvent) => void,
      signal: AbortSignal,
    ) {
      watchers.set(fieldSelector.replace("metadata.name=", ""), onEvent);
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}

test("the CA outlives the control plane in its Secret, and two that start at once agree", async () => {
  const cluster = secrets();
  const [one, two] = await Promise.all([openAuthority(cluster, options), openAuthority(cluster, options)]);
  expect(one.ca.certificate).toBe(two.ca.certificate);
  expect((await openAuthority(cluster, options)).ca.certificate).toBe(one.ca.certificate);
  expect(cluster.names()).toEqual(["istio-ca-secret"]);
  expect(JSON.stringify(one)).not.toContain("PRIVATE");
  const shown = await servingIdentity(one.ca, serving(one.ca));
  expect(shown.clientRoots).toBe(one.ca.certificate);
  cluster.put("istio-ca-secret", { "ca-cert.pem": "eA==" });
  await expect(openAuthority(cluster, options)).rejects.toMatchObject({ code: "bad-ca" });
});

test.each(["rsa", "ecdsa"] as const)(
  "a plugged-in CA of two intermediates (%s) signs, its roots are all trusted",
  async (kind) => {
    const root = await createRoot("root", around(100));
    const other = await createRoot("other", around(100));
    const upper = await intermediateCa(root, "upper", { kind: "ecdsa", validity: around(50) });
    const both = `${other.certificate}${root.certificate}`;
    const made = await intermediateCa(upper, "mesh", { kind, validity: around(20), roots: both });
    const cluster = secrets();
    await openAuthority(cluster, options);
    cluster.put("cacerts", pluggedData(made));
    const { ca, secret } = await openAuthority(cluster, options);
    expect([secret, ca.roots, ca.intermediates.length]).toEqual(["cacerts", both, 2]);
    const leaf = await leafOf(ca);
    expect(leads(leaf, ca.intermediates, ca.roots)).toBe(true);
    expect(leads(leaf, ca.intermediates, other.certificate)).toBe(false);
    const { certificate, clientRoots } = await servingIdentity(ca, serving(ca));
    expect([splitPem(certificate).length, clientRoots]).toEqual([3, both]);
  },
);

test("a TLS Secret will do; what cannot be a CA is refused in words", async () => {
  const root = await createRoot("root", around(100));
  const made = await intermediateCa(root, "mesh", { kind: "ecdsa", validity: around(20) });
  const data = pluggedData(made);
  const tls = { "tls.crt": data["ca-cert.pem"]!, "tls.key": data["ca-key.pem"]!, "ca.crt": data["root-cert.pem"]! };
  expect((await readAuthority("cacerts", tls)).ca.intermediates).toEqual([made.certificate]);
  const stranger = await createRoot("stranger", around(100));
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const refused = (changes: object) => readAuthority("cacerts", { ...data, ...changes });
  await expect(refused({ "root-cert.pem": base64(stranger.certificate) })).rejects.toThrow("CN=mesh");
  await expect(refused({ "ca-key.pem": base64(stranger.key.pem()) })).rejects.toThrow("do not belong together");
  await expect(refused({ "root-cert.pem": undefined })).rejects.toThrow("lacks root-cert.pem");
  await expect(refused({ "root-cert.pem": base64("nothing") })).rejects.toThrow("hold no certificate");
  const { csr, key } = await createCsr();
  const leaf = await signWorkload(root, csr, { identity, peer }, around(1));
  const asCa = { "ca-cert.pem": base64(leaf), "ca-key.pem": base64(key.pem()) };
  await expect(refused(asCa)).rejects.toThrow("not one of an authority");
});

test("a root that nears its end is renewed under its key: old and new leaves verify against both", async () => {
  const cluster = secrets();
  const first = await openAuthority(cluster, options);
  expect(await renewedRoot(first, Date.now())).toBe(undefined);
  const data = await renewedRoot(first, Date.now() + 8.5 * 365 * DAY_MS);
  const { ca } = await readAuthority("istio-ca-secret", data);
  expect(ca.notAfter.getTime() - first.ca.notAfter.getTime()).toBeGreaterThan(8 * 365 * DAY_MS);
  expect(ca.certificate).not.toBe(first.ca.certificate);
  for (const leaf of [await leafOf(first.ca), await leafOf(ca)])
    for (const roots of [first.ca.roots, ca.roots]) expect(leads(leaf, [], roots)).toBe(true);
  expect(await renewedRoot({ ...first, secret: "cacerts" }, Date.now() + 9 * 365 * DAY_MS)).toBe(undefined);
});

test("what changes in the Secret is taken over and told; what cannot be read leaves the former CA", async () => {
  const cluster = secrets();
  const derivations = createDerivations();
  const ends: number[] = [];
  const state = {
    derivations,
    leading: derivations.source(true),
    trustDomains: () => ["cluster.local"] as const,
  };
  const errors: string[] = [];
  const log = { ...silentLogger, error: (_: unknown, text: string) => void errors.push(text) };
  const authority = createAuthority({
    cluster,
    state,
    namespace: "istio-system",
    moreRoots: () => "",
    now: Date.now,
    log,
    onExpiry: (at) => void ends.push(at.getTime()),
  });
  expect(authority.bundle()).toBe("");
  await authority.start();
  const own = authority.ca().certificate;
  expect(authority.bundle()).toBe(own);
  const bundles: string[] = [];
  const unfollow = derivations.effect(() => void bundles.push(authority.bundle()));
  let renewals = 0;
  const tracked = { derivations, meshConfig: () => meshConfigOf("", "istio-system") };
  const end = renewServing({ authority, state: tracked, onFault: () => undefined }, async () => void (renewals += 1));
  const root = await createRoot("root", around(100));
  const made = await intermediateCa(root, "mesh", { kind: "ecdsa", validity: around(20) });
  cluster.put("cacerts", pluggedData(made));
  await waitFor(() => authority.ca().certificate === made.certificate, { what: "the plugged-in CA" });
  expect(bundles).toEqual([own, root.certificate]);
  expect(renewals).toBe(1);
  expect(ends.at(-1)).toBe(readCertificate(made.certificate).notAfter.getTime());
  cluster.put("cacerts", { "ca-cert.pem": "eA==" });
  await waitFor(() => errors.length > 0, { what: "the error" });
  expect(authority.ca().certificate).toBe(made.certificate);
  cluster.put("cacerts", undefined);
  await waitFor(() => authority.ca().certificate === own, { what: "our own CA again" });
  unfollow();
  end();
  await authority.close();
});
