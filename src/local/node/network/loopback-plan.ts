import type { Pod } from "../../shapes.ts";

/** The first workload number is 1: 127.0.x.x belongs to the machine. */
export const FIRST_WORKLOAD = 1;
/** The last one. */
export const LAST_WORKLOAD = 254;

const HTTP_PROXY_PORT = 15080;
const PROXY_CONTAINERS = new Set(["istio-proxy", "istio-init", "istio-validation"]);

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

/** The container belongs to the mesh, not to the application. */
export function isProxy(container: string): boolean {
  return PROXY_CONTAINERS.has(container);
}

/** The pod has a proxy of the mesh, which listens on the pod's addresses itself. */
export function hasProxy(pod: Pod): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return [...containers, ...initContainers].some((container) => container.name === "istio-proxy");
}

/**
 * How programs learn that nothing is intercepted here, and on which addresses to bind instead. Proxies get no http_proxy: it would
 * send their own calls through themselves.
 */
export function explicitEnv(w: number, injected: boolean, container: string): Readonly<Record<string, string>> {
  if (!injected) return { BIND_ADDRESS: podAddress(w) };
  if (isProxy(container)) {
    const bind = { prefix: `127.${w}`, appAddress: appAddress(w), httpProxyPort: HTTP_PROXY_PORT };
    return { ISTIO_META_INTERCEPTION_MODE: "NONE", ISTIO_META_MESH_BIND: JSON.stringify(bind) };
  }
  const proxy = `http://${podAddress(w)}:${HTTP_PROXY_PORT}`;
  return { BIND_ADDRESS: appAddress(w), http_proxy: proxy, no_proxy: "localhost,127.0.0.1,127.0.0.0/8" };
}
