import { X509Certificate } from "node:crypto";
import { PEER_KEYS } from "../base/peer.ts";
import { MeshError } from "../base/errors.ts";
import { type Identity, parseSpiffeId } from "./spiffe.ts";

/** What we read of a certificate. */
export interface CertificateFacts {
  /** From the only URI SAN; undefined when there is none, several, or one that is not ours. */
  readonly identity: Identity | undefined;
  /** Uid of the pod it was issued to (subject CN), when our CA issued it to a pod. */
  readonly podUid: string | undefined;
  /** The cluster that it was issued to (last OU of the subject), when our CA issued it to a workload. */
  readonly cluster: string | undefined;
  /** DNS names of the SAN, as written. */
  readonly dnsNames: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Hexadecimal, as `openssl x509 -serial` prints it. */
  readonly serial: string;
}

/** Reads a PEM or DER certificate. Throws MeshError `bad-certificate`. */
export function readCertificate(bytes: string | Uint8Array): CertificateFacts {
  const certificate = parse(bytes);
  const names = (certificate.subjectAltName ?? "").split(", ");
  const uris = names.filter((entry) => entry.startsWith("URI:")).map((entry) => entry.slice(4));
  const identity = uris.length === 1 && uris[0] !== undefined ? parseSpiffeId(uris[0]) : undefined;
  const podUid = /^CN=(.+)$/m.exec(certificate.subject ?? "")?.[1];
  const units = [...(certificate.subject ?? "").matchAll(/^OU=(.+)$/gm)].map(([, unit]) => unit);
  return {
    identity,
    podUid,
    cluster: units.length === PEER_KEYS.length ? units[PEER_KEYS.indexOf("cluster")] : undefined,
    dnsNames: names.filter((entry) => entry.startsWith("DNS:")).map((entry) => entry.slice(4)),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    serial: certificate.serialNumber,
  };
}

function parse(bytes: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw new MeshError("bad-certificate", "the certificate cannot be read", {
      hint: "give one certificate as PEM",
      cause,
    });
  }
}
