import { setTimeout as delay } from "node:timers/promises";
import { ClusterError, errorText } from "../base/errors.ts";
import type { Cluster, KindRef } from "../resources/cluster.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { targetOf } from "./apply.ts";
import { reasonOf } from "./reason.ts";
import { isReady, waitsFor } from "./readiness.ts";

export interface WaitOptions {
  /** Milliseconds from now until waiting ends with an error. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called with what is not ready yet, and why where that is known. */
  readonly onProgress: (waiting: readonly Waiting[]) => void;
}

export interface Waiting {
  readonly object: KubeObject;
  readonly reason: string | undefined;
}

/** How often the reason for waiting is looked up for the progress line. */
const REASON_INTERVAL_MS = 2000;

/**
 * Waits until every object that has a state to reach is ready, by watching, not by asking again. Throws ClusterError when
 * time is over, with the reason each object itself gives (its conditions, its pods, their events).
 */
export async function waitReady(cluster: Cluster, objects: readonly KubeObject[], options: WaitOptions): Promise<void> {
  const open = new Map(objects.filter(waitsFor).map((object) => [keyOf(object), object]));
  const ready = (live: KubeObject): void => {
    if (open.has(keyOf(live)) && isReady(live)) open.delete(keyOf(live));
  };
  const task: Task = {
    objects: [...open.values()],
    isDone: () => open.size === 0,
    isOpen: (live) => live === undefined || !isReady(live),
    failure: "not ready",
    options,
  };
  await watchUntil(cluster, task, (event) => {
    if (event.type === "set") ready(event.object);
  });
}

/** Waits until none of the objects exists any more. */
export async function waitGone(cluster: Cluster, objects: readonly KubeObject[], options: WaitOptions): Promise<void> {
  const open = new Map(objects.map((object) => [keyOf(object), object]));
  const seen = new Map<string, Set<string>>();
  const task: Task = {
    objects,
    isDone: () => open.size === 0,
    isOpen: (live) => live !== undefined,
    failure: "still there",
    options,
  };
  await watchUntil(cluster, task, (event) => {
    if (event.type === "set") mark(seen, event.object);
    if (event.type === "gone") open.delete(keyOf(event.object));
    if (event.type !== "listed") return;
    for (const [key, object] of open) if (isOf(object, event.kind) && !isSeen(seen, object)) open.delete(key);
  });
}

type Seen =
  | { readonly type: "set"; readonly object: KubeObject }
  | { readonly type: "gone"; readonly object: KubeObject }
  | { readonly type: "listed"; readonly kind: KindRef };

interface Task {
  readonly objects: readonly KubeObject[];
  readonly isDone: () => boolean;
  /** Whether an object in this state is still waited for. */
  readonly isOpen: (live: KubeObject | undefined) => boolean;
  /** What an object is that is waited for: "not ready". */
  readonly failure: string;
  readonly options: WaitOptions;
}

async function watchUntil(cluster: Cluster, task: Task, see: (event: Seen) => void): Promise<void> {
  const { options } = task;
  if (task.isDone()) return;
  const end = new AbortController();
  const stop = (): void => end.abort();
  options.signal.addEventListener("abort", stop);
  const timer = setTimeout(stop, options.timeoutMs);
  const reporter = reportReasons(cluster, task, end.signal);
  try {
    await Promise.all(
      kindsOf(task.objects).map(({ namespace, ...kind }) =>
        cluster.watch(
          kind,
          namespace === undefined ? {} : { namespace },
          (event) => {
            if (event.type === "SYNCED") see({ type: "listed", kind });
            else see({ type: event.type === "DELETED" ? "gone" : "set", object: event.object });
            if (task.isDone()) stop();
          },
          end.signal,
        ),
      ),
    );
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
    end.abort();
    await reporter;
  }
  options.signal.throwIfAborted();
  if (!task.isDone()) throw await tooLong(cluster, task);
}

/** Tells the caller every few seconds what is still open and why, until `signal` aborts. */
async function reportReasons(cluster: Cluster, task: Task, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isOver = await delay(REASON_INTERVAL_MS, false, { signal }).catch(() => true);
    if (isOver) return;
    task.options.onProgress(await waitingOf(cluster, task).catch(() => []));
  }
}

async function waitingOf(cluster: Cluster, task: Task): Promise<readonly Waiting[]> {
  const live = await Promise.all(task.objects.map((object) => cluster.get(targetOf(object))));
  const open = task.objects.filter((_, index) => task.isOpen(live[index]));
  return Promise.all(open.map(async (object) => ({ object, reason: await reasonOf(cluster, object) })));
}

async function tooLong(cluster: Cluster, task: Task): Promise<ClusterError> {
  const waiting = await waitingOf(cluster, task).catch((error: unknown) => errorText(error));
  const lines =
    typeof waiting === "string"
      ? [waiting]
      : waiting.map(({ object, reason }) => `${refText(refOf(object))}: ${reason ?? "no reason given"}`);
  const seconds = Math.round(task.options.timeoutMs / 1000);
  return new ClusterError("not-ready", `${task.failure} after ${seconds} s:\n  ${lines.join("\n  ")}`, {
    hint: "Repair what is named above and run the command again; it continues where it stopped.",
  });
}

/** The kinds of the objects, each with the namespace that all objects of it are in, if there is one. */
function kindsOf(objects: readonly KubeObject[]): (KindRef & { readonly namespace?: string })[] {
  const kinds = new Map<string, KindRef & { readonly namespace?: string }>();
  for (const { apiVersion, kind, metadata } of objects) {
    const key = `${apiVersion}/${kind}`;
    const known = kinds.get(key);
    const isShared =
      metadata.namespace !== undefined && (known === undefined || known.namespace === metadata.namespace);
    kinds.set(key, isShared ? { apiVersion, kind, namespace: metadata.namespace } : { apiVersion, kind });
  }
  return [...kinds.values()];
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

function isOf(object: KubeObject, kind: KindRef): boolean {
  return object.kind === kind.kind && object.apiVersion === kind.apiVersion;
}

function mark(seen: Map<string, Set<string>>, object: KubeObject): void {
  const keys = seen.get(object.kind) ?? new Set();
  seen.set(object.kind, keys.add(keyOf(object)));
}

function isSeen(seen: ReadonlyMap<string, ReadonlySet<string>>, object: KubeObject): boolean {
  return seen.get(object.kind)?.has(keyOf(object)) === true;
}
