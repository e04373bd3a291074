import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readCertificate } from "../pki/certificate.ts";
import { type PrivateKey, privateKey } from "../pki/private-key.ts";
import type { Validity } from "./identity-state.ts";

/** A certificate chain with its key. */
export interface Issued {
  readonly chain: string;
  readonly key: PrivateKey;
}

const FILES = { chain: "cert-chain.pem", key: "key.pem", roots: "root-cert.pem" } as const;

/**
 * OUTPUT_CERTS: writes chain, key and roots under Istio's names, each whole or not at all, for the next life of an agent whose
 * token will be over by then. Does nothing without a folder.
 */
export async function keepCertificate(folder: string | undefined, issued: Issued, roots: string): Promise<void> {
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  const texts: readonly (readonly [string, string])[] = [
    [FILES.chain, issued.chain],
    [FILES.key, issued.key.pem()],
    [FILES.roots, roots],
  ];
  for (const [name, text] of texts) {
    const path = join(folder, name);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

/** PROV_CERT: what an earlier life kept; undefined when there is nothing that can be read. */
export async function earlierCertificate(
  folder: string | undefined,
): Promise<{ readonly issued: Issued; readonly validity: Validity } | undefined> {
  if (folder === undefined) return undefined;
  try {
    const [chain, key] = await Promise.all([
      readFile(join(folder, FILES.chain), "utf8"),
      readFile(join(folder, FILES.key), "utf8"),
    ]);
    const { notBefore, notAfter } = readCertificate(chain);
    const validity = { notBefore: notBefore.getTime(), notAfter: notAfter.getTime() };
    return { issued: { chain, key: privateKey(key) }, validity };
  } catch {
    return undefined;
  }
}
