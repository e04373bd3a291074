import { createPrivateKey, type KeyObject, webcrypto } from "node:crypto";
import { inspect } from "node:util";
import { MeshError } from "../base/errors.ts";
import { REDACTED } from "../base/redacted.ts";

/** A key pair's secret half. Prints as `[redacted]` however it is logged; only `pem()` gives it away. */
export interface PrivateKey {
  /** PKCS 8 PEM. */
  pem(): string;
  toString(): string;
  toJSON(): string;
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;
type CryptoKey = webcrypto.CryptoKey;

const KINDS = {
  ecdsa: { name: "ECDSA", namedCurve: "P-256" },
  rsa: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 3072,
  },
} as const;

/** Wraps a PEM of any private key form that OpenSSL reads (PKCS 1, PKCS 8, SEC 1). Throws MeshError `bad-key`. */
export function privateKey(pem: string | Uint8Array): PrivateKey {
  const key = keyObject(typeof pem === "string" ? pem : Buffer.from(pem).toString("utf8"));
  return redacted(key.export({ type: "pkcs8", format: "pem" }).toString());
}

function redacted(pem: string): PrivateKey {
  const key = { pem: () => pem, toString: () => REDACTED, toJSON: () => REDACTED };
  Object.defineProperty(key, inspect.custom, { value: () => REDACTED });
  return key;
}

/** The key of a pair whose secret half was taken out of what was handed on. Whoever asks for it gets MeshError `withheld-key`. */
export function withheldKey(): PrivateKey {
  const pem = (): never => {
    throw new MeshError("withheld-key", "the private key was taken out of the bug report");
  };
  return { pem, toString: () => REDACTED, toJSON: () => REDACTED };
}

function keyObject(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new MeshError("bad-key", "the private key cannot be read", { hint: "give an RSA or EC key as PEM", cause });
  }
}

/** Keys that we make. */
export type KeyKind = "ecdsa" | "rsa";

/** A new key pair: ECDSA P-256, which is as strong as RSA 3072 and a hundred times faster to make, or that one. */
export async function generateKey(
  kind: KeyKind = "ecdsa",
): Promise<{ readonly key: PrivateKey; readonly pair: CryptoKeyPair }> {
  const pair = (await webcrypto.subtle.generateKey(KINDS[kind], true, ["sign", "verify"])) as CryptoKeyPair;
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey));
  const body = der.toString("base64").replace(/.{64}/g, "$&\n");
  return { key: redacted(`-----BEGIN PRIVATE KEY-----\n${body.trimEnd()}\n-----END PRIVATE KEY-----\n`), pair };
}

/** The key as WebCrypto signs with it: ECDSA with SHA-256, or RSASSA-PKCS1-v1_5 with SHA-256. */
export async function signingKey(key: PrivateKey): Promise<CryptoKey> {
  const object = keyObject(key.pem());
  const algorithm = signingAlgorithm(object);
  return webcrypto.subtle.importKey("pkcs8", object.export({ type: "pkcs8", format: "der" }), algorithm, true, [
    "sign",
  ]);
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

function signingAlgorithm(key: KeyObject): webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams {
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "ec" && curve !== undefined) return { name: "ECDSA", namedCurve: curve };
  throw new MeshError("bad-key", `a key of type ${key.asymmetricKeyType ?? "unknown"} cannot sign certificates here`, {
    hint: "use RSA 2048 or more, or ECDSA on P-256 or P-384",
  });
}
