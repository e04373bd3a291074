import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The agent's own metrics, with the names that Istio's agent gives them. */
export interface AgentMetrics {
  csr(outcome: "ok" | "failed", milliseconds: number): void;
  /** A part of a scrape that could not be had. */
  scrapeFailed(part: "application" | "envoy"): void;
  /** The certificate that is served now ends then. */
  certificate(notAfter: Date): void;
  /** A DNS query of the application. */
  dnsRequest(): void;
  /** One that the host's resolvers were asked. */
  dnsUpstream(outcome: "ok" | "failed", milliseconds: number): void;
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
  processGauges(version, registers);
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
    ...dnsMetrics(registers),
    text: async () => `${await registry.metrics()}\n`,
  };
}

function processGauges(version: string, registers: Registry[]): void {
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
}

function dnsMetrics(registers: Registry[]): Pick<AgentMetrics, "dnsRequest" | "dnsUpstream"> {
  const requests = new Counter({ name: "istio_agent_dns_requests_total", help: "DNS queries.", registers });
  const upstream = new Counter({
    name: "istio_agent_dns_upstream_requests_total",
    help: "DNS queries passed on to the resolvers of the host.",
    registers,
  });
  const failures = new Counter({
    name: "istio_agent_dns_upstream_failures_total",
    help: "DNS queries passed on that no resolver answered.",
    registers,
  });
  const durations = new Histogram({
    name: "istio_agent_dns_upstream_request_duration_seconds",
    help: "Time that the resolvers of the host took.",
    buckets: [0.001, 0.005, 0.01, 0.1, 1, 5],
    registers,
  });
  return {
    dnsRequest: () => requests.inc(),
    dnsUpstream: (outcome, milliseconds) => {
      upstream.inc();
      if (outcome === "failed") failures.inc();
      durations.observe(milliseconds / 1000);
    },
  };
}
