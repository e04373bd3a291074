import type { Container } from "../resources/core.ts";
import type { PodLike } from "./config.ts";
import { restoreProbes } from "./probes.ts";
import { restoreScrape } from "./prometheus.ts";

/** Written by the injector: what it added, so that a second injection starts from the user's own pod. */
export const STATUS = "sidecar.istio.io/status";
/** Written by the injector: the user's own istio-proxy container, whose fields win over the template's. */
export const OVERRIDES = "proxy.istio.io/overrides";

/** Names of what an injection added, by the list they stand in. */
export interface InjectionStatus {
  readonly initContainers?: readonly string[] | null;
  readonly containers?: readonly string[] | null;
  readonly volumes?: readonly string[] | null;
  readonly imagePullSecrets?: readonly string[] | null;
  readonly revision?: string;
}

/** The pod as its user wrote it: undoes an earlier injection by its status annotation; any other pod comes back unchanged. */
export function strip(pod: PodLike): PodLike {
  const annotations = pod.metadata?.annotations ?? {};
  const status = readJson<InjectionStatus>(annotations[STATUS]);
  if (status === undefined) return pod;
  const env = environmentOf(pod.spec.containers.find((container) => container.name === "istio-proxy"));
  const overrides = readJson<{ containers?: readonly Container[] }>(annotations[OVERRIDES])?.containers ?? [];
  const probers = readJson<Record<string, unknown>>(env["ISTIO_KUBE_APP_PROBERS"]) ?? {};
  const own = without(pod.spec.containers, status.containers);
  const { [STATUS]: _, [OVERRIDES]: __, ...rest } = restoreScrape(annotations, env["ISTIO_PROMETHEUS_ANNOTATIONS"]);
  const spec: Record<string, unknown> = { ...pod.spec, containers: [...restoreProbes(own, probers), ...overrides] };
  for (const list of ["initContainers", "volumes", "imagePullSecrets"] as const) {
    const items = pod.spec[list];
    if (!Array.isArray(items)) continue;
    const kept = without(items as { readonly name: string }[], status[list]);
    if (kept.length === 0) delete spec[list];
    else spec[list] = kept;
  }
  return { ...pod, metadata: { ...pod.metadata, annotations: rest }, spec: spec as unknown as PodLike["spec"] };
}

function without<T extends { readonly name: string }>(
  items: readonly T[],
  names: readonly string[] | null | undefined,
): T[] {
  return items.filter((item) => names?.includes(item.name) !== true);
}

function environmentOf(container: Container | undefined): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
}

function readJson<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
