import type { Ca } from "../../../src/pki/ca.ts";
import { signingKey } from "../../../src/pki/private-key.ts";
import {
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "../../../src/pki/x509.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

interface Spec {
  readonly request: string;
  readonly signerName: string;
  readonly expirationSeconds: number;
}
interface Status {
  readonly certificate?: string;
  readonly conditions?: readonly { readonly type: string }[];
}

/** A signer as one of a cluster would be: it signs approved requests of its name, with the names that stand in them. */
export interface CsrSigner {
  /** Who made each request that was signed. */
  readonly users: readonly string[];
  /** How it answers from now on. */
  mode: "sign" | "deny" | "rename";
  close(): Promise<void>;
}

/** Begins to watch. */
export function startCsrSigner(cluster: Cluster, ca: Ca, name: string): CsrSigner {
  const kind = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" };
  const abort = new AbortController();
  const users: string[] = [];
  const signer = { users, mode: "sign" as CsrSigner["mode"] };
  const answer = async (object: KubeObject): Promise<void> => {
    const spec = object.spec as Spec & { readonly username?: string };
    const { certificate, conditions = [] } = (object.status ?? {}) as Status;
    const isOver = certificate !== undefined || conditions.some(({ type }) => type === "Failed");
    if (isOver || spec.signerName !== name || !conditions.some(({ type }) => type === "Approved")) return;
    const target = { ...kind, name: object.metadata.name };
    const failed = { type: "Failed", status: "True", reason: "No", message: "not today" };
    const status =
      signer.mode === "deny"
        ? { conditions: [...conditions, failed] }
        : { certificate: Buffer.from(await sign(ca, spec, signer.mode === "rename")).toString("base64") };
    users.push(spec.username ?? "");
    await cluster.mergePatch(target, { status }, { subresource: "status" });
  };
  const watching = cluster.watch(
    kind,
    {},
    (event) => {
      if (event.type === "ADDED" || event.type === "MODIFIED") answer(event.object).catch(() => undefined);
    },
    abort.signal,
  );
  return Object.assign(signer, {
    async close() {
      abort.abort();
      await watching;
    },
  });
}

async function sign(ca: Ca, { request, expirationSeconds }: Spec, isRenamed: boolean): Promise<string> {
  const csr = new Pkcs10CertificateRequest(Buffer.from(request, "base64").toString("utf8"));
  const names = csr.extensions.filter((extension) => extension instanceof SubjectAlternativeNameExtension);
  const stranger = new SubjectAlternativeNameExtension([{ type: "url", value: "spiffe://cluster.local/ns/a/sa/b" }]);
  const key = await signingKey(ca.key);
  const made = await X509CertificateGenerator.create({
    serialNumber: Date.now().toString(16).padStart(12, "0"),
    issuer: new X509Certificate(ca.certificate).subjectName,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + expirationSeconds * 1000),
    publicKey: csr.publicKey,
    signingKey: key,
    signingAlgorithm: { name: key.algorithm.name, hash: "SHA-256" },
    extensions: isRenamed ? [stranger] : names,
  });
  return `${made.toString("pem")}\n${ca.intermediates.join("")}`;
}
