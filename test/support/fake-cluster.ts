import { isDeepStrictEqual } from "node:util";
import type { Duplex } from "node:stream";
import { ClusterError } from "../../src/base/errors.ts";
import { merge } from "../../src/base/merge.ts";
import type { Cluster, KindRef, ListOptions, LogTarget, TargetRef, WatchEvent } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";

/** A cluster in memory: the contract of Cluster over a map, without defaults, controllers or admission. */
export interface FakeCluster extends Cluster {
  readonly objects: () => readonly KubeObject[];
  /** Sets an object as if a controller had: watchers hear of it. */
  readonly set: (object: KubeObject) => void;
  /** Calls that changed something, e.g. "apply Deployment istio-system/istiod". */
  readonly changes: () => readonly string[];
}

export interface FakeClusterOptions {
  readonly objects?: readonly KubeObject[];
  /** Resources that canI refuses. */
  readonly forbidden?: readonly string[];
  /** Kinds that list refuses. */
  readonly unlisted?: readonly string[];
  /** Kinds the server does not have. */
  readonly unserved?: readonly string[];
  /** What the context is called; default `fake`. */
  readonly name?: string;
  readonly portForward?: (target: { namespace: string; pod: string; port: number }) => Duplex;
  /** What containers wrote, and whatever a follower hears after it; without it there are no logs. */
  readonly logs?: (target: LogTarget) => readonly string[];
  /** Stands in for controllers: called with every applied object, may return what becomes of it. */
  readonly onApply?: (object: KubeObject) => KubeObject;
}

export function fakeCluster(options: FakeClusterOptions = {}): FakeCluster {
  const store = new Map<string, KubeObject>();
  const watchers = new Set<{ kind: KindRef; options: ListOptions; onEvent: (event: WatchEvent) => void }>();
  const changes: string[] = [];
  let version = 0;

  const keyOf = (kind: string, namespace: string | undefined, name: string): string =>
    `${kind} ${namespace ?? ""}/${name}`;
  const tell = (type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): void => {
    for (const watcher of watchers)
      if (watcher.kind.kind === object.kind && matches(object, watcher.options)) watcher.onEvent({ type, object });
  };
  const put = (object: KubeObject): KubeObject => {
    const key = keyOf(object.kind, object.metadata.namespace, object.metadata.name);
    const old = store.get(key);
    if (old !== undefined && isDeepStrictEqual(content(old), content(object))) return old;
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    store.set(key, stored);
    tell(old === undefined ? "ADDED" : "MODIFIED", stored);
    return stored;
  };
  for (const object of options.objects ?? []) put(object);
  const find = (kind: KindRef, list: ListOptions): KubeObject[] =>
    [...store.values()].filter(
      (object) => object.kind === kind.kind && groupOf(object) === groupOf(kind) && matches(object, list),
    );
  const unused = (name: string) => (): never => {
    throw new Error(`fake cluster: ${name} is not there`);
  };

  return {
    objects: () => [...store.values()],
    set: (object) => void put(object),
    changes: () => changes,
    context: { name: options.name ?? "fake", server: "https://fake" },
    serves: ({ kind }) => Promise.resolve(options.unserved?.includes(kind) !== true),
    get: ({ kind, namespace, name }: TargetRef) => Promise.resolve(store.get(keyOf(kind, namespace, name))),
    list: (kind, list = {}) =>
      options.unlisted?.includes(kind.kind) === true
        ? Promise.reject(new ClusterError("forbidden", `${kind.kind} is forbidden: may not list`))
        : Promise.resolve(find(kind, list)),
    watch(kind, list, onEvent, signal) {
      const watcher = { kind, options: list, onEvent };
      watchers.add(watcher);
      for (const object of find(kind, list)) onEvent({ type: "ADDED", object });
      onEvent({ type: "SYNCED" });
      return new Promise((resolve) => {
        const end = (): void => {
          watchers.delete(watcher);
          resolve();
        };
        if (signal.aborted) end();
        else signal.addEventListener("abort", end, { once: true });
      });
    },
    version: () => Promise.resolve({ gitVersion: "v1.36.3", major: "1", minor: "36" }),
    canI: ({ resource }) =>
      Promise.resolve(
        resource === "*" ? (options.forbidden ?? []).length === 0 : options.forbidden?.includes(resource) !== true,
      ),
    mayAccount: (_account, { resource }) => Promise.resolve(options.forbidden?.includes(resource) !== true),
    logs: (target) => Promise.resolve().then(() => (options.logs ?? unused("logs"))(target).join("")),
    ...(options.logs !== undefined && {
      followLogs: async function* (target: LogTarget) {
        yield* options.logs?.(target) ?? [];
      },
    }),
    portForward: (target) => Promise.resolve().then(() => (options.portForward ?? unused("portForward"))(target)),
    apply(object, { dryRun }) {
      const old = store.get(keyOf(object.kind, object.metadata.namespace, object.metadata.name));
      const merged = (old === undefined ? object : merge(old, object)) as KubeObject;
      if (dryRun === true) return Promise.resolve(merged);
      changes.push(`apply ${keyOf(object.kind, object.metadata.namespace, object.metadata.name)}`);
      return Promise.resolve(put(options.onApply?.(merged) ?? merged));
    },
    create: (object) => Promise.resolve(put(object)),
    mergePatch({ kind, namespace, name }, patch) {
      const key = keyOf(kind, namespace, name);
      const old = store.get(key);
      if (old === undefined) return Promise.reject(new ClusterError("not-found", `${key} is not there`));
      changes.push(`patch ${key}`);
      return Promise.resolve(put(mergePatch(old, patch) as KubeObject));
    },
    replace: (object) => Promise.resolve(put(object)),
    delete({ kind, namespace, name }) {
      const key = keyOf(kind, namespace, name);
      changes.push(`delete ${key}`);
      const old = store.get(key);
      store.delete(key);
      if (old !== undefined) tell("DELETED", old);
      return Promise.resolve();
    },
    createToken: ({ namespace, serviceAccount, audiences }) =>
      Promise.resolve(`token of ${namespace}/${serviceAccount} for ${audiences.join(",")}`),
    reviewToken: unused("reviewToken"),
  };
}

/** RFC 7386. */
function mergePatch(old: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const out: Record<string, unknown> = typeof old === "object" && old !== null && !Array.isArray(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

/** Two groups may have a kind of the same name: Gateway. */
function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function content({ metadata, ...rest }: KubeObject): unknown {
  const { resourceVersion: _, ...meta } = metadata;
  return { ...rest, metadata: meta };
}

function matches(object: KubeObject, { namespace, labelSelector, fieldSelector }: ListOptions): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  const labels = (labelSelector ?? "")
    .split(",")
    .filter((part) => part !== "")
    .every((part) => {
      const [key = "", value] = part.split("=");
      const own = object.metadata.labels?.[key];
      // a key alone asks whether there is one
      return value === undefined ? own !== undefined : own === value;
    });
  const fields = pairs(fieldSelector).every(([path, value]) => {
    const found = path
      .replace(/!$/, "")
      .split(".")
      .reduce<unknown>((data, key) => (data as Record<string, unknown> | undefined)?.[key], object);
    return path.endsWith("!") ? found !== value : found === value;
  });
  return labels && fields;
}

function pairs(selector: string | undefined): [string, string][] {
  return (selector ?? "")
    .split(",")
    .filter((part) => part !== "")
    .map((part) => part.split("=") as [string, string]);
}
