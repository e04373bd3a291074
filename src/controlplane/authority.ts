import { ClusterError, MeshError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ServerIdentity } from "../grpc/mixed-credentials.ts";
import { revisionSuffix } from "../base/revision.ts";
import { type Ca, createRoot, issueServing, loadCa } from "../pki/ca.ts";
import type { Cluster } from "../resources/cluster.ts";

/** Where the CA lives between lives of the control plane, under Istio's names. */
const SECRET = "istio-ca-secret";
const TYPE = "istio.io/ca-root";
const CERT_KEY = "ca-cert.pem";
const KEY_KEY = "ca-key.pem";
const ROOT_YEARS = 10;
const YEAR_MS = 365 * 24 * 3600_000;
const SKEW_MS = 2 * 60_000;

/** Reads the CA from its Secret, or makes a root and the Secret. Of two that start at once the one that wrote first wins. */
export async function openAuthority(
  cluster: Pick<Cluster, "get" | "create">,
  options: { readonly namespace: string; readonly trustDomain: string; readonly log: Logger },
): Promise<Ca> {
  const ref = { apiVersion: "v1", kind: "Secret", namespace: options.namespace, name: SECRET };
  const existing = await cluster.get(ref);
  if (existing !== undefined) return read(existing["data"]);
  const now = Date.now();
  const validity = { notBefore: new Date(now - SKEW_MS), notAfter: new Date(now + ROOT_YEARS * YEAR_MS) };
  const root = await createRoot(options.trustDomain, validity);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  try {
    await cluster.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: SECRET, namespace: options.namespace },
      type: TYPE,
      data: { [CERT_KEY]: base64(root.certificate), [KEY_KEY]: base64(root.key.pem()) },
    });
    options.log.info({ secret: `${options.namespace}/${SECRET}` }, "made a new root certificate");
    return root;
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "already-exists") throw error;
    return read((await cluster.get(ref))?.["data"]);
  }
}

async function read(data: unknown): Promise<Ca> {
  const values = (data ?? {}) as Readonly<Record<string, string>>;
  const certificate = values[CERT_KEY];
  const key = values[KEY_KEY];
  if (certificate === undefined || key === undefined)
    throw new MeshError("bad-ca", `Secret ${SECRET} lacks ${certificate === undefined ? CERT_KEY : KEY_KEY}`, {
      hint: `put ${CERT_KEY} and ${KEY_KEY} into it, or delete it to get a new root`,
    });
  const text = (value: string): string => Buffer.from(value, "base64").toString("utf8");
  return loadCa(text(certificate), text(key));
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
  return { certificate, key, clientRoots: ca.certificate };
}
