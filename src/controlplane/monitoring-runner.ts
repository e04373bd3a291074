import { createServer } from "node:http";
import type { Analysis } from "./analysis/analysis.ts";
import { answerMonitoring, type MonitoringDeps } from "./debug.ts";
import { questionsOf } from "./questions.ts";
import { answering, type Listening, listen } from "./http.ts";
import type { Runner } from "./runner.ts";
import type { Shared } from "./shared.ts";

/** Offers /ready, on 8080. */
export function createReadinessRunner(shared: Shared, isReady: () => boolean): Runner {
  let listening: Listening | undefined;
  const handler = answering((_request, url) => {
    if (url.pathname !== "/ready") return { status: 404, body: "not found\n" };
    return isReady() ? { status: 200, body: "" } : { status: 503, body: "not in sync with the cluster yet\n" };
  }, shared.onFault);
  return {
    name: "readiness",
    async start() {
      listening = await listen(createServer(handler), shared.options.listen.http);
      shared.ports.http = listening.port;
    },
    close: async () => listening?.close(),
  };
}

/** What questions to the control plane are answered from, on 15014 and over xDS. */
export function monitoringDeps(shared: Shared, analysis: Analysis): MonitoringDeps {
  return {
    metrics: shared.metrics,
    streams: shared.streams,
    authenticate: shared.authenticate,
    debugNamespaces: [shared.options.namespace, ...(shared.options.debugNamespaces ?? [])],
    analyse: (ofNamespace: string) => analysis.report(ofNamespace),
    more: questionsOf(shared),
  };
}

/** Consumes metrics, streams and findings; offers 15014. */
export function createMonitoringRunner(shared: Shared, deps: MonitoringDeps): Runner {
  let listening: Listening | undefined;
  return {
    name: "monitoring",
    async start() {
      const handler = answering((request, url) => answerMonitoring(deps, request, url), shared.onFault);
      listening = await listen(createServer(handler), shared.options.listen.monitoring);
      shared.ports.monitoring = listening.port;
    },
    close: async () => listening?.close(),
  };
}
