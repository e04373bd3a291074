import { delay } from "../base/delay.ts";
import type { KindRef, ListOptions, WatchEvent } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { ApiClient } from "./http.ts";
import { listAll } from "./list.ts";
import { type Discovery, query, type ResourceInfo, resourcePath } from "./paths.ts";

interface WatchDeps {
  readonly client: ApiClient;
  readonly discovery: Discovery;
}

interface WatchTask {
  readonly kind: KindRef;
  readonly options: ListOptions;
  readonly onEvent: (event: WatchEvent) => void;
  readonly signal: AbortSignal;
}

/** How often to look whether a kind that the cluster lacks has appeared. */
const ABSENT_MS = 2_000;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** What we ask the server to end a watch after; it varies so that watches do not all end together. */
const WATCH_SECONDS = 290;
/** How much longer we wait for that end than was agreed, as a share. */
const PATIENCE = 0.1;

/**
 * Lists, then watches until the signal aborts. Invariant: what the caller was told equals what the cluster holds once things
 * are quiet, whatever happened to connections in between (test/e2e/apiserver/kube-client.test.ts). The first list's error is
 * thrown; later ones are retried.
 */
export async function watchKind(deps: WatchDeps, task: WatchTask): Promise<void> {
  const known = new Map<string, KubeObject>();
  let synced = false;
  let backoff = BACKOFF_MIN_MS;
  const say = (event: WatchEvent): void => {
    if (!task.signal.aborted) task.onEvent(event);
  };
  const sync = (): void => {
    if (!synced) say({ type: "SYNCED" });
    synced = true;
  };
  while (!task.signal.aborted) {
    try {
      const info = await deps.discovery.find(task.kind);
      if (info === undefined) {
        reconcile(known, [], say);
        sync();
        await delay(ABSENT_MS, task.signal);
        continue;
      }
      const listed = await listAll(deps.client, info, task.kind, { ...task.options, signal: task.signal });
      reconcile(known, listed.items, say);
      sync();
      backoff = BACKOFF_MIN_MS;
      await follow(deps.client, info, task, { known, say, from: listed.resourceVersion });
    } catch (error) {
      if (task.signal.aborted) return;
      if (!synced) throw error;
      await delay(backoff * (0.5 + Math.random()), task.signal);
      backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
    }
  }
}

/** Tells the difference between what the caller knows and a fresh list. */
function reconcile(
  known: Map<string, KubeObject>,
  items: readonly KubeObject[],
  say: (event: WatchEvent) => void,
): void {
  const present = new Set<string>();
  for (const object of items) {
    const key = keyOf(object);
    present.add(key);
    const old = known.get(key);
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) continue;
    known.set(key, object);
    say({ type: old === undefined ? "ADDED" : "MODIFIED", object });
  }
  for (const [key, object] of known) {
    if (present.has(key)) continue;
    known.delete(key);
    say({ type: "DELETED", object });
  }
}

interface Following {
  readonly known: Map<string, KubeObject>;
  readonly say: (event: WatchEvent) => void;
  readonly from: string;
}

/** Watches from a version, connection after connection, until the server says that the version is gone. */
async function follow(client: ApiClient, info: ResourceInfo, task: WatchTask, state: Following): Promise<void> {
  let version = state.from;
  let backoff = BACKOFF_MIN_MS;
  while (!task.signal.aborted) {
    const { labelSelector, fieldSelector, watchSeconds = WATCH_SECONDS } = task.options;
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + Math.random() / 5));
    const silenceMs = timeoutSeconds * (1 + PATIENCE) * 1000;
    const asked = { watch: true, allowWatchBookmarks: true, resourceVersion: version, timeoutSeconds };
    const path = resourcePath(info, task.options.namespace) + query({ labelSelector, fieldSelector, ...asked });
    const started = Date.now();
    try {
      for await (const event of readEvents(client, path, task.signal, silenceMs)) {
        if (event.type === "ERROR") return;
        version = event.object.metadata.resourceVersion ?? version;
        if (event.type !== "BOOKMARK") remember(state, event);
      }
    } catch (error) {
      if (task.signal.aborted) return;
      if ((error as { code?: string }).code === "gone" || (error as { code?: string }).code === "not-found") return;
    }
    // A watch that ended at once is a server in trouble: wait longer each time; one that lived is taken up again quickly.
    backoff = Date.now() - started < 1_000 ? Math.min(backoff * 2, BACKOFF_MAX_MS) : BACKOFF_MIN_MS;
    await delay(backoff * (0.5 + Math.random()), task.signal);
  }
}

type RawEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: KubeObject }
  | { readonly type: "ERROR"; readonly object: unknown };

function remember(
  state: Following,
  event: Extract<RawEvent, { type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" }>,
): void {
  const key = keyOf(event.object);
  if (event.type === "BOOKMARK") return;
  if (event.type === "DELETED") {
    if (state.known.delete(key)) state.say({ type: "DELETED", object: event.object });
    return;
  }
  const type = state.known.has(key) ? "MODIFIED" : "ADDED";
  state.known.set(key, event.object);
  state.say({ type, object: event.object });
}

async function* readEvents(
  client: ApiClient,
  path: string,
  signal: AbortSignal,
  silenceMs: number,
): AsyncGenerator<RawEvent> {
  const response = await client.stream(path, signal);
  // its end was asked for: who has not even sent that is gone, whatever the connection says
  response.setTimeout(silenceMs, () => {
    client.dropIdle();
    response.destroy(new Error("the watch went silent"));
  });
  let rest = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield JSON.parse(line) as RawEvent;
    }
  } finally {
    response.destroy();
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}
