import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type Messages } from "../wire/codec.ts";
import { bytesMethod, type GrpcService, type Peer, peerOf, type Refusal, statusOf } from "./server.ts";

/** What a caller asks of the CA. */
export interface SigningRequest {
  readonly peer: Peer;
  /** PKCS 10, PEM. */
  readonly csr: string;
  /** Seconds; 0: as the CA likes. */
  readonly validitySeconds: number;
  /** Whose certificate the caller asks for in place of its own, as node proxies do. */
  readonly impersonated?: string | undefined;
  /** The signer that the caller names. */
  readonly certSigner?: string | undefined;
}

export type SigningAnswer =
  /** PEM: leaf first, root last. */
  { readonly chain: readonly string[] } | { readonly refusal: { readonly status: Refusal; readonly details: string } };

type Request = Messages["istio.v1.auth.IstioCertificateRequest"];

/** istio.v1.auth.IstioCertificateService. `sign` may throw: the caller then sees INTERNAL and nothing of the reason. */
export function caService(
  sign: (request: SigningRequest) => Promise<SigningAnswer>,
  onFault: (error: unknown) => void,
): GrpcService {
  return {
    definition: {
      CreateCertificate: bytesMethod("/istio.v1.auth.IstioCertificateService/CreateCertificate", {
        request: false,
        response: false,
      }),
    },
    implementation: {
      CreateCertificate: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        void respond(call, sign, onFault).then((result) => {
          if ("code" in result) answer(result);
          else answer(null, result);
        });
      },
    },
  };
}

async function respond(
  call: ServerUnaryCall<Buffer, Buffer>,
  sign: (request: SigningRequest) => Promise<SigningAnswer>,
  onFault: (error: unknown) => void,
): Promise<Buffer | ReturnType<typeof statusOf>> {
  let request: Request;
  try {
    request = decodeMessage("istio.v1.auth.IstioCertificateRequest", call.request);
  } catch {
    return statusOf("INVALID_ARGUMENT", "the request is not an IstioCertificateRequest");
  }
  try {
    const validitySeconds = Number(request.validity_duration ?? 0);
    const { ImpersonatedIdentity, CertSigner } = request.metadata ?? {};
    const result = await sign({
      peer: peerOf(call),
      csr: request.csr ?? "",
      validitySeconds,
      ...(ImpersonatedIdentity === undefined
        ? {}
        : {
            impersonated:
              typeof ImpersonatedIdentity === "string" ? ImpersonatedIdentity : JSON.stringify(ImpersonatedIdentity),
          }),
      ...(typeof CertSigner === "string" ? { certSigner: CertSigner } : {}),
    });
    if ("refusal" in result) return statusOf(result.refusal.status, result.refusal.details);
    return Buffer.from(encodeMessage("istio.v1.auth.IstioCertificateResponse", { cert_chain: [...result.chain] }));
  } catch (error) {
    onFault(error);
    return statusOf("INTERNAL", "the certificate authority met an error");
  }
}
