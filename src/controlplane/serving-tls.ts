import { compact } from "../base/compact.ts";
import type { ServingTls } from "../grpc/mixed-credentials.ts";
import { type Compliance, FIPS } from "../model/generated-options.ts";
import type { MeshConfig } from "../model/mesh-config.ts";

/**
 * The TLS that the control plane's own ports take: 1.3, which every proxy and API server that we serve speaks; 1.2 too when
 * meshMTLS.minProtocolVersion of the mesh's configuration says that there are older clients. A compliance policy comes before both.
 */
export function servingTls({ raw }: Pick<MeshConfig, "raw">, compliance: Compliance | undefined): ServingTls {
  const { minProtocolVersion } = (raw["meshMTLS"] ?? {}) as { readonly minProtocolVersion?: unknown };
  if (compliance === undefined) return { minVersion: minProtocolVersion === "TLSV1_2" ? "TLSv1.2" : "TLSv1.3" };
  return compact({
    minVersion: "TLSv1.2" as const,
    maxVersion: "TLSv1.2" as const,
    ciphers: FIPS.cipherSuites.join(":"),
    ecdhCurve: FIPS.curves.join(":"),
  });
}
