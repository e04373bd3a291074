import { type AgentCounts, createCounts } from "./counts.ts";
import { createExposition, type Exposition } from "./exposition.ts";
import { addProcessMetrics } from "./process-metrics.ts";

/** The agent's own metrics, with the names that Istio's agent gives them. */
export interface AgentMetrics {
  csr(outcome: "ok" | "failed", milliseconds: number): void;
  /** A part of a scrape that could not be had. */
  scrapeFailed(part: "application" | "envoy"): void;
  /** Envoy runs as this process; undefined when it has ended. */
  envoyRuns(pid: number | undefined): void;
  /** The certificate that is served now ends then. */
  certificate(notAfter: Date): void;
  /** A DNS query of the application. */
  dnsRequest(): void;
  /** One that the host's resolvers were asked. */
  dnsUpstream(outcome: "ok" | "failed", milliseconds: number): void;
  /** A module of an extension was given to Envoy, or could not be had. */
  readonly module: (outcome: "served" | "failed") => void;
  /** What Envoy tells record by record; handed out with what it counts itself. */
  readonly counts: AgentCounts;
  /** Prometheus text. */
  text(): string;
}

/** A registry of its own, so that tests can run several agents in one process. */
export function createMetrics(version: string): AgentMetrics {
  const all = createExposition();
  const label = "request_type";
  const requests = all.counter("istio_agent_num_outgoing_requests", "Requests to the CA.", label);
  const failed = all.counter("istio_agent_num_failed_outgoing_requests", "Requests to the CA that failed.", label);
  const latency = all.histogram(
    { name: "istio_agent_outgoing_latency", help: "Milliseconds of requests to the CA.", label },
    [5, 10, 25, 50, 100, 250, 500, 1000, 5000],
  );
  const scrapes = all.counter("istio_agent_scrape_failures_total", "Parts of scrapes that failed.", "type");
  let notAfter: Date | undefined;
  all.gauge(
    "istio_agent_cert_expiry_seconds",
    "Seconds until the certificate ends; negative when it has.",
    { resource_name: "default" },
    () => notAfter && (notAfter.getTime() - Date.now()) / 1000,
  );
  let envoy: number | undefined;
  addProcessMetrics(all, { version, envoyPid: () => envoy });
  const dropped = all.counter(
    "istio_agent_counts_dropped_total",
    "Records of Envoy that were not counted, because there were too many label sets.",
  );
  return {
    counts: createCounts({ onDropped: () => dropped.inc() }),
    csr: (outcome, milliseconds) => {
      requests.inc("csr");
      if (outcome === "failed") failed.inc("csr");
      latency.observe(milliseconds, "csr");
    },
    scrapeFailed: (type) => scrapes.inc(type),
    envoyRuns: (pid) => {
      envoy = pid;
    },
    certificate: (end) => {
      notAfter = end;
    },
    ...dnsMetrics(all),
    ...moduleMetrics(all),
    text: () => all.text(),
  };
}

function moduleMetrics(all: Exposition): Pick<AgentMetrics, "module"> {
  const conversions = all.counter(
    "istio_agent_wasm_config_conversion_count",
    "Modules of extensions that were given to Envoy, or could not be had.",
    "result",
  );
  return { module: (outcome) => conversions.inc(outcome === "served" ? "success" : "fetch_failure") };
}

function dnsMetrics(all: Exposition): Pick<AgentMetrics, "dnsRequest" | "dnsUpstream"> {
  const upstream = "istio_agent_dns_upstream";
  const requests = all.counter("istio_agent_dns_requests_total", "DNS queries.");
  const asked = all.counter(`${upstream}_requests_total`, "DNS queries passed on to the resolvers of the host.");
  const failures = all.counter(`${upstream}_failures_total`, "DNS queries passed on that no resolver answered.");
  const durations = all.histogram(
    { name: `${upstream}_request_duration_seconds`, help: "Time that the resolvers of the host took." },
    [0.001, 0.005, 0.01, 0.1, 1, 5],
  );
  return {
    dnsRequest: () => requests.inc(),
    dnsUpstream: (outcome, milliseconds) => {
      asked.inc();
      if (outcome === "failed") failures.inc();
      durations.observe(milliseconds / 1000);
    },
  };
}
