import { X509Certificate } from "node:crypto";
import { MeshError } from "../base/errors.ts";

/** A CA's way up to the roots, as Ca has it. */
export interface TrustPath {
  readonly intermediates: readonly string[];
  readonly roots: string;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, each with a newline at its end. */
export function splitPem(text: string): readonly string[] {
  return (text.match(PEM) ?? []).map((pem) => `${pem}\n`);
}

/** The certificates of several PEM texts, each once, in their order, whatever the line ends. */
export function mergePem(...texts: readonly string[]): string {
  const bare = (pem: string): string => pem.replaceAll(/\s/g, "");
  const seen = new Set<string>();
  return texts
    .flatMap(splitPem)
    .filter((pem) => !seen.has(bare(pem)) && seen.add(bare(pem)))
    .map((pem) => `${pem.trim()}\n`)
    .join("");
}

/**
 * Checks that the certificate may sign and leads, by what is given of the chain, to one of the roots. Throws MeshError
 * `bad-certificate` or `bad-ca`.
 */
export function trustPath(certificate: string, above: { readonly chain?: string; readonly roots?: string }): TrustPath {
  const own = read(certificate);
  if (!own.ca) throw bad("the CA certificate is not one of an authority", "give one with basicConstraints CA:TRUE");
  const given = splitPem(above.roots ?? certificate);
  const roots = given.map(read);
  if (roots.length === 0) throw bad("the roots hold no certificate", "give the root that the CA leads to");
  if (roots.some((root) => root.fingerprint256 === own.fingerprint256))
    return { intermediates: [], roots: given.join("") };
  const path = [own];
  const rest = splitPem(above.chain ?? "").map(read);
  for (let last = own; !roots.some((root) => isSignedBy(last, root)); ) {
    const next = rest.find((one) => isSignedBy(last, one) && !path.some((seen) => seen.raw.equals(one.raw)));
    if (next === undefined)
      throw bad(
        `no root and no certificate of the chain has signed "${oneLine(last.subject)}" (issuer "${oneLine(last.issuer)}")`,
        "put every certificate between the CA and the root into the chain, and the root among the roots",
      );
    path.push(next);
    last = next;
  }
  return { intermediates: path.map((one) => `${one.toString().trim()}\n`), roots: given.join("") };
}

/** Whether `by` has signed the certificate: by its name and by its key. */
export function isSignedBy(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}

function read(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new MeshError("bad-certificate", "a certificate of the CA, its chain or its roots cannot be read", {
      hint: "give each as PEM",
      cause,
    });
  }
}

function bad(words: string, hint: string): MeshError {
  return new MeshError("bad-ca", words, { hint });
}
