import { parentPort } from "node:worker_threads";
import { createAnalysisJob } from "./controlplane/analysis/job.ts";
import type { AnalysisRequest } from "./controlplane/analysis/thread.ts";

/** The thread in which meshd analyses: holds a copy of the cluster's objects. Started by src/controlplane/analysis/thread.ts. */
const job = createAnalysisJob();
parentPort?.on("message", (request: AnalysisRequest) => {
  if (request.type === "changes") job.apply(request.changes);
  else if (request.type === "run") parentPort?.postMessage(job.run(request.options));
  else if (request.type === "statuses") parentPort?.postMessage(job.statuses());
  else {
    const bytes = new TextEncoder().encode(JSON.stringify(job.report(request.namespace)));
    parentPort?.postMessage(bytes, [bytes.buffer]);
  }
});
