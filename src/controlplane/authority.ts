import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ServerIdentity } from "../grpc/mixed-credentials.ts";
import { revisionSuffix } from "../base/revision.ts";
import {
  type Authority,
  CA_FILES,
  encoded,
  OWN_SECRET,
  OWN_SECRET_TYPE,
  PLUGGED_SECRET,
  readAuthority,
} from "../pki/authority-secret.ts";
import { type Ca, createRoot, issueServing, renewRoot, type Validity } from "../pki/ca.ts";
import { readCertificate } from "../pki/certificate.ts";
import { splitPem } from "../pki/trust-path.ts";
import type { Cluster } from "../resources/cluster.ts";

const ROOT_YEARS = 10;
const YEAR_MS = 365 * 24 * 3600_000;
const SKEW_MS = 2 * 60_000;
/** A root is renewed when so much of its time is left: far more than any certificate below it lasts. */
const RENEWAL_SHARE = 0.2;

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
      type: OWN_SECRET_TYPE,
      data: encoded({ [CA_FILES.certificate]: root.certificate, [CA_FILES.key]: root.key.pem() }),
    });
    log.info({ secret: `${namespace}/${OWN_SECRET}` }, "made a new root certificate");
    return { ca: root, secret: OWN_SECRET, revocations: "" };
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "already-exists") throw error;
    return readAuthority(OWN_SECRET, (await cluster.get(ref(OWN_SECRET)))?.["data"]);
  }
}

/**
 * What the Secret is to hold from now on for a later root; undefined while the one there lasts, or is not ours to renew. Other
 * roots that are trusted beside it stay.
 */
export async function renewedRoot(
  { ca, secret }: Authority,
  now: number,
): Promise<Readonly<Record<string, string>> | undefined> {
  const { notBefore, notAfter } = readCertificate(ca.certificate);
  const left = (notAfter.getTime() - now) / (notAfter.getTime() - notBefore.getTime());
  if (secret !== OWN_SECRET || left > RENEWAL_SHARE) return undefined;
  const next = await renewRoot(ca, rootValidity(now));
  const own = splitPem(ca.certificate).join("");
  const others = splitPem(ca.roots).filter((pem) => pem !== own);
  return encoded({
    [CA_FILES.certificate]: next.certificate,
    [CA_FILES.key]: next.key.pem(),
    // also where it is the only one: the key may stand there from a rotation
    [CA_FILES.roots]: [next.certificate, ...others].join(""),
  });
}

function rootValidity(now: number): Validity {
  return { notBefore: new Date(now - SKEW_MS), notAfter: new Date(now + ROOT_YEARS * YEAR_MS) };
}

const SERVING_DAYS = 90;

export interface ServingOptions {
  readonly namespace: string;
  readonly revision: string;
  /** Further names by which it is reached from elsewhere. Default: none. */
  readonly hosts?: readonly string[] | undefined;
  /** PEM of the roots that clients' certificates may lead to. */
  readonly clientRoots: string;
}

/** The control plane's own certificate, for the names its Service is reached by. */
export async function servingIdentity(
  ca: Ca,
  { namespace, revision, hosts = [], clientRoots }: ServingOptions,
): Promise<ServerIdentity> {
  const now = Date.now();
  // "-remote": the Service of Istio's in a cluster that has an injector of its own and no other control plane
  const names = new Set(["istiod", `istiod${revisionSuffix(revision)}`, "istiod-remote", "istio-pilot"]);
  const dns = [...names].flatMap((name) => [
    `${name}.${namespace}.svc`,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc.cluster.local`,
  ]);
  const validity = { notBefore: new Date(now - SKEW_MS), notAfter: new Date(now + SERVING_DAYS * 24 * 3600_000) };
  const { certificate, key } = await issueServing(
    ca,
    { dns: [...new Set([...dns, ...hosts, "localhost"])], ips: ["127.0.0.1"] },
    validity,
  );
  return { certificate: [certificate, ...ca.intermediates].join(""), key, clientRoots };
}
