import { randomBytes, type webcrypto } from "node:crypto";

/** How a key of ours signs: SHA-256, by the algorithm it was imported or made for. */
export function signatureOf(key: webcrypto.CryptoKey): webcrypto.EcdsaParams | webcrypto.Algorithm {
  return key.algorithm.name === "ECDSA" ? { name: "ECDSA", hash: "SHA-256" } : { name: key.algorithm.name };
}

/** A positive random serial number of 127 bits, hexadecimal. */
export function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
