/**
 * Certificates and roots in files beside a proxy: the names by which it asks its agent for them, as Istio's agent knows them
 * (`file-cert:CERTIFICATE~KEY`, `file-root:FILE`), and `file-root:FILE~CRL` for roots with a revocation list.
 */
export type FileSecret =
  | { readonly kind: "certificate"; readonly certificate: string; readonly key: string }
  | { readonly kind: "roots"; readonly file: string; readonly crl?: string };

/** In place of a file: the authorities that the machine trusts. */
export const SYSTEM_ROOTS = "system";

const CERTIFICATE = "file-cert:";
const ROOTS = "file-root:";
const BETWEEN = "~";

/** Name of a certificate and its key. */
export function certificateFiles(certificate: string, key: string): string {
  return `${CERTIFICATE}${certificate}${BETWEEN}${key}`;
}

/** Name of roots, with a revocation list where one is given. */
export function rootsFile(file: string, crl = ""): string {
  return `${ROOTS}${file}${crl === "" ? "" : `${BETWEEN}${crl}`}`;
}

/** What a name means; undefined: it is none of files. */
export function readFileSecret(name: string): FileSecret | undefined {
  if (name.startsWith(CERTIFICATE)) {
    const [certificate = "", key = ""] = name.slice(CERTIFICATE.length).split(BETWEEN);
    return certificate === "" || key === "" ? undefined : { kind: "certificate", certificate, key };
  }
  if (!name.startsWith(ROOTS)) return undefined;
  const [file = "", crl = ""] = name.slice(ROOTS.length).split(BETWEEN);
  if (file === "") return undefined;
  return crl === "" ? { kind: "roots", file } : { kind: "roots", file, crl };
}
