import { strategicDifference, strategicMerge } from "../base/strategic-merge.ts";
import type { Container } from "../resources/core.ts";
import type { PodLike } from "./config.ts";
import { listKey } from "./lists.ts";
import { restoreProbes } from "./probes.ts";
import { restoreScrape } from "./prometheus.ts";

/** Written by the injector: what it added, so that a second injection starts from the user's own pod. */
export const STATUS = "sidecar.istio.io/status";
/** Written by the injector: the user's own istio-proxy container, whose fields win over the template's. */
export const OVERRIDES = "proxy.istio.io/overrides";
/** The container that the mesh puts into pods. */
export const PROXY = "istio-proxy";

const LISTS = ["initContainers", "containers", "volumes", "imagePullSecrets"] as const;
type ListName = (typeof LISTS)[number];

/** What an injection added, by the list it stands in, and how the rest is brought back. */
export interface InjectionStatus extends Partial<Readonly<Record<ListName, readonly string[] | null>>> {
  readonly revision?: string;
  /** Strategic merge that makes the user's pod of what is left without the items named; absent where Istio injected. */
  readonly undo?: unknown;
}

/** The user's own proxy containers. */
export interface Overrides {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

/**
 * The pod as its user wrote it: takes back an injection, ours or Istio's, by its status annotation; any other pod comes back as
 * it is. Invariant, for any pod (test/inject/properties.test.ts): uninject(inject(pod)) equals pod.
 */
export function uninject(pod: PodLike): PodLike {
  const annotations = pod.metadata?.annotations ?? {};
  const status = readJson<InjectionStatus>(annotations[STATUS]);
  if (status === undefined) return pod;
  const left = withoutAdded(pod, status);
  return (status.undo === undefined ? restored(left, pod) : strategicMerge(left, status.undo, listKey)) as PodLike;
}

/** The status annotation for a pod that injection made of `own`. */
export function statusOf(own: PodLike, injected: PodLike, revision: string): string {
  const names = (pod: PodLike, list: ListName): string[] =>
    ((pod.spec[list] ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
  const added = Object.fromEntries(
    LISTS.map((list) => {
      const before = names(own, list);
      const isOurs = (name: string): boolean => !before.includes(name) || (name === PROXY && list === "containers");
      const found = names(injected, list).filter(isOurs);
      return [list, found.length === 0 ? null : found];
    }),
  );
  const status = { ...added, revision };
  return JSON.stringify({ ...status, undo: strategicDifference(withoutAdded(injected, status), own, listKey) });
}

/** The pod without the items that the status names and its own annotations; a user's proxy container stands at the end again. */
function withoutAdded(pod: PodLike, status: InjectionStatus): PodLike {
  const { [STATUS]: _, [OVERRIDES]: text, ...annotations } = pod.metadata?.annotations ?? {};
  const overrides = readJson<Overrides>(text) ?? {};
  const spec: Record<string, unknown> = { ...pod.spec };
  for (const list of LISTS) {
    const items = pod.spec[list] as readonly Container[] | undefined;
    const own = list === "containers" || list === "initContainers" ? (overrides[list] ?? []) : [];
    const left = [...keptOf(items ?? [], [...(status[list] ?? []), ...own.map(({ name }) => name)]), ...own];
    if (left.length > 0 || list === "containers") spec[list] = left;
    else delete spec[list];
  }
  return { ...pod, metadata: { ...pod.metadata, annotations }, spec: spec as unknown as PodLike["spec"] };
}

function keptOf(items: readonly Container[], gone: readonly string[]): readonly Container[] {
  return items.filter(({ name }) => !gone.includes(name));
}

/** Istio writes down only names: probes and scrape settings are in the environment of its proxy. */
function restored(left: PodLike, injected: PodLike): PodLike {
  const all = [...injected.spec.containers, ...(injected.spec.initContainers ?? [])];
  const proxy = all.find((container) => container.name === PROXY);
  const env = Object.fromEntries((proxy?.env ?? []).map(({ name, value }) => [name, value]));
  const probers = readJson<Record<string, unknown>>(env["ISTIO_KUBE_APP_PROBERS"]) ?? {};
  const annotations = restoreScrape(left.metadata?.annotations ?? {}, env["ISTIO_PROMETHEUS_ANNOTATIONS"]);
  return {
    ...left,
    metadata: { ...left.metadata, annotations },
    spec: { ...left.spec, containers: restoreProbes(left.spec.containers, probers) },
  };
}

function readJson<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
