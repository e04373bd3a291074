import { createPublicKey, type JsonWebKey } from "node:crypto";

/**
 * Whether a JSON Web Key Set (RFC 7517) has a key that tokens can be checked by. Envoy refuses the whole listener of a provider
 * whose set has none.
 */
export function hasUsableKey(keySet: string): boolean {
  try {
    const { keys } = JSON.parse(keySet) as { readonly keys?: unknown };
    return Array.isArray(keys) && keys.some(isUsable);
  } catch {
    return false;
  }
}

function isUsable(key: unknown): boolean {
  if (key === null || typeof key !== "object") return false;
  const { kty, k } = key as JsonWebKey;
  if (kty === "oct") return typeof k === "string" && k !== "";
  try {
    createPublicKey({ key: key as JsonWebKey, format: "jwk" });
    return true;
  } catch {
    return false;
  }
}
