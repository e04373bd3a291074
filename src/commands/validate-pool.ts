import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type ValidateResult, type ValidateTask, validateBlock } from "./validate-block.ts";

/** Takes blocks, in its own thread and in others; results come in any order. */
export interface ValidatePool {
  /** Waits until there is somebody for the block. */
  readonly take: (task: ValidateTask) => Promise<void>;
  /** Waits for all blocks; then the threads are gone. Rejects when a thread failed. */
  readonly finish: () => Promise<void>;
}

/** Blocks that wait at a thread: it has the next at hand while its answer is on the way. */
const QUEUE = 2;

/**
 * A pool of one thread per processor, this one included, when there is work for more than a second: a thread costs 60 ms to start,
 * warms up by itself and takes 40 MB (measured: 7 MB are read and validated faster by one thread, 35 MB by two).
 */
export function createValidatePool(bytes: number, done: (result: ValidateResult) => void): ValidatePool {
  const others = bytes < THREADS_FROM ? 0 : Math.min(availableParallelism() - 1, Math.floor(bytes / THREADS_FROM));
  const threads = others > 0 && existsSync(fileURLToPath(workerUrl)) ? startThreads(others, done) : [];
  return {
    take: async (task) => {
      const free = threads.filter((thread) => thread.waiting() < QUEUE).sort((a, b) => a.waiting() - b.waiting())[0];
      if (free !== undefined) return free.send(task);
      done(validateBlock(task));
      // answers of the threads are heard between blocks
      if (threads.length > 0) await new Promise((resolve) => setImmediate(resolve));
    },
    finish: async () => {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

const THREADS_FROM = 12_000_000;

/** Beside the bundle; without a bundle (tests of the sources) this thread does everything. */
const workerUrl = new URL("../validate-worker.js", import.meta.url);

interface Thread {
  readonly waiting: () => number;
  readonly send: (task: ValidateTask) => void;
  readonly end: () => Promise<void>;
}

function startThreads(count: number, done: (result: ValidateResult) => void): readonly Thread[] {
  return Array.from({ length: count }, () => startThread(done));
}

function startThread(done: (result: ValidateResult) => void): Thread {
  const worker = new Worker(workerUrl);
  let waiting = 0;
  let idle: (() => void) | undefined;
  const failed = new Promise<never>((_resolve, reject) => worker.once("error", reject));
  failed.catch(() => undefined);
  worker.on("message", (result: ValidateResult) => {
    done(result);
    waiting -= 1;
    if (waiting === 0) idle?.();
  });
  return {
    waiting: () => waiting,
    send: (task) => {
      waiting += 1;
      worker.postMessage(task);
    },
    end: async () => {
      if (waiting > 0) await Promise.race([new Promise<void>((resolve) => (idle = resolve)), failed]);
      await worker.terminate();
    },
  };
}
