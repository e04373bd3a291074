import { createHash } from "node:crypto";

/**
 * What one workload tells its peers about itself, in the order in which the certificate subject carries it (one OU each)
 * and EDS metadata names it (`istio.peer`). See docs/decisions: plain Envoy reads these for the standard metrics.
 */
export const PEER_KEYS = ["workload", "ns", "canonical", "revision", "app", "version", "cluster"] as const;
export type PeerKey = (typeof PEER_KEYS)[number];
export type PeerLabels = Readonly<Record<PeerKey, string>>;

/** The environment variable in which the agent hands Envoy the workload's own label, read by `%ENVIRONMENT(X)%`. */
export function peerEnvironment(key: PeerKey): string {
  return `MESH_PEER_${key.toUpperCase()}`;
}

/** The environment variable that says `unknown`: what `%COALESCE()%` ends with, which takes commands only. */
export const UNKNOWN_ENVIRONMENT = "MESH_UNKNOWN";
/** The same for the revision of a workload that has none. */
export const LATEST_ENVIRONMENT = "MESH_LATEST";

/** What Envoy's environment must carry so that resources shared by many workloads mean this one. */
export function peerEnvironmentOf(labels: PeerLabels): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(PEER_KEYS.map((key) => [peerEnvironment(key), labels[key]])),
    [UNKNOWN_ENVIRONMENT]: peerLabel("workload", undefined),
    [LATEST_ENVIRONMENT]: peerLabel("revision", undefined),
  };
}

const MAX_RDN = 64;

/**
 * One peer label as subject and EDS metadata carry it: never empty, at most 64 characters (X.509 ub-organizational-unit
 * -name), only characters that RFC 2253 printing leaves alone, no dot at the end (Envoy's statistics drop it, so both sides must). The one
 * place that decides this.
 */
export function peerLabel(key: PeerKey, value: string | undefined): string {
  const clean = (value ?? "").replace(/[^A-Za-z0-9._:/-]/g, "_").replace(/\.+$/, "");
  if (value === undefined || clean === "") return key === "revision" ? "latest" : "unknown";
  if (clean.length <= MAX_RDN) return clean;
  return `${clean.slice(0, MAX_RDN - 9)}-${createHash("sha256").update(value).digest("hex").slice(0, 8)}`;
}
