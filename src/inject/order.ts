import type { Container, PodSpec } from "../resources/core.ts";
import { PROXY } from "./uninject.ts";

/** How the containers of a pod stand. */
export interface Placement {
  /** The application waits for the proxy. */
  readonly holds: boolean;
}

/**
 * Puts the containers in the order in which they have to start. A proxy with `restartPolicy: Always` is a native sidecar: an init
 * container, before the user's own, behind the capture. A classic proxy is the last container, or the first when the application
 * waits for it; the capture is the last init container, so that the others still reach the network. istio-validation is first.
 */
export function inOrder(spec: PodSpec, { holds }: Placement): PodSpec {
  const proxies = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ name }) => name === PROXY);
  const apps = spec.containers.filter(({ name }) => name !== PROXY);
  const init = (spec.initContainers ?? []).filter(({ name }) => name !== PROXY);
  const isNative = apps.length > 0 && proxies.some((proxy) => proxy["restartPolicy"] === "Always");
  const containers = isNative ? apps : holds ? [...proxies, ...apps] : [...apps, ...proxies];
  const named = (wanted: string): Container[] => init.filter(({ name }) => name === wanted);
  const own = init.filter(({ name }) => name !== "istio-init" && name !== "istio-validation");
  const first = [...named("istio-validation"), ...(isNative ? [...named("istio-init"), ...proxies] : [])];
  const initContainers = [...first, ...own, ...(isNative ? [] : named("istio-init"))];
  const { initContainers: _, ...rest } = spec;
  return { ...rest, ...(initContainers.length === 0 ? {} : { initContainers }), containers };
}
