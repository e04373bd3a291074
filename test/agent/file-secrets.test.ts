import { expect, test } from "vitest";
import { createFileSecrets } from "../../src/agent/file-secrets.ts";
import { certificateFiles, readFileSecret, rootsFile } from "../../src/base/file-secrets.ts";
import type { Logger } from "../../src/base/logger.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { SdsSecret } from "../../src/grpc/sds-server.ts";
import { waitFor } from "../support/wait.ts";

function setUp(texts: Record<string, string>, log: Logger = silentLogger) {
  const published: [name: string, text: string][] = [];
  const publish = (name: string, secret: SdsSecret): void => {
    const text = secret.kind === "certificate" ? `${secret.chain} ${secret.key.pem()}` : secret.pem;
    const lists = secret.kind === "roots" && secret.revocations !== undefined ? ` less ${secret.revocations}` : "";
    published.push([name, text + lists]);
  };
  const files = {
    read(path: string): string {
      const text = texts[path];
      if (text === undefined) throw new Error(`no ${path}`);
      return text;
    },
    stamp: (path: string) => texts[path],
  };
  const secrets = createFileSecrets({ sds: { publish }, log, files, interval: 5 });
  return { published, secrets };
}

test("names of files are read as they are written", () => {
  expect(readFileSecret(certificateFiles("/c", "/k"))).toEqual({ kind: "certificate", certificate: "/c", key: "/k" });
  expect(readFileSecret(rootsFile("/r"))).toEqual({ kind: "roots", file: "/r" });
  expect(readFileSecret(rootsFile("/r", "/l"))).toEqual({ kind: "roots", file: "/r", crl: "/l" });
  for (const other of ["default", "ROOTCA", "kubernetes://x", "file-cert:/c", "file-root:"])
    expect(readFileSecret(other)).toBeUndefined();
});

test("what is asked for is read and offered; other names are not its own", () => {
  const { published, secrets } = setUp({ "/c": "chain", "/k": "key", "/r": "roots", "/l": "list" });
  secrets.wanted(["default", "file-cert:/c~/k", "file-root:/r", "file-root:/r~/l", "file-root:/r"]);
  expect(published).toEqual([
    ["file-cert:/c~/k", "chain key"],
    ["file-root:/r", "roots"],
    ["file-root:/r~/l", "roots less list"],
  ]);
});

test("a file that changes is offered anew, one that comes late when it comes; one that is broken is said once", async () => {
  const texts: Record<string, string> = { "/c": "chain", "/r": "roots" };
  const warned: unknown[] = [];
  const { published, secrets } = setUp(texts, { ...silentLogger, warn: (fields) => warned.push(fields) });
  await secrets.start();
  secrets.wanted(["file-cert:/c~/k", "file-root:/r"]);
  expect(published).toEqual([["file-root:/r", "roots"]]);
  texts["/k"] = "key";
  await waitFor(() => published.length === 2, { what: "the certificate" });
  texts["/r"] = "new roots";
  await waitFor(() => published.length === 3, { what: "the new roots" });
  expect(published.slice(1)).toEqual([
    ["file-cert:/c~/k", "chain key"],
    ["file-root:/r", "new roots"],
  ]);
  expect(warned).toEqual([{ name: "file-cert:/c~/k" }]);
  await secrets.close();
});

test("the system's roots come from its file, or from Node where there is none", () => {
  const withFile = setUp({ "/etc/ssl/cert.pem": "system" });
  withFile.secrets.wanted(["file-root:system"]);
  expect(withFile.published).toEqual([["file-root:system", "system"]]);
  const without = setUp({});
  without.secrets.wanted(["file-root:system"]);
  expect(without.published[0]?.[1]).toMatch(/BEGIN CERTIFICATE/);
});
