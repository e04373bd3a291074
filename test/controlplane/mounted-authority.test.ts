import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createMountedAuthority, servingFiles } from "../../src/controlplane/mounted-authority.ts";
import { createRoot, issueServing } from "../../src/pki/ca.ts";
import { waitFor } from "../support/wait.ts";

const folder = mkdtempSync(join(tmpdir(), "mounted-"));
afterAll(() => rmSync(folder, { recursive: true }));
const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };

/** Writes what an issuer keeps for the control plane; returns the PEM of certificate and root. */
async function put(parts: { readonly key?: string } = {}) {
  const root = await createRoot("other", validity);
  const { certificate, key } = await issueServing(root, { dns: ["istiod.istio-system.svc"], ips: [] }, validity);
  for (const name of ["tls", "ca"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "tls/tls.key"), parts.key ?? key.pem());
  writeFileSync(join(folder, "ca/root-cert.pem"), root.certificate);
  writeFileSync(join(folder, "tls/tls.crt"), certificate);
  return { certificate, root: root.certificate };
}

test("which files: those of the flags, else those of Istio's place; only where meshd signs nobody", async () => {
  expect(servingFiles({}, { signs: false, folder })).toBe(undefined);
  await put();
  const found = {
    certificate: join(folder, "tls/tls.crt"),
    key: join(folder, "tls/tls.key"),
    roots: join(folder, "ca/root-cert.pem"),
  };
  expect(servingFiles({}, { signs: false, folder })).toEqual(found);
  expect(servingFiles({}, { signs: true, folder })).toBe(undefined);
  const flags = { tlsCertFile: "a", tlsKeyFile: "b", caCertFile: "c" };
  expect(servingFiles(flags, { signs: false, folder })).toEqual({ certificate: "a", key: "b", roots: "c" });
  expect(() => servingFiles(flags, { signs: true })).toThrow("ENABLE_CA_SERVER=false");
  expect(() => servingFiles({ tlsCertFile: "a" }, { signs: false })).toThrow("go together");
});

test("what changes in the files is shown from then on; what does not belong together is not; nothing is signed", async () => {
  const first = await put();
  const files = servingFiles({}, { signs: false, folder });
  if (files === undefined) throw new Error("no files");
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (_: unknown, text: string) => void warnings.push(text) };
  const derivations = createDerivations();
  const authority = createMountedAuthority({ files, derivations, moreRoots: () => "", log, interval: 20 });
  const names = { namespace: "istio-system", revision: "default" };
  await authority.start();
  const bundles: string[] = [];
  const unfollow = derivations.effect(() => void bundles.push(authority.bundle()));
  expect((await authority.serving(names)).certificate).toBe(first.certificate);
  expect(authority.bundle().trim()).toBe(first.root.trim());
  expect(() => authority.ca()).toThrow("signs nothing");
  const stranger = await createRoot("stranger", validity);
  await put({ key: stranger.key.pem() });
  await waitFor(() => warnings.some((text) => text.includes("do not belong together")), { what: "the warning" });
  expect((await authority.serving(names)).certificate).toBe(first.certificate);
  const second = await put();
  await waitFor(async () => (await authority.serving(names)).certificate === second.certificate, { what: "the next" });
  expect(bundles.at(-1)?.trim()).toBe(second.root.trim());
  unfollow();
  await authority.close();
});
