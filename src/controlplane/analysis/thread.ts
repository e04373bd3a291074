import { Worker } from "node:worker_threads";
import type { WorldChange } from "../../resources/world.ts";
import type { AnalysisSummary, JobOptions } from "./job.ts";
import type { StatusChange } from "./status.ts";

/** What goes to the thread; every question is answered in turn. */
export type AnalysisRequest =
  | { readonly type: "changes"; readonly changes: readonly WorldChange[] }
  | { readonly type: "run"; readonly options: JobOptions }
  | { readonly type: "report"; readonly namespace: string }
  | { readonly type: "statuses" };

/** A thread that analyses. What it is asked rejects when the thread ended. */
export interface AnalysisThread {
  /** Resolves when all were handed over; the caller's own work goes on between the slices. */
  send(changes: readonly WorldChange[]): Promise<void>;
  run(options: JobOptions): Promise<AnalysisSummary>;
  /** The last report as JSON bytes: thousands of findings are not copied through the caller's heap. */
  report(namespace: string): Promise<Uint8Array>;
  statuses(): Promise<readonly StatusChange[]>;
  close(): Promise<void>;
}

/** Objects that are copied to the thread in one go. Copying them is all that an analysis costs the caller's thread. */
export const SLICE = 50;

/** Starts src/analysis-worker.ts, as it was built at `url`. */
export function startAnalysisThread(url: URL): AnalysisThread {
  const worker = new Worker(url, { name: "analysis" });
  // an analysis must not keep a control plane that stops alive
  worker.unref();
  const waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = [];
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on("error", (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => end(new Error(`the analysis thread ended with code ${code}`)));
  worker.on("message", (answer: unknown) => waiting.shift()?.resolve(answer));
  const post = (message: AnalysisRequest): void => worker.postMessage(message);
  const ask = (message: AnalysisRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended === undefined) {
        waiting.push({ resolve, reject });
        post(message);
      } else reject(ended);
    });
  return {
    async send(changes) {
      for (let from = 0; from < changes.length; from += SLICE) {
        post({ type: "changes", changes: changes.slice(from, from + SLICE) });
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    run: async (options) => (await ask({ type: "run", options })) as AnalysisSummary,
    report: async (namespace) => (await ask({ type: "report", namespace })) as Uint8Array,
    statuses: async () => (await ask({ type: "statuses" })) as readonly StatusChange[],
    async close() {
      await worker.terminate();
    },
  };
}
