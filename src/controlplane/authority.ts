import { ClusterError, MeshError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ServerIdentity } from "../grpc/mixed-credentials.ts";
import { revisionSuffix } from "../base/revision.ts";
import { type Ca, createRoot, issueServing, loadCa, renewRoot, type Validity } from "../pki/ca.ts";
import { readCertificate } from "../pki/certificate.ts";
import { splitPem } from "../pki/trust-path.ts";
import type { Cluster } from "../resources/cluster.ts";

/** Where the CA that the mesh made for itself lives between lives of the control plane, under Istio's names. */
export const OWN_SECRET = "istio-ca-secret";
/** A CA that somebody else made for the mesh; it comes before our own. */
export const PLUGGED_SECRET = "cacerts";
const TYPE = "istio.io/ca-root";
const CERT_KEY = "ca-cert.pem";
const KEY_KEY = "ca-key.pem";
const ROOT_YEARS = 10;
const YEAR_MS = 365 * 24 * 3600_000;
const SKEW_MS = 2 * 60_000;
/** A root is renewed when so much of its time is left: far more than any certificate below it lasts. */
const RENEWAL_SHARE = 0.2;

/** The CA, and who looks after it. */
export interface Authority {
  readonly ca: Ca;
  readonly secret: typeof OWN_SECRET | typeof PLUGGED_SECRET;
}

export interface AuthorityOptions {
  readonly namespace: string;
  readonly trustDomain: string;
  readonly log: Logger;
}

/**
 * Reads the CA: the one plugged in, else our own, else makes a root and the Secret. Of two that start at once the one that
 * wrote first wins.
 */
export async function openAuthority(
  cluster: Pick<Cluster, "get" | "create">,
  { namespace, trustDomain, log }: AuthorityOptions,
): Promise<Authority> {
  const ref = (name: string) => ({ apiVersion: "v1", kind: "Secret", namespace, name });
  const plugged = await cluster.get(ref(PLUGGED_SECRET));
  if (plugged !== undefined) return readAuthority(PLUGGED_SECRET, plugged["data"]);
  const existing = await cluster.get(ref(OWN_SECRET));
  if (existing !== undefined) return readAuthority(OWN_SECRET, existing["data"]);
  const root = await createRoot(trustDomain, rootValidity(Date.now()));
  try {
    await cluster.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: OWN_SECRET, namespace },
      type: TYPE,
      data: dataOf(root),
    });
    log.info({ secret: `${namespace}/${OWN_SECRET}` }, "made a new root certificate");
    return { ca: root, secret: OWN_SECRET };
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "already-exists") throw error;
    return readAuthority(OWN_SECRET, (await cluster.get(ref(OWN_SECRET)))?.["data"]);
  }
}

/** The later root that the Secret is to hold from now on; undefined while the one there lasts, or is not ours to renew. */
export async function renewedRoot(
  { ca, secret }: Authority,
  now: number,
): Promise<Readonly<Record<string, string>> | undefined> {
  const [root = ca.certificate] = splitPem(ca.roots);
  const { notBefore, notAfter } = readCertificate(root);
  const left = (notAfter.getTime() - now) / (notAfter.getTime() - notBefore.getTime());
  if (secret !== OWN_SECRET || left > RENEWAL_SHARE) return undefined;
  return dataOf(await renewRoot(ca, rootValidity(now)));
}

function rootValidity(now: number): Validity {
  return { notBefore: new Date(now - SKEW_MS), notAfter: new Date(now + ROOT_YEARS * YEAR_MS) };
}

function dataOf({ certificate, key }: Ca): Readonly<Record<string, string>> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return { [CERT_KEY]: base64(certificate), [KEY_KEY]: base64(key.pem()) };
}

/** The CA in a Secret: Istio's file names, or those of a TLS Secret. Throws MeshError `bad-ca` and what loadCa throws. */
export async function readAuthority(secret: Authority["secret"], data: unknown): Promise<Authority> {
  const values = (data ?? {}) as Readonly<Record<string, string | undefined>>;
  const text = (...names: readonly string[]): string | undefined => {
    const value = names.map((name) => values[name]).find((one) => one !== undefined);
    return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
  };
  const certificate = text(CERT_KEY, "tls.crt");
  const key = text(KEY_KEY, "tls.key");
  const roots = text("root-cert.pem", "ca.crt");
  const lacking = certificate === undefined ? CERT_KEY : key === undefined ? KEY_KEY : "root-cert.pem";
  if (certificate === undefined || key === undefined || (secret === PLUGGED_SECRET && roots === undefined))
    throw new MeshError("bad-ca", `Secret ${secret} lacks ${lacking}`, {
      hint: `put ${lacking} into it, or delete it`,
    });
  // Of a TLS Secret the chain stands behind the certificate.
  const chain = `${certificate}\n${text("cert-chain.pem") ?? ""}`;
  const [own = certificate] = splitPem(certificate);
  const ca = await loadCa(own, key, { chain, ...(roots === undefined ? {} : { roots }) });
  return { ca, secret };
}

const SERVING_DAYS = 90;

/** The control plane's own certificate, for the names its Service is reached by. */
export async function servingIdentity(ca: Ca, namespace: string, revision: string): Promise<ServerIdentity> {
  const now = Date.now();
  const names = new Set(["istiod", `istiod${revisionSuffix(revision)}`, "istio-pilot"]);
  const dns = [...names].flatMap((name) => [
    `${name}.${namespace}.svc`,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc.cluster.local`,
  ]);
  const validity = { notBefore: new Date(now - SKEW_MS), notAfter: new Date(now + SERVING_DAYS * 24 * 3600_000) };
  const { certificate, key } = await issueServing(ca, { dns: [...dns, "localhost"], ips: ["127.0.0.1"] }, validity);
  return { certificate: [certificate, ...ca.intermediates].join(""), key, clientRoots: ca.roots };
}
