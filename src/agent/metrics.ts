import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The agent's own metrics, with the names that Istio's agent gives them. */
export interface AgentMetrics {
  csr(outcome: "ok" | "failed", milliseconds: number): void;
  /** A part of a scrape that could not be had. */
  scrapeFailed(part: "application" | "envoy"): void;
  /** The certificate that is served now ends then. */
  certificate(notAfter: Date): void;
  /** Prometheus text. */
  text(): Promise<string>;
}

/** A registry of its own, so that tests can run several agents in one process. */
export function createMetrics(version: string): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  let notAfter: Date | undefined;
  const requests = new Counter({
    name: "istio_agent_num_outgoing_requests",
    help: "Requests to the CA.",
    labelNames: ["request_type"],
    registers,
  });
  const failed = new Counter({
    name: "istio_agent_num_failed_outgoing_requests",
    help: "Requests to the CA that failed.",
    labelNames: ["request_type"],
    registers,
  });
  const latency = new Histogram({
    name: "istio_agent_outgoing_latency",
    help: "Milliseconds of requests to the CA.",
    labelNames: ["request_type"],
    buckets: [5, 10, 25, 50, 100, 250, 500, 1000, 5000],
    registers,
  });
  const scrapes = new Counter({
    name: "istio_agent_scrape_failures_total",
    help: "Parts of scrapes that failed.",
    labelNames: ["type"],
    registers,
  });
  new Gauge({
    name: "istio_agent_cert_expiry_seconds",
    help: "Seconds until the certificate ends; negative when it has.",
    labelNames: ["resource_name"],
    registers,
    collect() {
      if (notAfter !== undefined) this.set({ resource_name: "default" }, (notAfter.getTime() - Date.now()) / 1000);
    },
  });
  new Gauge({
    name: "istio_agent_process_resident_memory_bytes",
    help: "Resident memory of the agent.",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "istio_build",
    help: "Always 1; the label tells the version.",
    labelNames: ["component", "tag"],
    registers,
  }).set({ component: "agent", tag: version }, 1);
  return {
    csr: (outcome, milliseconds) => {
      requests.inc({ request_type: "csr" });
      if (outcome === "failed") failed.inc({ request_type: "csr" });
      latency.observe({ request_type: "csr" }, milliseconds);
    },
    scrapeFailed: (type) => scrapes.inc({ type }),
    certificate: (end) => {
      notAfter = end;
    },
    text: async () => `${await registry.metrics()}\n`,
  };
}
