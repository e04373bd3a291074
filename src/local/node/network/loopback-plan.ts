/** The first workload number is 1: 127.0.x.x belongs to the machine. */
export const FIRST_WORKLOAD = 1;
/** The last one. */
export const LAST_WORKLOAD = 254;

/** Ports a process without privileges cannot bind, moved. The same rule everywhere: listeners, targetPorts, env. */
export function unprivilegedPort(port: number): number {
  return port > 0 && port < 1024 ? port + 10000 : port;
}

/** The mesh address of workload w: its pod IP. */
export function podAddress(w: number): string {
  return `127.${w}.0.1`;
}

/** Where the application of an injected pod binds; its proxy has the pod IP. */
export function appAddress(w: number): string {
  return `127.${w}.0.2`;
}

/** Where workload w reaches a Service: `10.96.S.s` becomes `127.w.S.s`. */
export function serviceAddress(w: number, clusterIp: string): string {
  const [, , high = "0", low = "0"] = clusterIp.split(".");
  return `127.${w}.${high}.${low}`;
}

/** Workload number of a pod IP; undefined when it is none of ours. */
export function workloadOf(podIp: string): number | undefined {
  const match = /^127\.(\d+)\.0\.1$/.exec(podIp);
  const w = Number(match?.[1] ?? 0);
  return w >= FIRST_WORKLOAD && w <= LAST_WORKLOAD ? w : undefined;
}
