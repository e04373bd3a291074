import { CIPHER_SUITES } from "../base/cipher-suites.ts";
import { compact } from "../base/compact.ts";
import type { LogFormat } from "../ir/telemetry.ts";
import { meshLogFormat } from "./log-format.ts";
import type { MeshConfig } from "./mesh-config.ts";

/** Rules that a control plane may be told to keep (COMPLIANCE_POLICY). */
export type Compliance = "fips-140-2";

/** Limits of the mesh's own TLS; what is absent is as usual. */
export interface MeshTls {
  readonly minVersion?: "TLSv1_2" | "TLSv1_3";
  readonly maxVersion?: "TLSv1_2" | "TLSv1_3";
  /** Of TLS 1.2. */
  readonly cipherSuites?: readonly string[];
  readonly curves?: readonly string[];
}

/** What FIPS 140-2 leaves of TLS, as Istio has it: version 1.2 with AES-GCM and curve P-256. */
const FIPS: MeshTls = {
  minVersion: "TLSv1_2",
  maxVersion: "TLSv1_2",
  cipherSuites: [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
  ],
  curves: ["P-256"],
};

/**
 * What the mesh configuration says about generated resources, the same for all proxies. Written so that meshd and the offline
 * commands generate the same.
 */
export function generatedOptions(
  config: MeshConfig,
  compliance?: Compliance,
): {
  readonly trustDomains: readonly string[];
  readonly accessLog: { readonly path: string; readonly format: LogFormat } | undefined;
  readonly protocolDetectionTimeoutMs: number;
  readonly pathNormalization: MeshConfig["pathNormalization"];
  readonly meshTls?: MeshTls;
} {
  const { accessLogFile: path } = config;
  return {
    trustDomains: [config.trustDomain, ...config.trustDomainAliases],
    accessLog: path === "" ? undefined : { path, format: meshLogFormat(config) },
    protocolDetectionTimeoutMs: config.protocolDetectionTimeoutMs,
    pathNormalization: config.pathNormalization,
    ...compact({ meshTls: meshTlsOf(config, compliance) }),
  };
}

/** MeshConfig.meshMTLS: suites that Envoy's TLS library has no name for are left out; a compliance policy comes before all of it. */
function meshTlsOf({ raw }: MeshConfig, compliance: Compliance | undefined): MeshTls | undefined {
  if (compliance !== undefined) return FIPS;
  const { minProtocolVersion, cipherSuites } = (raw["meshMTLS"] ?? {}) as Readonly<Record<string, unknown>>;
  const minVersion = VERSIONS[String(minProtocolVersion)];
  const known = (Array.isArray(cipherSuites) ? cipherSuites : []).filter(
    (suite): suite is string => typeof suite === "string" && CIPHER_SUITES.has(suite),
  );
  if (minVersion === undefined && known.length === 0) return undefined;
  return compact({ minVersion, cipherSuites: known.length === 0 ? undefined : known });
}

const VERSIONS: Readonly<Record<string, "TLSv1_2" | "TLSv1_3">> = { TLSV1_2: "TLSv1_2", TLSV1_3: "TLSv1_3" };
