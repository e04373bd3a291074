import { durationMs } from "../base/duration.ts";
import type { World } from "../resources/world.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { revisionSuffix } from "../base/revision.ts";

/** Istio's MeshConfig as far as we read it, with its defaults. Durations in milliseconds. */
export interface MeshConfig {
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  /** What a request to a host nobody knows meets. */
  readonly outboundTrafficPolicy: "ALLOW_ANY" | "REGISTRY_ONLY";
  /** File of access logs, e.g. `/dev/stdout`; empty: none. */
  readonly accessLogFile: string;
  readonly accessLogFormat: string;
  readonly accessLogEncoding: "TEXT" | "JSON";
  readonly enableAutoMtls: boolean;
  readonly connectTimeoutMs: number;
  /** How long a proxy waits for the client's first bytes to tell the protocol; 0: for ever. */
  readonly protocolDetectionTimeoutMs: number;
  /** How paths are written before policies and routes look at them. */
  readonly pathNormalization: "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
  readonly defaultServiceExportTo: readonly string[];
  readonly defaultVirtualServiceExportTo: readonly string[];
  readonly defaultDestinationRuleExportTo: readonly string[];
  /** Retries where a VirtualService says nothing. */
  readonly defaultRetries: { readonly attempts: number; readonly retryOn: string | undefined };
  /** ProxyConfig of all proxies, as written. */
  readonly defaultConfig: Readonly<Record<string, unknown>>;
  /** Everything as written, for readers of further fields. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** Why the text could not be read; the defaults stand in. */
  readonly error: string | undefined;
}

/** Name of the ConfigMap in the root namespace and its key. */
export const MESH_CONFIG_MAP = "istio";
export const MESH_CONFIG_KEY = "mesh";

/** The mesh's configuration from ConfigMap `istio[-REVISION]`, key `mesh`; defaults where it, a field, or the whole map is missing. */
export function readMeshConfig(world: World, rootNamespace: string, revision = "default"): MeshConfig {
  const text =
    world.get("ConfigMap", rootNamespace, `${MESH_CONFIG_MAP}${revisionSuffix(revision)}`)?.data?.[MESH_CONFIG_KEY] ??
    "";
  return meshConfigOf(text, rootNamespace);
}

/** The same from the text itself. */
export function meshConfigOf(text: string, rootNamespace: string): MeshConfig {
  const { raw, error } = parse(text);
  const outbound = record(raw["outboundTrafficPolicy"])["mode"];
  const retries = record(raw["defaultHttpRetryPolicy"]);
  return {
    rootNamespace: string(raw["rootNamespace"], rootNamespace),
    trustDomain: string(raw["trustDomain"], "cluster.local"),
    trustDomainAliases: strings(raw["trustDomainAliases"], []),
    outboundTrafficPolicy: outbound === "REGISTRY_ONLY" ? "REGISTRY_ONLY" : "ALLOW_ANY",
    accessLogFile: string(raw["accessLogFile"], ""),
    accessLogFormat: string(raw["accessLogFormat"], ""),
    accessLogEncoding: raw["accessLogEncoding"] === "JSON" ? "JSON" : "TEXT",
    enableAutoMtls: raw["enableAutoMtls"] !== false,
    connectTimeoutMs: duration(raw["connectTimeout"], 10_000),
    protocolDetectionTimeoutMs: duration(raw["protocolDetectionTimeout"], 0),
    pathNormalization: normalization(record(raw["pathNormalization"])["normalization"]),
    defaultServiceExportTo: strings(raw["defaultServiceExportTo"], ["*"]),
    defaultVirtualServiceExportTo: strings(raw["defaultVirtualServiceExportTo"], ["*"]),
    defaultDestinationRuleExportTo: strings(raw["defaultDestinationRuleExportTo"], ["*"]),
    defaultRetries: {
      attempts: typeof retries["attempts"] === "number" ? retries["attempts"] : 2,
      retryOn: typeof retries["retryOn"] === "string" ? retries["retryOn"] : undefined,
    },
    defaultConfig: record(raw["defaultConfig"]),
    raw,
    error,
  };
}

function normalization(value: unknown): MeshConfig["pathNormalization"] {
  return value === "NONE" || value === "MERGE_SLASHES" || value === "DECODE_AND_MERGE_SLASHES" ? value : "BASE";
}

function parse(text: string): { readonly raw: Readonly<Record<string, unknown>>; readonly error: string | undefined } {
  try {
    return { raw: record(parseYaml(text)), error: undefined };
  } catch (error) {
    return { raw: {}, error: error instanceof Error ? error.message : String(error) };
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function string(value: unknown, fallback: string): string {
  return typeof value === "string" && value !== "" ? value : fallback;
}

function strings(value: unknown, fallback: readonly string[]): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : fallback;
}

function duration(value: unknown, fallback: number): number {
  return (typeof value === "string" ? durationMs(value) : undefined) ?? fallback;
}
