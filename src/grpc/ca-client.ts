import { Client, credentials, type ChannelOptions, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ClusterError } from "../base/errors.ts";
import { decodeMessage, encodeMessage } from "../wire/codec.ts";

/** One request for a workload certificate. */
export interface CertificateRequest {
  /** Where the CA listens; `host` is a name or an address. */
  readonly address: { readonly host: string; readonly port: number };
  /** The DNS name that must be in the CA's own certificate. */
  readonly serverName: string;
  /** PEM of the roots that may have signed it. */
  readonly roots: string;
  /** PKCS 10, PEM. */
  readonly csr: string;
  readonly ttlSeconds: number;
  readonly credential: CaCredential;
  /** Metadata `clusterid`: which cluster's API server reviews the token. */
  readonly clusterId: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/** How the workload shows who it is: a projected service account token, or the certificate it already has. */
export type CaCredential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "certificate"; readonly chain: string; readonly key: { pem(): string } };

const METHOD = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/**
 * Asks the CA and resolves with its PEM chain: leaf, intermediates, root last. Throws ClusterError with the words of the
 * status: `ca-unavailable` when the CA cannot be reached, `ca-refused` when it says no.
 */
export async function requestCertificate(request: CertificateRequest): Promise<readonly string[]> {
  const { address, credential } = request;
  const tls =
    credential.kind === "certificate"
      ? credentials.createSsl(
          Buffer.from(request.roots),
          Buffer.from(credential.key.pem()),
          Buffer.from(credential.chain),
        )
      : credentials.createSsl(Buffer.from(request.roots));
  const client = new Client(`${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`, tls, {
    "grpc.ssl_target_name_override": request.serverName,
    "grpc.default_authority": request.serverName,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
  } satisfies ChannelOptions);
  try {
    const answer = await call(client, request);
    const chain = answer.cert_chain ?? [];
    if (chain.length > 0) return chain;
    throw new ClusterError("ca-refused", `the CA at ${address.host}:${address.port} answered without a certificate`);
  } finally {
    client.close();
  }
}

function call(client: Client, request: CertificateRequest): Promise<{ readonly cert_chain?: readonly string[] }> {
  const metadata = new Metadata();
  if (request.credential.kind === "token") metadata.set("authorization", `Bearer ${request.credential.token}`);
  if (request.clusterId !== undefined) metadata.set("clusterid", request.clusterId);
  const message = { csr: request.csr, validity_duration: String(request.ttlSeconds) };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      METHOD,
      (value: typeof message) => Buffer.from(encodeMessage("istio.v1.auth.IstioCertificateRequest", value)),
      (bytes: Buffer) => decodeMessage("istio.v1.auth.IstioCertificateResponse", bytes),
      message,
      metadata,
      { deadline: Date.now() + request.timeout },
      (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(explain(error, request));
      },
    );
  });
}

const UNREACHED: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED];

function explain(error: ServiceError | null, request: CertificateRequest): ClusterError {
  const where = `${request.address.host}:${request.address.port}`;
  if (error === null || UNREACHED.includes(error.code)) {
    return new ClusterError(
      "ca-unavailable",
      `the CA at ${where} cannot be reached: ${error?.details ?? "no answer"}`,
      {
        hint: "Check that istiod runs and that the root certificate is the one it signs with.",
        cause: error,
      },
    );
  }
  return new ClusterError("ca-refused", `the CA at ${where} refused: ${error.details} (${status[error.code]})`, {
    hint: "Check the service account token and the pod's namespace.",
    cause: error,
  });
}
