import { randomBytes, webcrypto } from "node:crypto";
import type { KubeObject } from "../../../src/resources/object.ts";
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from "../../../src/pki/x509.ts";

/** A certificate that a case asks for: a Secret for the gateway (`$NS-NAME`), and what clients of the case may show. */
export interface WantedCertificate {
  /** Names in it; a name with `://` is a URI. */
  readonly names?: readonly string[];
  /** The authority that signs it, by any name; one for each case. Default: `public`. */
  readonly by?: string;
  readonly key?: "ecdsa" | "rsa";
  /** The Secret has this authority's root as `ca.crt`, by which clients are verified. */
  readonly clients?: string;
  /** The Secret has the root alone, without certificate and key. */
  readonly rootOnly?: boolean;
  /** Names of the case's certificates that `clients` has revoked: the Secret has `ca.crl`. */
  readonly revoked?: readonly string[];
  /** The older format of the Secret. */
  readonly opaque?: boolean;
}

/** What a client shows, or a server serves. PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** The certificates of one case. */
export interface CaseCertificates {
  readonly secrets: readonly KubeObject[];
  pair(name: string): CertificatePair | undefined;
}

interface Made extends CertificatePair {
  readonly x509: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

type Wanted = Readonly<Record<string, WantedCertificate>>;

const HOUR = 3_600_000;
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};

/** Makes what a case asks for: its authorities, certificates and Secrets, these in `namespace` and called `PREFIX-NAME`. */
export async function caseCertificates(
  wanted: Wanted,
  { namespace, prefix }: { readonly namespace: string; readonly prefix: string },
): Promise<CaseCertificates> {
  const entries = Object.entries(wanted);
  const authorities = new Map<string, Made>();
  for (const [, { by = "public", clients }] of entries)
    for (const name of [by, clients])
      if (name !== undefined && !authorities.has(name)) authorities.set(name, await authority(name));
  const pairs = new Map<string, Made>();
  for (const [name, want] of entries)
    if (want.rootOnly !== true) pairs.set(name, await leaf(name, want, must(authorities, want.by ?? "public")));
  const secrets: KubeObject[] = [];
  for (const [name, want] of entries) {
    const data = await secretData(want, pairs.get(name), { authorities, pairs });
    secrets.push({ apiVersion: "v1", kind: "Secret", metadata: { name: `${prefix}-${name}`, namespace }, data });
  }
  return { secrets, pair: (name) => pairs.get(name) };
}

async function secretData(
  want: WantedCertificate,
  own: Made | undefined,
  has: { readonly authorities: ReadonlyMap<string, Made>; readonly pairs: ReadonlyMap<string, Made> },
): Promise<Readonly<Record<string, string>>> {
  const root = want.clients === undefined ? undefined : must(has.authorities, want.clients);
  const revoked = (want.revoked ?? []).map((name) => must(has.pairs, name));
  const crl = root === undefined || want.revoked === undefined ? undefined : await revocationList(root, revoked);
  const [certKey, keyKey, rootKey, crlKey] =
    want.opaque === true ? ["cert", "key", "cacert", "crl"] : ["tls.crt", "tls.key", "ca.crt", "ca.crl"];
  const fields = [
    [certKey, own?.cert],
    [keyKey, own?.key],
    [rootKey, root?.cert],
    [crlKey, crl],
  ] as const;
  return Object.fromEntries(
    fields.flatMap(([key, text]) => (text === undefined ? [] : [[key, Buffer.from(text).toString("base64")]])),
  );
}

async function authority(name: string): Promise<Made> {
  const keys = (await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const x509 = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    ...validity(),
    keys,
    signingAlgorithm: EC,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return { x509, keys, cert: x509.toString("pem"), key: await keyPem(keys) };
}

async function leaf(name: string, want: WantedCertificate, by: Made): Promise<Made> {
  const algorithm = want.key === "rsa" ? RSA : EC;
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const names = (want.names ?? [name]).map((value) => ({
    type: value.includes("://") ? ("url" as const) : ("dns" as const),
    value,
  }));
  const x509 = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${name}`,
    issuer: by.x509.subject,
    ...validity(),
    publicKey: keys.publicKey,
    signingKey: by.keys.privateKey,
    signingAlgorithm: EC,
    extensions: [new SubjectAlternativeNameExtension(names)],
  });
  return { x509, keys, cert: x509.toString("pem"), key: await keyPem(keys) };
}

async function revocationList(root: Made, revoked: readonly Made[]): Promise<string> {
  const crl = await X509CrlGenerator.create({
    issuer: root.x509.subject,
    thisUpdate: new Date(Date.now() - HOUR),
    nextUpdate: new Date(Date.now() + 24 * HOUR),
    entries: revoked.map(({ x509 }) => ({
      serialNumber: x509.serialNumber,
      revocationDate: new Date(),
      // without one the library writes an empty list of extensions, which BoringSSL refuses
      reason: X509CrlReason.keyCompromise,
    })),
    signingKey: root.keys.privateKey,
    signingAlgorithm: EC,
  });
  // OpenSSL's word, which the library writes without "X509"
  return PemConverter.encode(crl.rawData, "X509 CRL");
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * HOUR) };
}

/** Positive, and never shorter for a leading zero. */
function serial(): string {
  return `4${randomBytes(8).toString("hex").slice(1)}`;
}

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
}

function must<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`no certificate or authority "${name}" in the case`);
  return found;
}
