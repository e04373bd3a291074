/** How a piece of work asks to be run again although nothing changed. */
export interface Again {
  readonly afterMs: number;
}

export interface QueueOptions {
  readonly work: (key: string) => Promise<Again | undefined>;
  /** Called for a failure that is not a write conflict; `attempt` counts from 1 since the last success. */
  readonly onError: (key: string, error: unknown, attempt: number) => void;
  readonly signal: AbortSignal;
}

const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 5000;

/** HTTP code of an endpoint refusal, or undefined for any other thrown value. */
export function statusCode(error: unknown): number | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** Nothing can be made in a namespace that is being deleted, and what is there goes with it: no reason to try again. */
function isNamespaceGoing(error: unknown): boolean {
  const { details } = error as { details?: { causes?: readonly { reason?: string }[] } };
  return statusCode(error) === 403 && details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;
}

/**
 * Keys to be worked on: each at most once at a time, once more when it changed meanwhile, again with growing pauses after a
 * failure. Returns the function that adds a key.
 */
export function createQueue({ work, onError, signal }: QueueOptions): (key: string) => void {
  const dirty = new Set<string>();
  const running = new Set<string>();
  const attempts = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  signal.addEventListener("abort", () => {
    for (const timer of timers) clearTimeout(timer);
  });
  const later = (key: string, afterMs: number): void => {
    if (signal.aborted) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      add(key);
    }, afterMs);
    timers.add(timer);
  };
  const run = async (key: string): Promise<void> => {
    try {
      const again = await work(key);
      attempts.delete(key);
      if (again !== undefined) later(key, again.afterMs);
    } catch (error) {
      if (signal.aborted) return;
      const attempt = (attempts.get(key) ?? 0) + 1;
      attempts.set(key, attempt);
      if (isNamespaceGoing(error)) return;
      if (statusCode(error) !== 409) onError(key, error, attempt);
      later(key, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1)));
    }
  };
  const step = (key: string): void => {
    if (signal.aborted || running.has(key) || !dirty.delete(key)) return;
    running.add(key);
    void run(key).finally(() => {
      running.delete(key);
      step(key);
    });
  };
  const add = (key: string): void => {
    if (!dirty.has(key)) {
      dirty.add(key);
      queueMicrotask(() => {
        step(key);
      });
    }
  };
  return add;
}
