import { X509Certificate } from "node:crypto";

/** What checks read of a certificate. */
export interface ReadCertificate {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly dnsNames: readonly string[];
  /** Size of an RSA key; undefined for others. */
  readonly rsaBits: number | undefined;
  /** `sha256WithRSAEncryption` */
  readonly x509: X509Certificate;
}

/** Text of a base64 value, as Secrets and webhooks hold it. */
export function decoded(value: string | undefined): string {
  return Buffer.from(value ?? "", "base64").toString("utf8");
}

/** The certificates in a text, without line ends that differ. */
export function pemBlocks(text: string): readonly string[] {
  return (text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((block) =>
    block.replaceAll(/\s*\n\s*/g, "\n"),
  );
}

/** Certificates of a PEM text; undefined when there is none or one cannot be read. */
export function readPem(text: string | undefined): readonly ReadCertificate[] | undefined {
  const blocks = text?.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return undefined;
  try {
    return blocks.map(readOne);
  } catch {
    return undefined;
  }
}

function readOne(block: string): ReadCertificate {
  const x509 = new X509Certificate(block);
  const names = (x509.subjectAltName ?? "").split(", ");
  return {
    notBefore: new Date(x509.validFrom),
    notAfter: new Date(x509.validTo),
    subject: x509.subject ?? "",
    issuer: x509.issuer ?? "",
    serial: x509.serialNumber.toLowerCase(),
    dnsNames: names.filter((name) => name.startsWith("DNS:")).map((name) => name.slice(4)),
    rsaBits: x509.publicKey.asymmetricKeyDetails?.modulusLength,
    x509,
  };
}
