import { MeshError } from "../base/errors.ts";
import { REDACTED } from "../base/redacted.ts";
import { type Ca, loadCa, shownCa } from "./ca.ts";
import { splitPem } from "./trust-path.ts";

/** Where the CA that the mesh made for itself lives between lives of the control plane, under Istio's name. */
export const OWN_SECRET = "istio-ca-secret";
/** A CA that somebody else made for the mesh; it comes before our own. */
export const PLUGGED_SECRET = "cacerts";
/** Type of the Secret that the mesh makes for itself, as Istio's. */
export const OWN_SECRET_TYPE = "istio.io/ca-root";

/** Istio's names of the files of a CA. */
export const CA_FILES = {
  certificate: "ca-cert.pem",
  key: "ca-key.pem",
  chain: "cert-chain.pem",
  roots: "root-cert.pem",
  revocations: "ca-crl.pem",
} as const;

/** The CA, and who looks after it. */
export interface Authority {
  readonly ca: Ca;
  readonly secret: typeof OWN_SECRET | typeof PLUGGED_SECRET;
  /** PEM of revocation lists, as the Secret has them; empty: there are none. */
  readonly revocations: string;
}

/**
 * The CA in a Secret: Istio's file names, or those of a TLS Secret. `data` is base64. Throws MeshError `bad-ca` and what loadCa
 * throws.
 */
export async function readAuthority(secret: Authority["secret"], data: unknown): Promise<Authority> {
  const values = (data ?? {}) as Readonly<Record<string, string | undefined>>;
  const text = (...names: readonly string[]): string | undefined => {
    const value = names.map((name) => values[name]).find((one) => one !== undefined);
    return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
  };
  const files = {
    certificate: text(CA_FILES.certificate, "tls.crt"),
    key: text(CA_FILES.key, "tls.key"),
    chain: text(CA_FILES.chain),
    roots: text(CA_FILES.roots, "ca.crt"),
  };
  return {
    ca: await loadFiles(files, { where: `Secret ${secret}`, needsRoots: secret === PLUGGED_SECRET }),
    secret,
    revocations: text(CA_FILES.revocations) ?? "",
  };
}

/** PEM texts of a CA under the names of CA_FILES. */
export interface AuthorityFiles {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly chain: string | undefined;
  readonly roots: string | undefined;
}

/** The CA in such texts; `where` they come from stands in errors. Throws MeshError `bad-ca` and what loadCa throws. */
export async function loadFiles(
  files: AuthorityFiles,
  { where, needsRoots }: { readonly where: string; readonly needsRoots: boolean },
): Promise<Ca> {
  const { certificate, key, roots } = files;
  const lacking = certificate === undefined ? CA_FILES.certificate : key === undefined ? CA_FILES.key : CA_FILES.roots;
  if (certificate === undefined || key === undefined || (needsRoots && roots === undefined))
    throw new MeshError("bad-ca", `${where} lacks ${lacking}`, { hint: `put ${lacking} into it, or delete it` });
  // Of a TLS Secret the chain stands behind the certificate.
  const chain = `${certificate}\n${files.chain ?? ""}`;
  const [own = certificate] = splitPem(certificate);
  const above = { chain, ...(roots === undefined ? {} : { roots }) };
  return key === REDACTED ? shownCa(own, above) : loadCa(own, key, above);
}

/** What a Secret holds for this CA, base64. `roots`: what is to be trusted in place of the CA's own. */
export function authorityData(ca: Ca, roots = ca.roots): Readonly<Record<string, string>> {
  return encoded({
    [CA_FILES.certificate]: ca.certificate,
    [CA_FILES.key]: ca.key.pem(),
    [CA_FILES.chain]: ca.intermediates.join(""),
    [CA_FILES.roots]: roots,
  });
}

/** Texts in base64, as the data of a Secret. */
export function encoded(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString("base64")]));
}
