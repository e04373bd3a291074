import { delay } from "../base/delay.ts";
import type { Derivations } from "../base/derive.ts";
import { ClusterError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { World } from "../resources/world.ts";
import type { AuthorityRunner } from "./authority-runner.ts";
import type { Runner } from "./runner.ts";
import { createWriterQueue } from "./writer-queue.ts";

export interface RootCertsDeps {
  readonly cluster: Pick<Cluster, "create" | "mergePatch" | "watch">;
  readonly world: World;
  readonly derivations: Derivations;
  /** Name of the ConfigMap. */
  readonly name: string;
  /** What it is to hold; tracked. Without any text it is not made, and one that is there is emptied. */
  readonly data: () => Readonly<Record<string, string>>;
  /** Tracked: whether we are the one who writes. */
  readonly isLeader: () => boolean;
  readonly log: Logger;
}

/** ConfigMaps of every namespace, under Istio's names. */
export const ROOTS_MAP = "istio-ca-root-cert";
export const REVOCATIONS_MAP = "istio-ca-crl";

const LABELS = { "istio.io/config": "true" };
const RETRY_MS = 1_000;

/**
 * What agents read as files: the roots to trust, and the certificate that signs now, so that a workload with another authority's
 * certificate asks for a new one at once (not of an external signer, which is not known). Empty before the authority is open.
 * `federated`: as trustBundlesData has it. Tracked.
 */
export function rootsData(
  authority: Pick<AuthorityRunner, "ca" | "bundle">,
  isExternal: boolean,
  federated: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const bundle = authority.bundle();
  if (bundle === "") return {};
  const signing = isExternal ? {} : { "signing-cert.pem": authority.ca().certificate };
  return { "root-cert.pem": bundle, ...signing, ...federated };
}

/** What agents read as files: revocation lists, and how far they reach. Tracked. */
export function revocationsData(authority: Pick<AuthorityRunner, "revocations">): Readonly<Record<string, string>> {
  const revocations = authority.revocations();
  return revocations === undefined ? {} : { "ca-crl.pem": revocations.pem, scope: revocations.scope };
}

/**
 * Consumes namespaces and the ConfigMaps of one name; offers that ConfigMap with our data in every namespace, and puts it back
 * when it is changed or deleted. Agents read it as a file before they speak to us.
 */
export function createRootCerts(deps: RootCertsDeps): Runner {
  const abort = new AbortController();
  const known = new Map<string, string | undefined>();
  const queue = createWriterQueue(deps.name, (namespace) => write(deps, known, namespace), deps.log);
  let unwatch = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let wanted: readonly string[] = [];

  const check = (namespace: string): void => {
    const data = deps.data();
    const isEmpty = Object.keys(data).length === 0 && known.get(namespace) === undefined;
    if (!isEmpty && wanted.includes(namespace) && known.get(namespace) !== textOf(data)) queue.add(namespace);
  };
  const watch = async (): Promise<void> => {
    const kind = { apiVersion: "v1", kind: "ConfigMap" };
    await deps.cluster.watch(
      kind,
      { fieldSelector: `metadata.name=${deps.name}` },
      (event) => {
        if (event.type === "SYNCED") {
          unwatch = deps.derivations.effect(() => {
            deps.data();
            wanted = deps.isLeader() ? openNamespaces(deps.world) : [];
            for (const namespace of wanted) check(namespace);
          });
          return;
        }
        if (event.object.metadata.name !== deps.name) return;
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
        deps.log.warn({ error: String(error) }, `cannot list ConfigMaps ${deps.name}; trying again`);
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

type Data = Readonly<Record<string, string>>;

function dataOf(object: KubeObject): string {
  return textOf((object["data"] ?? {}) as Data);
}

/** The same for equal data. */
function textOf(data: Data): string {
  return JSON.stringify(Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function write(deps: RootCertsDeps, known: Map<string, string | undefined>, namespace: string): Promise<void> {
  const data = deps.data();
  const { name } = deps;
  const metadata = { name, namespace, labels: LABELS };
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
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name };
    const there = keysIn(known.get(namespace)).map((key) => [key, null] as const);
    await deps.cluster.mergePatch(ref, {
      data: { ...Object.fromEntries(there), ...data },
      metadata: { labels: LABELS },
    });
  }
  known.set(namespace, textOf(data));
}

/** What is there and is ours no more goes. */
function keysIn(text: string | undefined): readonly string[] {
  return text === undefined ? [] : (JSON.parse(text) as readonly (readonly [string, string])[]).map(([key]) => key);
}
