import { randomBytes, X509Certificate } from "node:crypto";
import { delay } from "../base/delay.ts";
import { ClusterError, MeshError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { readCertificate } from "../pki/certificate.ts";
import { checkNamedCsr } from "../pki/csr-names.ts";
import { type Identity, spiffeId } from "../pki/spiffe.ts";
import { splitPem, trustPath } from "../pki/trust-path.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

/** A signer of Kubernetes' CertificateSigningRequests that signs workloads in place of our CA. */
export interface ExternalCa {
  /** spec.signerName, e.g. `issuers.example.com/mesh`. */
  readonly signer: string;
  /** With it a workload may name a signer of the domain by itself; undefined: none may. */
  readonly signerDomain?: string;
}

/** What the environment says under Istio's names; undefined: our own CA signs. Throws MeshError `environment`. */
export function externalCa(env: Readonly<Record<string, string | undefined>>): ExternalCa | undefined {
  const kind = env["EXTERNAL_CA"] ?? "";
  if (kind === "") return undefined;
  if (kind !== "ISTIOD_RA_KUBERNETES_API")
    throw new MeshError("environment", `EXTERNAL_CA: expected ISTIOD_RA_KUBERNETES_API, got ${kind}`);
  const signer = env["K8S_SIGNER"] ?? "";
  if (!/^[^/\s]+\/[^\s]+$/.test(signer))
    throw new MeshError("environment", `K8S_SIGNER: expected a name such as issuers.example.com/mesh, got "${signer}"`);
  const signerDomain = env["CERT_SIGNER_DOMAIN"] ?? "";
  return signerDomain === "" ? { signer } : { signer, signerDomain };
}

export interface ExternalSignerDeps {
  readonly cluster: Pick<Cluster, "create" | "mergePatch" | "get" | "delete">;
  /** PEM of the roots that the signer's certificates must lead to. */
  readonly roots: () => string;
  readonly external: ExternalCa;
  readonly log: Logger;
}

/** A request to pass on. */
export interface ExternalRequest {
  readonly csr: string;
  readonly identity: Identity;
  readonly seconds: number;
  /** The signer that the workload names. */
  readonly certSigner: string | undefined;
}

const KIND = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" } as const;
/** Less than an agent waits. */
const PATIENCE_MS = 8_000;
const FIRST_LOOK_MS = 100;
const SLOWEST_LOOK_MS = 1_000;
/** The API server takes no shorter ones. */
const SHORTEST_SECONDS = 600;

/**
 * Has the signer sign: makes a CertificateSigningRequest, approves it, waits for the certificate, deletes it. What comes back is
 * held to what was asked for. Resolves with PEM, the leaf first. Throws MeshError `bad-csr` or `weak-key` for the request, and
 * ClusterError for all that the signer or the API server do.
 */
export function createExternalSigner(
  deps: ExternalSignerDeps,
): (request: ExternalRequest) => Promise<readonly string[]> {
  return async (request) => {
    await checkNamedCsr(request.csr, request.identity);
    const signerName = signerOf(deps.external, request.certSigner);
    const name = `mesh-${request.identity.namespace}-${randomBytes(8).toString("hex")}`;
    const spec = {
      request: Buffer.from(request.csr).toString("base64"),
      signerName,
      expirationSeconds: Math.max(SHORTEST_SECONDS, Math.round(request.seconds)),
      usages: ["digital signature", "key encipherment", "server auth", "client auth"],
    };
    await deps.cluster.create({ ...KIND, metadata: { name }, spec });
    try {
      await deps.cluster.mergePatch(
        { ...KIND, name },
        { status: { conditions: [approval()] } },
        { subresource: "approval" },
      );
      return checked(deps, request, await awaited(deps, name, signerName));
    } finally {
      await deps.cluster.delete({ ...KIND, name }, { propagation: "Background" }).catch((error: unknown) => {
        deps.log.warn({ name, error: String(error) }, "a CertificateSigningRequest cannot be deleted");
      });
    }
  };
}

function signerOf({ signer, signerDomain }: ExternalCa, named: string | undefined): string {
  if (named === undefined || named === "") return signer;
  if (signerDomain === undefined)
    throw new MeshError("bad-csr", `the workload names signer ${named}, and the mesh lets none be named`, {
      hint: "set CERT_SIGNER_DOMAIN on the control plane, or take the name out of the request",
    });
  return `${signerDomain}/${named}`;
}

function approval(): Readonly<Record<string, string>> {
  return {
    type: "Approved",
    status: "True",
    reason: "MeshWorkload",
    message: "the control plane has checked who asks",
  };
}

const NEVER = new AbortController().signal;

interface Status {
  readonly certificate?: string;
  readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
}

async function awaited({ cluster }: ExternalSignerDeps, name: string, signer: string): Promise<string> {
  const end = Date.now() + PATIENCE_MS;
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(SLOWEST_LOOK_MS, pause * 2)) {
    const { certificate, conditions = [] } = statusOf(await cluster.get({ ...KIND, name }));
    const no = conditions.find(({ type }) => type === "Denied" || type === "Failed");
    if (no !== undefined)
      throw new ClusterError("signer-refused", `signer ${signer} refused: ${no.type} ${no.message ?? ""}`.trim());
    if (certificate !== undefined && certificate !== "") return Buffer.from(certificate, "base64").toString("utf8");
    if (Date.now() + pause > end)
      throw new ClusterError("signer-late", `signer ${signer} has not signed within ${PATIENCE_MS / 1000} s`, {
        hint: "look whether the signer runs, and serves this name",
      });
    await delay(pause, NEVER);
  }
}

function statusOf(object: KubeObject | undefined): Status {
  return (object?.status ?? {}) as Status;
}

/** Throws ClusterError unless it is a certificate of this identity below one of our roots. */
function checked(deps: ExternalSignerDeps, { identity }: ExternalRequest, pem: string): readonly string[] {
  const chain = splitPem(pem);
  const [leaf] = chain;
  const refuse = (words: string, hint: string): ClusterError =>
    new ClusterError("signer-wrong", `signer ${deps.external.signer} ${words}`, { hint });
  if (leaf === undefined) throw refuse("gave no certificate", "look at the signer");
  const facts = readCertificate(leaf).identity;
  if (facts === undefined || spiffeId(facts) !== spiffeId(identity))
    throw refuse(`gave a certificate of another name than ${spiffeId(identity)}`, "let it keep the names of requests");
  const [above] = chain.slice(1);
  const roots = splitPem(deps.roots());
  const by = new X509Certificate(leaf);
  const isDirect = roots.some((root) => by.checkIssued(new X509Certificate(root)));
  if (!isDirect) {
    const words = "gave a certificate that leads to none of the mesh's roots";
    const hint = "put its root into meshConfig.caCertificates";
    if (above === undefined) throw refuse(words, hint);
    try {
      trustPath(above, { chain: chain.slice(1).join(""), roots: roots.join("") });
    } catch {
      throw refuse(words, hint);
    }
  }
  return chain;
}
