import { createPublicKey, type JsonWebKeyInput } from "node:crypto";
import { createLocalJWKSet, type JSONWebKeySet, type JWK } from "jose";
import { errorText } from "../../base/errors.ts";

/** Members that only a private or secret key has. */
const PRIVATE = ["d", "k", "priv"] as const;

/** What is wrong with a JSON Web Key Set given as text, or undefined. One key alone is taken too. */
export function jwksProblem(text: string): string | undefined {
  try {
    const keys = readKeys(text);
    createLocalJWKSet({ keys: [...keys] });
    for (const [index, key] of keys.entries()) {
      const problem = keyProblem(key);
      if (problem !== undefined) return `key ${index}: ${problem}`;
    }
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/** Indexes of the keys of a set that are private or secret. */
export function privateKeys(text: string): readonly number[] {
  try {
    return readKeys(text).flatMap((key, index) => (PRIVATE.some((member) => member in key) ? [index] : []));
  } catch {
    return [];
  }
}

function readKeys(text: string): readonly JWK[] {
  const value = JSON.parse(text) as Partial<JSONWebKeySet> | null;
  const keys = value !== null && typeof value === "object" && !("keys" in value) ? [value as JWK] : value?.keys;
  if (!Array.isArray(keys)) throw new Error("keys is no list");
  const wrong = keys.findIndex((key: unknown) => typeof key !== "object" || key === null);
  if (wrong >= 0) throw new Error(`key ${wrong} is no object`);
  return keys as readonly JWK[];
}

function keyProblem(key: JWK): string | undefined {
  if (key.kty === "oct") return typeof key.k === "string" ? undefined : "k is missing";
  try {
    createPublicKey({ key: key as JsonWebKeyInput["key"], format: "jwk" });
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
