import { ClusterError, MeshError } from "../../base/errors.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Change } from "../../why/types.ts";
import { controlPlanePods, getJson } from "../pod-http.ts";
import { list, record, text } from "../proxy-config/view.ts";

const MONITORING_PORT = 15_014;
export const CHANGES_PATH = "/debug/changes";
export const SYNC_PATH = "/debug/syncz";

/** What the control plane knows that helps: what was changed of late, and what proxies refused. */
export interface ControlPlaneWords {
  readonly changes: readonly Change[];
  /** `pod.namespace` -> Envoy's words. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
}

/** Nothing was asked. */
export const NO_WORDS: ControlPlaneWords = { changes: [], refused: new Map() };

/** Asks every control plane pod; what none answers is not there. */
export async function askControlPlane(cluster: Cluster, namespace: string): Promise<ControlPlaneWords> {
  const pods = await controlPlanePods(cluster, namespace).catch((error: unknown) => {
    if (error instanceof ClusterError) return [];
    throw error;
  });
  const changes = new Map<string, Change>();
  const refused = new Map<string, readonly string[]>();
  for (const { metadata } of pods) {
    const target = { namespace, pod: metadata.name, port: MONITORING_PORT };
    for (const change of (await asked(cluster, target, CHANGES_PATH)) as readonly Change[]) {
      const key = `${change.kind} ${change.namespace}/${change.name} ${change.generation ?? change.time}`;
      const known = changes.get(key);
      if (known === undefined || (known.user === undefined && change.user !== undefined)) changes.set(key, change);
    }
    for (const status of await asked(cluster, target, SYNC_PATH)) {
      const words = Object.values(record(status, "types")).map((type) => text(type, "lastError"));
      const proxy = text(status, "proxy");
      const all = [...(refused.get(proxy) ?? []), ...words.filter(Boolean)];
      if (all.length > 0) refused.set(proxy, all);
    }
  }
  return { changes: [...changes.values()].toSorted((a, b) => (a.time < b.time ? -1 : 1)), refused };
}

async function asked(
  cluster: Cluster,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
  path: string,
): Promise<readonly unknown[]> {
  try {
    return list({ answer: await getJson(cluster, target, path) }, "answer");
  } catch (error) {
    if (error instanceof MeshError) return [];
    throw error;
  }
}
