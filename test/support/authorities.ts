import { randomBytes, webcrypto } from "node:crypto";
import { type Ca, loadCa, type Validity } from "../../src/pki/ca.ts";
import { privateKey, signingKey } from "../../src/pki/private-key.ts";
import {
  BasicConstraintsExtension,
  PemConverter,
  X509Certificate,
  X509CertificateGenerator,
} from "../../src/pki/x509.ts";

const ALGORITHMS = {
  rsa: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  },
  ecdsa: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-256" },
} as const;

/** An authority of this name that another one has signed, with its way up to it; `roots` are trusted beside its own. */
export async function intermediateCa(
  by: Ca,
  name: string,
  options: { readonly kind: keyof typeof ALGORITHMS; readonly validity: Validity; readonly roots?: string },
): Promise<Ca> {
  const algorithm = ALGORITHMS[options.kind];
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const signer = await signingKey(by.key);
  const x509 = await X509CertificateGenerator.create({
    serialNumber: `4${randomBytes(8).toString("hex").slice(1)}`,
    subject: `CN=${name}`,
    issuer: new X509Certificate(by.certificate).subjectName,
    ...options.validity,
    publicKey: keys.publicKey,
    signingKey: signer,
    signingAlgorithm: { name: signer.algorithm.name, hash: "SHA-256" },
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  const roots = options.roots ?? by.roots;
  return loadCa(`${x509.toString("pem")}\n`, privateKey(key), { chain: by.intermediates.join(""), roots });
}

/** The Secret `cacerts` with this authority. */
export function pluggedData(ca: Ca): Readonly<Record<string, string>> {
  const files = {
    "ca-cert.pem": ca.certificate,
    "ca-key.pem": ca.key.pem(),
    "cert-chain.pem": ca.intermediates.join(""),
    "root-cert.pem": ca.roots,
  };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString("base64")]));
}
