import type { ExplicitBind } from "../ir/proxy.ts";

/**
 * Addresses and ports of workloads that nothing redirects to (interception NONE; a loopback address each). The plan:
 * workload w has 127.w.0.1 (mesh address, its pod's IP, 1 <= w <= 254), its application 127.w.0.2, and reaches the Service whose
 * cluster IP ends in S.s (S >= 1) at 127.w.S.s. Ports below 1024 need privileges, so port + 20000 stands for them everywhere.
 */

/** The mesh address: what peers dial, and where the proxy listens. */
export function meshAddress(bind: ExplicitBind): string {
  return `${bind.prefix}.0.1`;
}

/** Where this workload reaches a cluster IP; undefined for one the plan has no place for (IPv6, third number 0). */
export function explicitServiceAddress(bind: ExplicitBind, clusterIp: string): string | undefined {
  const parts = clusterIp.split(".");
  const third = parts[2];
  const fourth = parts[3];
  if (parts.length !== 4 || third === undefined || fourth === undefined || third === "0") return undefined;
  return `${bind.prefix}.${third}.${fourth}`;
}

/** Whether a pod's address is one of the plan, so that its ports are mapped. 127.0.x.x never is. */
export function isExplicitAddress(address: string): boolean {
  return /^127\.(?!0\.)\d{1,3}\.0\.1$/.test(address);
}
