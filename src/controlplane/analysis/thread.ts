import { Worker } from "node:worker_threads";
import type { WorldChange } from "../../resources/world.ts";
import type { AnalysisReport, JobOptions } from "./job.ts";

/** What goes to the thread. */
export type AnalysisRequest =
  | { readonly type: "changes"; readonly changes: readonly WorldChange[] }
  | { readonly type: "run"; readonly options: JobOptions };

/** A thread that analyses. */
export interface AnalysisThread {
  /** Resolves when all were handed over; the caller's own work goes on between the slices. */
  send(changes: readonly WorldChange[]): Promise<void>;
  /** One at a time. Rejects when the thread ended. */
  run(options: JobOptions): Promise<AnalysisReport>;
  close(): Promise<void>;
}

/**
 * Objects that are copied to the thread in one go. Copying is the only part of an analysis that the control plane's own thread
 * does: 50 objects take about half a millisecond.
 */
export const SLICE = 50;

/** Starts src/analysis-worker.ts, as it was built at `url`. */
export function startAnalysisThread(url: URL): AnalysisThread {
  const worker = new Worker(url, { name: "analysis" });
  // an analysis must not keep a control plane that stops alive
  worker.unref();
  let waiting: { resolve: (report: AnalysisReport) => void; reject: (error: Error) => void } | undefined;
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    waiting?.reject(ended);
    waiting = undefined;
  };
  worker.on("error", (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => end(new Error(`the analysis thread ended with code ${code}`)));
  worker.on("message", (report: AnalysisReport) => {
    waiting?.resolve(report);
    waiting = undefined;
  });
  const post = (message: AnalysisRequest): void => worker.postMessage(message);
  return {
    async send(changes) {
      for (let from = 0; from < changes.length; from += SLICE) {
        post({ type: "changes", changes: changes.slice(from, from + SLICE) });
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    run: (options) =>
      new Promise((resolve, reject) => {
        if (ended === undefined) {
          waiting = { resolve, reject };
          post({ type: "run", options });
        } else reject(ended);
      }),
    async close() {
      await worker.terminate();
    },
  };
}
