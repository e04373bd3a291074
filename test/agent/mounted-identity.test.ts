import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMountedIdentity, hasMountedIdentity } from "../../src/agent/mounted-identity.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { SdsSecret } from "../../src/grpc/sds-server.ts";
import { createRoot, issueServing } from "../../src/pki/ca.ts";
import { waitFor } from "../support/wait.ts";

test("a mounted certificate is served, taken up when it changes, and never with another's key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mounted-"));
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const [root, mesh] = [await createRoot("theirs", validity), await createRoot("ours", validity)];
  const pair = () => issueServing(root, { dns: ["a.example"] }, validity);
  const [first, second] = [await pair(), await pair()];
  put("mesh.pem", mesh.certificate);
  expect(hasMountedIdentity(folder)).toBe(false);
  put("cert-chain.pem", first.certificate);
  put("key.pem", first.key.pem());
  put("root-cert.pem", root.certificate);
  expect(hasMountedIdentity(folder)).toBe(true);
  const held = new Map<string, SdsSecret>();
  const warnings: string[] = [];
  const identity = createMountedIdentity({
    config: { rootCert: join(folder, "mesh.pem"), moreRoots: "" },
    sds: { publish: (name, secret) => void held.set(name, secret) },
    metrics: { certificate: () => undefined },
    log: { ...silentLogger, warn: (_, text) => void warnings.push(text) },
    folder,
    interval: 50,
  });
  try {
    await identity.start();
    expect(held.get("default")).toMatchObject({ chain: first.certificate });
    expect(held.get("ROOTCA")).toEqual({ kind: "roots", pem: `${root.certificate}${mesh.certificate}` });
    put("cert-chain.pem", second.certificate);
    await waitFor(() => warnings.length > 0, { what: "the words about the key" });
    expect(held.get("default")).toMatchObject({ chain: first.certificate });
    put("key.pem", second.key.pem());
    await waitFor(() => JSON.stringify(held.get("default")).includes(JSON.stringify(second.certificate)), {
      what: "the next certificate",
    });
  } finally {
    await identity.close();
    rmSync(folder, { recursive: true });
  }
});
