import { MeshError } from "../base/errors.ts";
import { Pkcs10CertificateRequest } from "./x509.ts";

const MAX_CSR_BYTES = 16 * 1024;

/** The request, its own signature checked and its key found strong enough. Throws MeshError `bad-csr` or `weak-key`. */
export async function readCsr(pem: string): Promise<Pkcs10CertificateRequest> {
  const request = parse(pem);
  const strength = keyStrength(request);
  if (strength !== undefined)
    throw new MeshError("weak-key", `the key of the certificate request is too weak: ${strength}`, {
      hint: "use RSA 2048 or more, or ECDSA on P-256 or P-384",
    });
  const verified = await request.verify().catch(() => false);
  if (!verified) throw bad("its signature does not fit its key");
  return request;
}

function parse(pem: string): Pkcs10CertificateRequest {
  if (pem.length > MAX_CSR_BYTES) throw bad(`it has ${pem.length} bytes, at most ${MAX_CSR_BYTES} are read`);
  try {
    return new Pkcs10CertificateRequest(pem);
  } catch (cause) {
    throw bad("it is not a PEM request", cause);
  }
}

function bad(words: string, cause?: unknown): MeshError {
  return new MeshError("bad-csr", `the certificate request is refused: ${words}`, {
    hint: "send a PKCS 10 request as PEM",
    cause,
  });
}

/** Why the key is too weak; undefined when it is strong enough. */
function keyStrength(request: Pkcs10CertificateRequest): string | undefined {
  const algorithm = request.publicKey.algorithm as { name: string; modulusLength?: number; namedCurve?: string };
  if (algorithm.name.startsWith("RSA")) {
    const bits = algorithm.modulusLength ?? 0;
    return bits >= 2048 && bits <= 8192 ? undefined : `RSA with ${bits} bits`;
  }
  if (algorithm.name === "ECDSA" || algorithm.name === "ECDH") {
    const curve = algorithm.namedCurve ?? "an unknown curve";
    return curve === "P-256" || curve === "P-384" ? undefined : `ECDSA on ${curve}`;
  }
  return `algorithm ${algorithm.name}`;
}
