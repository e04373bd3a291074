import { CIPHER_SUITES } from "../base/cipher-suites.ts";
import { compact } from "../base/compact.ts";
import { durationMs } from "../base/duration.ts";
import type { LogFormat } from "../ir/telemetry.ts";
import { meshLogFormat } from "./log-format.ts";
import type { MeshConfig } from "./mesh-config.ts";
import { ownTrustDomains, takenTrustDomains } from "./trust-bundles.ts";

/** Rules that a control plane may be told to keep (COMPLIANCE_POLICY). */
export type Compliance = "fips-140-2";

/** Limits of TLS; what is absent is as usual. */
export interface MeshTls {
  readonly minVersion?: "TLSv1_2" | "TLSv1_3";
  readonly maxVersion?: "TLSv1_2" | "TLSv1_3";
  /** Of TLS 1.2. */
  readonly cipherSuites?: readonly string[];
  readonly curves?: readonly string[];
}

/** What FIPS 140-2 leaves of TLS, as Istio has it: version 1.2 with AES-GCM and curve P-256. */
export const FIPS: Required<MeshTls> = {
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
  readonly callerDomains: readonly string[];
  readonly accessLog: { readonly path: string; readonly format: LogFormat } | undefined;
  readonly accessLogService?: true;
  readonly noListenerLog?: true;
  readonly dnsRefreshMs?: number;
  readonly protocolDetectionTimeoutMs: number;
  readonly pathNormalization: MeshConfig["pathNormalization"];
  readonly meshTls?: MeshTls;
  readonly outsideTls?: MeshTls;
  readonly allTls?: MeshTls;
} {
  const { accessLogFile: path, raw } = config;
  return {
    trustDomains: ownTrustDomains(config),
    callerDomains: takenTrustDomains(config),
    accessLog: path === "" ? undefined : { path, format: meshLogFormat(config) },
    protocolDetectionTimeoutMs: config.protocolDetectionTimeoutMs,
    pathNormalization: config.pathNormalization,
    ...compact({
      accessLogService: raw["enableEnvoyAccessLogService"] === true ? (true as const) : undefined,
      noListenerLog: raw["disableEnvoyListenerLog"] === true ? (true as const) : undefined,
      dnsRefreshMs: refreshOf(raw["dnsRefreshRate"]),
      meshTls: meshTlsOf(config, compliance),
      outsideTls: outsideTlsOf(config),
      allTls: compliance === undefined ? undefined : FIPS,
    }),
  };
}

function refreshOf(value: unknown): number | undefined {
  const asked = typeof value === "string" ? durationMs(value) : undefined;
  return asked === undefined || asked <= 0 ? undefined : asked;
}

/** MeshConfig.meshMTLS: suites that Envoy's TLS library has no name for are left out; a compliance policy comes before all of it. */
function meshTlsOf({ raw }: MeshConfig, compliance: Compliance | undefined): MeshTls | undefined {
  if (compliance !== undefined) return FIPS;
  const { minProtocolVersion, cipherSuites } = (raw["meshMTLS"] ?? {}) as Readonly<Record<string, unknown>>;
  const minVersion = VERSIONS[String(minProtocolVersion)];
  return limitsOf({ minVersion, cipherSuites: texts(cipherSuites)?.filter((suite) => CIPHER_SUITES.has(suite)) });
}

/** MeshConfig.tlsDefaults where a proxy is the client: suites and curves, as in Istio; versions are for servers. */
function outsideTlsOf({ raw }: MeshConfig): MeshTls | undefined {
  const { cipherSuites, ecdhCurves } = (raw["tlsDefaults"] ?? {}) as Readonly<Record<string, unknown>>;
  return limitsOf({
    cipherSuites: texts(cipherSuites)?.filter((suite) => CIPHER_SUITES.has(suite)),
    curves: texts(ecdhCurves),
  });
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : undefined;
}

/** Undefined when nothing is limited; a list without entries limits nothing. */
function limitsOf(limits: { readonly [Key in keyof MeshTls]: MeshTls[Key] | undefined }): MeshTls | undefined {
  const given = Object.entries(limits).filter(([, value]) => value !== undefined && value.length > 0);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

const VERSIONS: Readonly<Record<string, "TLSv1_2" | "TLSv1_3">> = { TLSV1_2: "TLSv1_2", TLSV1_3: "TLSv1_3" };
