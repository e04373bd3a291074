import type { MinTls } from "../grpc/mixed-credentials.ts";
import type { MeshConfig } from "../model/mesh-config.ts";

/**
 * The oldest TLS that the control plane's own ports take: 1.3, which every proxy and API server that we serve speaks; 1.2 when
 * meshMTLS.minProtocolVersion of the mesh's configuration says that there are older clients.
 */
export function servingMinTls({ raw }: Pick<MeshConfig, "raw">): MinTls {
  const { minProtocolVersion } = (raw["meshMTLS"] ?? {}) as { readonly minProtocolVersion?: unknown };
  return minProtocolVersion === "TLSV1_2" ? "TLSv1.2" : "TLSv1.3";
}
