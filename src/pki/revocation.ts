import { X509Certificate as NodeCertificate } from "node:crypto";
import { MeshError } from "../base/errors.ts";
import type { Ca } from "./ca.ts";
import { signingKey } from "./private-key.ts";
import { signatureOf } from "./signature.ts";
import { splitPem } from "./trust-path.ts";
import {
  AuthorityKeyIdentifierExtension,
  Extension,
  PemConverter,
  X509Certificate,
  X509Crl,
  X509CrlGenerator,
  X509CrlReason,
} from "./x509.ts";

/** One revocation list (CRL) of one authority. */
export interface RevocationList {
  /** Subject of the authority, in the library's words. */
  readonly issuer: string;
  readonly thisUpdate: Date;
  /** When peers stop taking the list, and with it every certificate of the authority. */
  readonly nextUpdate: Date;
  /** Serial numbers, lower-case hexadecimal without leading zeros. */
  readonly serials: readonly string[];
  readonly pem: string;
}

/**
 * What Envoy is to check against the lists: the workload's own certificate alone, or every certificate of its chain, for which
 * each authority of the chain, the root too, must have a list.
 */
export type RevocationScope = "leaf" | "chain";

const CRL = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** A serial number as lists are compared by it. */
export function bareSerial(serial: string): string {
  return serial.toLowerCase().replace(/^(0x)?0*/, "");
}

/** The lists of a PEM text, in its order. Throws MeshError `bad-crl` for one that cannot be read. */
export function readRevocationLists(pem: string): readonly RevocationList[] {
  const lists = (pem.match(CRL) ?? []).map(readList);
  if (lists.length === 0 && pem.trim() !== "")
    throw bad("the text holds no revocation list", "put PEM blocks of type X509 CRL there, or take it out");
  return lists;
}

function readList(pem: string): RevocationList {
  const list = parse(pem);
  const { issuer, thisUpdate, nextUpdate, entries } = list;
  // RFC 5280 asks for it, and without it the library sees no entries.
  if (nextUpdate === undefined)
    throw bad(`the revocation list of "${issuer}" does not say when the next one comes`, "give it a nextUpdate");
  const serials = entries.map(({ serialNumber }) => bareSerial(serialNumber));
  return { issuer, thisUpdate, nextUpdate, serials, pem: `${pem.trim()}\n` };
}

function parse(pem: string): X509Crl {
  try {
    const list = new X509Crl(pem);
    // read here, so that what is wrong inside is told here
    void [list.issuer, list.thisUpdate, list.nextUpdate, list.entries.length];
    return list;
  } catch (cause) {
    throw new MeshError("bad-crl", "a revocation list cannot be read", { hint: "give each as PEM", cause });
  }
}

/**
 * How far the lists reach for this CA. Throws MeshError `bad-crl` where Envoys would refuse everybody: the CA has no list, or a
 * list of an authority on its way has ended, has not begun, or is signed by somebody else.
 */
export async function revocationScope(ca: Ca, lists: readonly RevocationList[], now: number): Promise<RevocationScope> {
  const signing = new X509Certificate(ca.certificate);
  const above = ca.intermediates.map((pem) => new X509Certificate(pem));
  const roots = splitPem(ca.roots).map((pem) => new X509Certificate(pem));
  for (const authority of [signing, ...above, ...roots])
    for (const list of lists.filter(({ issuer }) => issuer === authority.subject))
      await checkList(list, authority, now);
  const has = (name: string): boolean => lists.some(({ issuer }) => issuer === name);
  if (!has(signing.subject))
    throw bad(
      `there is no revocation list of "${signing.subject}", which signs: every certificate of it would be refused`,
      "add its list; an empty one will do",
    );
  return [...above, ...roots].every(({ issuer, subject }) => has(issuer) && has(subject)) ? "chain" : "leaf";
}

async function checkList(list: RevocationList, by: X509Certificate, now: number): Promise<void> {
  const name = `the revocation list of "${list.issuer}"`;
  const hint = "have the authority sign a new list";
  if (list.thisUpdate.getTime() > now) throw bad(`${name} begins on ${list.thisUpdate.toISOString()}`, hint);
  if (list.nextUpdate.getTime() <= now) throw bad(`${name} ended on ${list.nextUpdate.toISOString()}`, hint);
  const isBy = await new X509Crl(list.pem).verify({ publicKey: by.publicKey }).catch(() => false);
  if (!isBy) throw bad(`${name} is not signed by it`, hint);
}

/** Whether the authority has a list among these. */
export function hasList(ca: Ca, lists: readonly RevocationList[]): boolean {
  const { subject } = new X509Certificate(ca.certificate);
  return lists.some(({ issuer }) => issuer === subject);
}

/** Whether one of the lists names the certificate (PEM or DER). */
export function isRevoked(lists: readonly RevocationList[], certificate: string | Uint8Array): boolean {
  if (lists.length === 0) return false;
  const serial = bareSerial(new NodeCertificate(certificate).serialNumber);
  const naming = lists.filter(({ serials }) => serials.includes(serial));
  if (naming.length === 0) return false;
  const { issuer } = new X509Certificate(typeof certificate === "string" ? certificate : Buffer.from(certificate));
  return naming.some((list) => list.issuer === issuer);
}

/**
 * The lists with these serial numbers added to the one of `ca`, signed anew; `serials` may be empty, to begin a list. It lasts as
 * long as the CA: a list that ends has every handshake refused.
 */
export async function revoke(ca: Ca, before: string, serials: readonly string[], now: Date): Promise<string> {
  const { subject } = new X509Certificate(ca.certificate);
  const lists = readRevocationLists(before);
  const kept = lists.find(({ issuer }) => issuer === subject)?.pem;
  const old = kept === undefined ? [] : new X509Crl(kept).entries;
  const known = new Set(old.map(({ serialNumber }) => bareSerial(serialNumber)));
  const entries = [
    ...old.map(({ serialNumber, revocationDate, reason = REASON }) => ({ serialNumber, revocationDate, reason })),
    ...[...new Set(serials.map(bareSerial))]
      .filter((serial) => !known.has(serial))
      .map((serial) => ({
        serialNumber: serial.padStart(serial.length + (serial.length % 2), "0"),
        revocationDate: now,
        reason: REASON,
      })),
  ];
  const list = await signList(ca, entries, now);
  return [...lists.filter(({ issuer }) => issuer !== subject).map(({ pem }) => pem), list].join("");
}

/** Without one the library writes an empty list of extensions, and Envoy does not take the whole list of certificates. */
const REASON = X509CrlReason.privilegeWithdrawn;

/** Clocks differ. */
const SKEW_MS = 2 * 60_000;
const CRL_NUMBER = "2.5.29.20";
const INTEGER = 0x02;

async function signList(
  ca: Ca,
  entries: readonly {
    readonly serialNumber: string;
    readonly revocationDate: Date;
    readonly reason: X509CrlReason;
  }[],
  now: Date,
): Promise<string> {
  const { publicKey, subjectName } = new X509Certificate(ca.certificate);
  const key = await signingKey(ca.key);
  // Later lists have larger numbers; seven octets of milliseconds begin with a zero bit.
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(now.getTime()));
  const crl = await X509CrlGenerator.create({
    issuer: subjectName,
    thisUpdate: new Date(now.getTime() - SKEW_MS),
    nextUpdate: ca.notAfter,
    entries: [...entries],
    signingKey: key,
    signingAlgorithm: signatureOf(key),
    extensions: [
      await AuthorityKeyIdentifierExtension.create(publicKey),
      new Extension(CRL_NUMBER, false, Buffer.concat([Buffer.of(INTEGER, 7), number.subarray(1)])),
    ],
  });
  // The library's own label is not the one that OpenSSL reads.
  return `${PemConverter.encode(crl.rawData, "X509 CRL")}\n`;
}

function bad(words: string, hint: string): MeshError {
  return new MeshError("bad-crl", words, { hint });
}
