import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";

/** Work by key, one at a time; the same key while it waits is one piece of work. */
export interface WriterQueue {
  add(key: string): void;
  /** Forgets what waits and resolves when the piece now running is done. */
  close(): Promise<void>;
}

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;

/** Runs `work` for each key; one that throws is tried again after a pause that grows, without holding up the others. */
export function createWriterQueue(name: string, work: (key: string) => Promise<void>, log: Logger): WriterQueue {
  const waiting = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let isClosed = false;
  let running: Promise<void> | undefined;

  const retry = (key: string, error: unknown): void => {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    if (isClosed) return;
    const pause = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (count - 1));
    // What is not there yet comes while things start up; only what goes on failing is worth a warning.
    const level = count < 5 ? "info" : "warn";
    log[level]({ writer: name, key, error: errorText(error), pause }, "could not write; trying again");
    const timer = setTimeout(() => {
      timers.delete(timer);
      add(key);
    }, pause);
    timers.add(timer);
  };
  const run = async (): Promise<void> => {
    for (const key of waiting) {
      waiting.delete(key);
      if (isClosed) return;
      try {
        await work(key);
        failures.delete(key);
      } catch (error) {
        retry(key, error);
      }
    }
    running = undefined;
  };
  const add = (key: string): void => {
    if (isClosed) return;
    waiting.add(key);
    running ??= run();
  };
  return {
    add,
    async close() {
      isClosed = true;
      waiting.clear();
      for (const timer of timers) clearTimeout(timer);
      await running;
    },
  };
}
