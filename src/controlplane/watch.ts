import { setMaxListeners } from "node:events";
import { delay } from "../base/delay.ts";
import { ClusterError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ClusterReader, ListOptions, WatchEvent } from "../resources/cluster.ts";
import { apiVersionOf, KINDS, type KindName } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { WorldChange } from "../resources/world.ts";
import { type DebounceState, dueAt, idleDebounce, noteActed, noteChange } from "./debounce.ts";
import type { Runner } from "./runner.ts";

/** One watch of the control plane. */
export interface Watched {
  readonly kind: KindName;
  readonly options?: ListOptions;
  /** Without the permission to see it there is none of it, until that changes. */
  readonly optional?: boolean;
}

export interface WatchDeps {
  readonly cluster: Pick<ClusterReader, "watch">;
  readonly watched: readonly Watched[];
  /** Gets the changes of a burst at once. What it throws is a defect and is logged. */
  readonly apply: (changes: readonly WorldChange[]) => void;
  readonly onSynced: () => void;
  readonly onApplied?: (facts: {
    readonly changes: readonly WorldChange[];
    readonly tookMs: number;
    readonly waitedMs: number;
  }) => void;
  readonly log: Logger;
}

const RETRY_MS = 1_000;
/** How often to look whether what may not be seen may be seen by now. */
const FORBIDDEN_MS = 30_000;

/**
 * Consumes the API server's watches; offers their objects to the World, one batch for a burst of changes, and says when all
 * first lists are in it. Watches go on for ever; a first list that fails (no permission, no server yet) is tried again.
 */
export function createWatches(deps: WatchDeps): Runner {
  const abort = new AbortController();
  // One signal ends all watches: their number is no leak.
  setMaxListeners(0, abort.signal);
  const batch = createBatch(deps);
  let unsynced = deps.watched.length;
  let running: Promise<unknown> = Promise.resolve();

  const onEvent = (event: Exclude<WatchEvent, { type: "SYNCED" }>): void => {
    batch.add({ type: event.type === "DELETED" ? "delete" : "set", object: slim(event.object) });
  };
  const onListed = (): void => {
    unsynced -= 1;
    if (unsynced > 0) return;
    batch.flush();
    deps.onSynced();
  };
  const run = async ({ kind, options = {}, optional = false }: Watched): Promise<void> => {
    const ref = { apiVersion: apiVersionOf(kind), kind: KINDS[kind].kind };
    let isListed = false;
    const listed = (): void => {
      if (!isListed) onListed();
      isListed = true;
    };
    while (!abort.signal.aborted) {
      try {
        await deps.cluster.watch(
          ref,
          options,
          (event) => (event.type === "SYNCED" ? listed() : onEvent(event)),
          abort.signal,
        );
      } catch (error) {
        const isForbidden = optional && error instanceof ClusterError && error.code === "forbidden";
        if (!isForbidden) deps.log.warn({ kind, error: errorText(error) }, "cannot list; trying again");
        else if (!isListed) deps.log.info({ kind }, "may not be listed: it counts as none");
        if (isForbidden) listed();
        await delay(isForbidden ? FORBIDDEN_MS : RETRY_MS, abort.signal);
      }
    }
  };
  return {
    name: "watch",
    start() {
      running = Promise.all(deps.watched.map(run));
      return Promise.resolve();
    },
    async close() {
      abort.abort();
      batch.close();
      await running;
    },
  };
}

/** Without what only the API server reads: half of an object's memory. */
function slim(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  return managedFields === undefined ? object : { ...object, metadata };
}

interface Batch {
  readonly add: (change: WorldChange) => void;
  readonly flush: () => void;
  readonly close: () => void;
}

function createBatch(deps: Pick<WatchDeps, "apply" | "log" | "onApplied">): Batch {
  let state: DebounceState = idleDebounce;
  let changes: WorldChange[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = performance.now();
    const { firstAt = now } = state;
    const burst = changes;
    changes = [];
    try {
      deps.apply(burst);
    } catch (error) {
      deps.log.error({ error: errorText(error), changes: burst.length }, "a change could not be worked in");
    }
    const tookMs = performance.now() - now;
    state = noteActed(state, tookMs);
    deps.onApplied?.({ changes: burst, tookMs, waitedMs: now - firstAt });
  };
  const arm = (): void => {
    const due = dueAt(state);
    if (due === undefined || timer !== undefined || isClosed) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        // Changes that came in since have moved the moment: look again.
        if ((dueAt(state) ?? 0) > performance.now()) arm();
        else flush();
      },
      Math.max(0, due - performance.now()),
    );
  };
  return {
    add(change) {
      changes.push(change);
      state = noteChange(state, performance.now());
      arm();
    },
    flush,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
