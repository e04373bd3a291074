import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { createTrustBundles, rootsInBundle, trustBundlesData } from "../../src/controlplane/trust-bundles.ts";
import { ROOTS_MAP } from "../../src/controlplane/root-certs.ts";
import { trustMaps } from "../../src/controlplane/trust-maps.ts";
import { meshConfigOf } from "../../src/model/mesh-config.ts";
import { takenTrustDomains, trustBundles } from "../../src/model/trust-bundles.ts";
import { createRoot } from "../../src/pki/ca.ts";
import { recordingLogger } from "../support/controlplane/recorder.ts";

const validity = { notBefore: new Date("2026-01-01"), notAfter: new Date("2036-01-01") };
const root = async (name: string): Promise<string> => (await createRoot(name, validity)).certificate;
const configOf = (caCertificates: unknown) =>
  meshConfigOf(
    JSON.stringify({ trustDomain: "a.example", trustDomainAliases: ["old.example"], caCertificates }),
    "istio-system",
  );

test("entries of caCertificates, whatever their shape", () => {
  expect(trustBundles(configOf([{ pem: "p" }, { spiffeBundleUrl: "u", trustDomains: ["b", 3] }, null, "x"]))).toEqual([
    { trustDomains: [], pem: "p", url: "" },
    { trustDomains: ["b"], pem: "", url: "u" },
  ]);
  expect(trustBundles(configOf({ pem: "p" }))).toEqual([]);
  expect(takenTrustDomains(configOf([{ pem: "p", trustDomains: ["b", "old.example"] }]))).toEqual([
    "a.example",
    "old.example",
    "b",
  ]);
});

test("roots for everybody stand beside the mesh's own, those for a trust domain by themselves; what is no root is left out", async () => {
  const [everybody, own, other] = await Promise.all(["everybody", "own", "other"].map(root));
  const derivations = createDerivations();
  const source = derivations.source(configOf([]));
  const log = recordingLogger();
  const bundles = createTrustBundles({
    derivations,
    meshConfig: () => source.get(),
    limits: { allowed: [], blocked: [] },
    log,
  });
  expect([bundles.everywhere(), bundles.federated()]).toEqual(["", {}]);
  source.set(
    configOf([
      { pem: `${everybody}\n-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----` },
      { pem: own, trustDomains: ["a.example"] },
      { pem: other, trustDomains: ["b.example", "c.example"] },
      { spiffeBundleUrl: "http://bundles.example/", trustDomains: ["d.example"] },
    ]),
  );
  expect(bundles.everywhere()).toBe(`${everybody}${own}`);
  expect(bundles.federated()).toEqual({ "a.example": own, "b.example": other, "c.example": other, "d.example": "" });
  expect(log.lines.map(({ message }) => message)).toEqual([
    "a trust bundle is fetched by https alone; this one is not",
  ]);
  const data = trustBundlesData(source.get(), bundles.federated(), undefined);
  expect(JSON.parse(data["trust-bundles.json"] ?? "")).toEqual({
    own: ["a.example", "old.example"],
    federated: { "a.example": own, "b.example": other, "c.example": other },
  });
  // lists for leaves alone come first
  expect(trustBundlesData(source.get(), bundles.federated(), "leaf")).toEqual({});
  expect(trustBundlesData(configOf([]), {}, undefined)).toEqual({});
  bundles.close();
});

test("a SPIFFE bundle: the certificates of its X.509 authorities, not its keys for tokens", async () => {
  const pem = await root("other");
  const x5c = [new X509Certificate(pem).raw.toString("base64")];
  const text = JSON.stringify({ keys: [{ use: "jwt-svid", x5c }, { use: "x509-svid", x5c }, { use: "x509-svid" }] });
  expect(rootsInBundle(text)).toBe(pem);
  expect(rootsInBundle("")).toBe("");
});

test("after a restart agents keep the bundles that are not fetched yet, and no other", () => {
  const held = { own: ["a.example"], federated: { "b.example": "b\n", "c.example": "c\n" } };
  const map = { data: { "root-cert.pem": "own", "trust-bundles.json": JSON.stringify(held) } };
  let isComplete = false;
  const bundlesTold = (federated: Readonly<Record<string, string>>): unknown => {
    const [roots] = trustMaps({
      options: { namespace: "istio-system" },
      state: {
        world: { get: (_kind: string, _namespace: string, name: string) => (name === ROOTS_MAP ? map : undefined) },
        mesh: { model: { meshConfig: () => configOf([]) } },
      },
      authority: { bundle: () => "own", ca: () => ({ certificate: "own" }), revocations: () => undefined },
      trust: { federated: () => federated, isComplete: () => isComplete },
    } as unknown as Parameters<typeof trustMaps>[0]);
    const text = roots?.data()["trust-bundles.json"];
    return text === undefined ? undefined : (JSON.parse(text) as { federated: unknown }).federated;
  };
  // c.example is no longer asked for
  expect(bundlesTold({ "b.example": "" })).toEqual({ "b.example": "b\n" });
  expect(bundlesTold({ "b.example": "new\n" })).toEqual({ "b.example": "new\n" });
  isComplete = true;
  expect(bundlesTold({ "b.example": "" })).toBeUndefined();
  map.data["trust-bundles.json"] = "no JSON";
  isComplete = false;
  expect(bundlesTold({ "b.example": "" })).toBeUndefined();
});
