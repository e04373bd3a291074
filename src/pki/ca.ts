import { createPrivateKey, X509Certificate as NodeCertificate, type webcrypto } from "node:crypto";
import { MeshError } from "../base/errors.ts";
import { PEER_KEYS, type PeerLabels } from "../base/peer.ts";
import { readCsr } from "./csr.ts";
import { generateKey, type KeyKind, type PrivateKey, privateKey, signingKey, withheldKey } from "./private-key.ts";
import { serial, signatureOf } from "./signature.ts";
import { type Identity, spiffeId } from "./spiffe.ts";
import { trustPath } from "./trust-path.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonNameParams,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "./x509.ts";

/** From when until when a certificate holds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate authority ready to sign. */
export interface Ca {
  /** PEM of the certificate that signs. */
  readonly certificate: string;
  readonly key: PrivateKey;
  readonly notAfter: Date;
  /** What stands between a leaf and the roots, the certificate that signs first; PEM each, none when that is a root. */
  readonly intermediates: readonly string[];
  /** PEM of all roots that are to be trusted: several while one takes the place of another. */
  readonly roots: string;
}

interface LoadedCa extends Ca {
  readonly x509: X509Certificate;
  readonly signer: webcrypto.CryptoKey;
}

/** For whom a workload certificate is. `podUid` goes into the subject so that renewal finds the pod again. */
export interface WorkloadSubject {
  readonly identity: Identity;
  readonly peer: PeerLabels;
  readonly podUid?: string;
}

/**
 * A new self-signed root, ECDSA P-256 unless told, organisation = trust domain. Of roots that are trusted side by side each should
 * have a common name of its own.
 */
export async function createRoot(
  trustDomain: string,
  validity: Validity,
  { commonName, kind = "ecdsa" }: { readonly commonName?: string; readonly kind?: KeyKind } = {},
): Promise<Ca> {
  const { key, pair } = await generateKey(kind);
  const name = commonName === undefined ? [] : [{ CN: [commonName] }];
  return selfSigned(key, pair, [...name, { O: [trustDomain] }], validity);
}

/**
 * The same root for a later time: same name, same key. What the old one signed verifies against the new one and the other way
 * round, so the two need no order in which they spread.
 */
export async function renewRoot(ca: Ca, validity: Validity): Promise<Ca> {
  const { x509, signer } = insides(ca);
  const keys = { privateKey: signer, publicKey: await publicKeyOf(x509) };
  return selfSigned(ca.key, keys, x509.subjectName.toJSON(), validity);
}

/** The library's own types need the browser's, which are not here. */
function publicKeyOf(x509: X509Certificate): Promise<webcrypto.CryptoKey> {
  return x509.publicKey.export() as unknown as Promise<webcrypto.CryptoKey>;
}

async function selfSigned(
  key: PrivateKey,
  keys: webcrypto.CryptoKeyPair,
  name: JsonNameParams,
  validity: Validity,
): Promise<Ca> {
  const x509 = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: new Name(name),
    ...validity,
    keys,
    signingAlgorithm: signatureOf(keys.privateKey),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const certificate = pem(x509);
  const trust = { intermediates: [], roots: certificate };
  return loaded({ certificate, key, notAfter: x509.notAfter, ...trust, x509, signer: keys.privateKey });
}

/** What stands above a CA that is not its own root; PEM. */
export interface Above {
  /** Certificates between it and the roots, in order; itself and roots among them are passed over. */
  readonly chain?: string;
  /** Default: the certificate itself. */
  readonly roots?: string;
}

/**
 * The authority in PEMs. Throws MeshError `bad-key`, `bad-certificate` or, when they do not belong together, do not lead up to
 * one of the roots or may not sign, `bad-ca`.
 */
export async function loadCa(certificatePem: string, key: string | PrivateKey, above: Above = {}): Promise<Ca> {
  const secret = typeof key === "string" ? privateKey(key) : key;
  const x509 = parsed(certificatePem);
  checkPair(certificatePem, secret);
  const trust = trustPath(certificatePem, above);
  const signer = await signingKey(secret);
  return loaded({ certificate: certificatePem, key: secret, notAfter: x509.notAfter, ...trust, x509, signer });
}

/**
 * An authority whose key was taken out of what was handed on: it shows what it is and cannot sign. Throws MeshError
 * `bad-certificate` or `bad-ca` as loadCa does.
 */
export function shownCa(certificatePem: string, above: Above = {}): Ca {
  const { notAfter } = parsed(certificatePem);
  return { certificate: certificatePem, key: withheldKey(), notAfter, ...trustPath(certificatePem, above) };
}

function parsed(certificatePem: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch (cause) {
    throw new MeshError("bad-certificate", "the CA certificate cannot be read", { hint: "give it as PEM", cause });
  }
}

function checkPair(certificate: string, key: PrivateKey): void {
  if (new NodeCertificate(certificate).checkPrivateKey(createPrivateKey(key.pem()))) return;
  throw new MeshError("bad-ca", "the CA certificate and its private key do not belong together", {
    hint: "check the Secret that holds the CA",
  });
}

const internals = new WeakMap<Ca, LoadedCa>();

function loaded(full: LoadedCa): Ca {
  const { certificate, key, notAfter, intermediates, roots } = full;
  const ca: Ca = { certificate, key, notAfter, intermediates, roots };
  internals.set(ca, full);
  return ca;
}

function insides(ca: Ca): LoadedCa {
  const full = internals.get(ca);
  if (full === undefined) throw new MeshError("bad-ca", "this CA was not made by createRoot or loadCa");
  return full;
}

/**
 * Signs a workload's request: only the public key is taken from it. The identity becomes the one URI SAN, which alone says who
 * it is; the peer labels become the subject (O=mesh and one OU for each PEER_KEYS, in order) for metrics of the other side.
 * Never valid beyond the CA. Throws MeshError `bad-csr` or `weak-key`.
 */
export async function signWorkload(ca: Ca, csr: string, subject: WorkloadSubject, validity: Validity): Promise<string> {
  const request = await readCsr(csr);
  const name = [
    ...(subject.podUid === undefined ? [] : [{ CN: [subject.podUid] }]),
    { O: ["mesh"] },
    ...PEER_KEYS.map((key) => ({ OU: [{ utf8String: subject.peer[key] }] })),
  ];
  const sans = new SubjectAlternativeNameExtension([{ type: "url", value: spiffeId(subject.identity) }], true);
  return sign(insides(ca), { publicKey: request.publicKey, name, validity, extensions: [sans] });
}

/** A serving certificate and its new key for DNS names and IP addresses of the control plane itself. */
export async function issueServing(
  ca: Ca,
  names: { readonly dns: readonly string[]; readonly ips?: readonly string[] },
  validity: Validity,
): Promise<{ readonly certificate: string; readonly key: PrivateKey }> {
  const { key, pair } = await generateKey();
  const sans = new SubjectAlternativeNameExtension([
    ...names.dns.map((value) => ({ type: "dns" as const, value })),
    ...(names.ips ?? []).map((value) => ({ type: "ip" as const, value })),
  ]);
  const publicKey = pair.publicKey;
  const name = [{ O: ["mesh"] }];
  const certificate = await sign(insides(ca), { publicKey, name, validity, extensions: [sans] });
  return { certificate, key };
}

/** A client certificate and its new key: common name = user, organisations = groups, as Kubernetes reads them. */
export async function issueClient(
  ca: Ca,
  user: { readonly commonName: string; readonly organizations: readonly string[] },
  validity: Validity,
): Promise<{ readonly certificate: string; readonly key: PrivateKey }> {
  const { key, pair } = await generateKey();
  const name = [...user.organizations.map((group) => ({ O: [group] })), { CN: [user.commonName] }];
  const certificate = await sign(insides(ca), { publicKey: pair.publicKey, name, validity, extensions: [] });
  return { certificate, key };
}

interface Leaf {
  readonly publicKey: PublicKey | webcrypto.CryptoKey;
  readonly name: JsonNameParams;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

async function sign(ca: LoadedCa, leaf: Leaf): Promise<string> {
  const notAfter = leaf.validity.notAfter < ca.notAfter ? leaf.validity.notAfter : ca.notAfter;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new Name(leaf.name),
    issuer: ca.x509.subjectName,
    notBefore: leaf.validity.notBefore,
    notAfter,
    publicKey: leaf.publicKey,
    signingKey: ca.signer,
    signingAlgorithm: signatureOf(ca.signer),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      await AuthorityKeyIdentifierExtension.create(ca.x509.publicKey),
      ...leaf.extensions,
    ],
  });
  return pem(certificate);
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
