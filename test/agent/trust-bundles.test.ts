import { expect, test } from "vitest";
import { publishRoots, trustBundlesIn } from "../../src/agent/trust-bundles.ts";
import type { SdsSecret } from "../../src/grpc/sds-server.ts";
import { createRoot } from "../../src/pki/ca.ts";

const validity = { notBefore: new Date("2026-01-01"), notAfter: new Date("2036-01-01") };
const CRL = "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n";

/** What is offered for these. */
function offered(trusted: Parameters<typeof publishRoots>[1]): ReadonlyMap<string, SdsSecret> {
  const held = new Map<string, SdsSecret>();
  publishRoots({ publish: (name, secret) => void held.set(name, secret) }, trusted);
  return held;
}

test("the file of trust bundles: what the control plane writes is taken, anything else is none", () => {
  const bundles = { own: ["a.example"], federated: { "b.example": "pem" } };
  expect(trustBundlesIn(JSON.stringify(bundles))).toEqual(bundles);
  for (const text of ["", "{}", "[]", "null", '{"own":"a"}', '{"own":["a"],"federated":3}'])
    expect(trustBundlesIn(text), text).toBeUndefined();
});

test("without bundles both secrets hold the mesh's roots and its lists", () => {
  const plain = { kind: "roots", pem: "roots", revocations: CRL, leafOnly: false };
  const held = offered({ roots: "roots", bundles: undefined, revocations: CRL, leafOnly: false });
  expect(Object.fromEntries(held)).toEqual({ ROOTCA: plain, "ROOTCA-CONTROL-PLANE": plain });
});

test("with bundles each root vouches for its own trust domain, and none of them for the control plane", async () => {
  const [own, other, third] = await Promise.all(["own", "other", "third"].map((name) => createRoot(name, validity)));
  const [ours = "", theirs = "", more = ""] = [own, other, third].map((ca) => ca?.certificate ?? "");
  const bundles = { own: ["a.example", "old.example"], federated: { "b.example": theirs, "old.example": more } };
  const held = offered({ roots: ours, bundles, revocations: CRL });
  expect(held.get("ROOTCA-CONTROL-PLANE")).toEqual({ kind: "roots", pem: ours, revocations: CRL, leafOnly: false });
  expect(held.get("ROOTCA")).toEqual({
    kind: "roots",
    pem: ours,
    byTrustDomain: {
      "a.example": `${ours}${CRL}`,
      // an alias may have a root beside ours
      "old.example": `${ours}${more}${CRL}`,
      "b.example": theirs,
    },
  });
});

test("lists for leaves alone come before bundles: Envoy has no such lists by trust domain", () => {
  const bundles = { own: ["a.example"], federated: { "b.example": "pem" } };
  const held = offered({ roots: "roots", bundles, revocations: CRL, leafOnly: true });
  expect(held.get("ROOTCA")).toEqual({ kind: "roots", pem: "roots", revocations: CRL, leafOnly: true });
});
