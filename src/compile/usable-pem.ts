import { createPrivateKey, X509Certificate } from "node:crypto";

// Envoy refuses a secret that it cannot load, and a listener that waits for one opens for nobody: one broken Secret would
// close a port for all its hosts. So what cannot be loaded is taken for missing.

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Whether a chain can be read, and the key is that of its first certificate. */
export function isUsablePair(chain: string, key: string): boolean {
  try {
    const [first, ...others] = chain.match(CERTIFICATE) ?? [];
    if (first === undefined) return false;
    for (const other of others) new X509Certificate(other);
    return new X509Certificate(first).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** Whether each certificate of a list of roots can be read; a list without any is none. */
export function areUsableRoots(roots: string): boolean {
  try {
    const all = roots.match(CERTIFICATE) ?? [];
    for (const one of all) new X509Certificate(one);
    return all.length > 0;
  } catch {
    return false;
  }
}

const CRL = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g;
/** Tag of a DER sequence, as a revocation list begins. */
const SEQUENCE = 0x30;

/** Whether a text has revocation lists, as far as their outer form tells. */
export function areUsableLists(lists: string): boolean {
  const all = [...lists.matchAll(CRL)];
  return all.length > 0 && all.every(([, body = ""]) => Buffer.from(body, "base64")[0] === SEQUENCE);
}
