import type { MeshConfig } from "./mesh-config.ts";

/**
 * What the mesh configuration says about generated resources, the same for all proxies. Written so that meshd and the offline
 * commands generate the same.
 */
export function generatedOptions(config: MeshConfig): {
  readonly trustDomains: readonly string[];
  readonly accessLog:
    | {
        readonly path: string;
        readonly encoding: MeshConfig["accessLogEncoding"];
        readonly format: string | undefined;
      }
    | undefined;
  readonly protocolDetectionTimeoutMs: number;
  readonly pathNormalization: MeshConfig["pathNormalization"];
} {
  const { accessLogFile: path, accessLogEncoding: encoding, accessLogFormat } = config;
  return {
    trustDomains: [config.trustDomain, ...config.trustDomainAliases],
    accessLog:
      path === "" ? undefined : { path, encoding, format: accessLogFormat === "" ? undefined : accessLogFormat },
    protocolDetectionTimeoutMs: config.protocolDetectionTimeoutMs,
    pathNormalization: config.pathNormalization,
  };
}
