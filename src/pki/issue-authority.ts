import { type Ca, loadCa, type Validity } from "./ca.ts";
import { generateKey, type KeyKind, signingKey } from "./private-key.ts";
import { serial, signatureOf } from "./signature.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "./x509.ts";

/** What an authority below another is called and how long it lasts, never longer than the one above. */
export interface AuthorityWish {
  readonly trustDomain: string;
  readonly commonName: string;
  readonly kind: KeyKind;
  readonly validity: Validity;
}

/** A new authority with a new key that `by` has signed; it trusts the roots of `by`. It may sign workloads, no further authorities. */
export async function issueAuthority(by: Ca, wish: AuthorityWish): Promise<Ca> {
  const { key, pair } = await generateKey(wish.kind);
  const signer = await signingKey(by.key);
  const above = new X509Certificate(by.certificate);
  const { notBefore, notAfter } = wish.validity;
  const x509 = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new Name([{ CN: [wish.commonName] }, { O: [wish.trustDomain] }]),
    issuer: above.subjectName,
    notBefore,
    notAfter: notAfter < by.notAfter ? notAfter : by.notAfter,
    publicKey: pair.publicKey,
    signingKey: signer,
    signingAlgorithm: signatureOf(signer),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(pair.publicKey),
      await AuthorityKeyIdentifierExtension.create(above.publicKey),
    ],
  });
  const chain = [...by.intermediates, by.certificate].join("");
  return loadCa(`${x509.toString("pem")}\n`, key, { chain, roots: by.roots });
}
