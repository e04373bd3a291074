import { delay } from "../base/delay.ts";
import type { Derivations } from "../base/derive.ts";
import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { World } from "../resources/world.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface RootCertsDeps {
  readonly cluster: Pick<Cluster, "create" | "mergePatch" | "watch">;
  readonly world: World;
  readonly derivations: Derivations;
  /** PEM of the roots that proxies are to trust; tracked. */
  readonly bundle: () => string;
  /** Tracked: whether we are the one who writes. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
}

const NAME = "istio-ca-root-cert";
const KEY = "root-cert.pem";
const LABELS = { "istio.io/config": "true" };
const RETRY_MS = 1_000;

/**
 * Consumes namespaces and the ConfigMaps named istio-ca-root-cert; offers that ConfigMap with our root in every namespace, and
 * puts it back when it is changed or deleted. Agents read it as a file before they speak to us.
 */
export function createRootCerts(deps: RootCertsDeps): Runner {
  const abort = new AbortController();
  const known = new Map<string, string | undefined>();
  const queue = createWriterQueue("root-certs", (namespace) => write(deps, known, namespace), deps.log);
  let unwatch = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let wanted: readonly string[] = [];

  const check = (namespace: string): void => {
    if (wanted.includes(namespace) && known.get(namespace) !== deps.bundle()) queue.add(namespace);
  };
  const watch = async (): Promise<void> => {
    const kind = { apiVersion: "v1", kind: "ConfigMap" };
    await deps.cluster.watch(
      kind,
      { fieldSelector: `metadata.name=${NAME}` },
      (event) => {
        if (event.type === "SYNCED") {
          unwatch = deps.derivations.effect(() => {
            wanted = deps.isLeader() ? openNamespaces(deps.world) : [];
            for (const namespace of wanted) check(namespace);
          });
          return;
        }
        if (event.object.metadata.name !== NAME) return;
        const namespace = event.object.metadata.namespace ?? "";
        known.set(namespace, event.type === "DELETED" ? undefined : dataOf(event.object));
        check(namespace);
      },
      abort.signal,
    );
  };
  const keepWatching = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await watch();
      } catch (error) {
        deps.log.warn({ error: String(error) }, `cannot list ConfigMaps ${NAME}; trying again`);
        await delay(RETRY_MS, abort.signal);
      }
    }
  };
  return {
    name: "root-certs",
    start() {
      running = keepWatching();
      return Promise.resolve();
    },
    async close() {
      abort.abort();
      unwatch();
      await Promise.all([running, queue.close()]);
    },
  };
}

/** A namespace that is going away takes no new objects. */
function openNamespaces(world: World): readonly string[] {
  return world
    .list("Namespace")
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}

function dataOf(object: KubeObject): string | undefined {
  return (object["data"] as Readonly<Record<string, string>> | undefined)?.[KEY];
}

async function write(deps: RootCertsDeps, known: Map<string, string | undefined>, namespace: string): Promise<void> {
  const data = { [KEY]: deps.bundle() };
  const metadata = { name: NAME, namespace, labels: LABELS };
  try {
    await deps.cluster.create({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
  } catch (error) {
    const code = error instanceof ClusterError ? error.code : "";
    // The namespace went away in the meantime.
    if (code === "not-found" || code === "forbidden") {
      if (deps.world.get("Namespace", "", namespace)?.metadata.deletionTimestamp !== undefined) return;
      if (deps.world.get("Namespace", "", namespace) === undefined) return;
    }
    if (code !== "already-exists") throw error;
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: NAME };
    await deps.cluster.mergePatch(ref, { data, metadata: { labels: LABELS } });
  }
  known.set(namespace, deps.bundle());
}
