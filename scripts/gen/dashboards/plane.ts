import { type Dashboard, graph, orZero, quantile, rates, stat } from "./types.ts";

const ISTIOD = 'app="istiod"';

const controlPlane: Dashboard = {
  id: "control-plane",
  title: "Control plane",
  help: "How configuration reaches proxies, who gets certificates, what the webhooks decide.",
  variables: [],
  rows: [
    {
      title: "Now",
      panels: [
        stat("Proxies", "short", "sum(pilot_xds)"),
        stat("99 of 100 changes within", "s", quantile(0.99, "pilot_proxy_convergence_time", "")),
        stat("Refused by proxies", "short", orZero("sum(pilot_total_xds_rejects)")),
        stat(
          "Errors",
          "short",
          orZero("sum(pilot_total_xds_internal_errors)"),
          "While making configuration; in the log with stacks.",
        ),
        stat("Root ends in", "s", "min(citadel_server_root_cert_expiry_seconds)"),
        stat("Running for", "s", "min(istiod_uptime_seconds)"),
      ],
    },
    {
      title: "Configuration",
      panels: [
        graph("Pushes by type", "ops", { "{{type}}": rates("pilot_xds_pushes", "type") }),
        graph("From response to confirmation", "s", {
          p50: quantile(0.5, "pilot_proxy_convergence_time", ""),
          p99: quantile(0.99, "pilot_proxy_convergence_time", ""),
        }),
        graph("Making a response, 99 of 100 within", "s", {
          "{{type}}": quantile(0.99, "pilot_xds_push_time", "", "type"),
        }),
        graph("Waiting for its turn, 99 of 100 within", "s", { wait: quantile(0.99, "pilot_proxy_queue_time", "") }),
        graph("Size of responses, 99 of 100 below", "bytes", {
          "{{type}}": quantile(0.99, "pilot_xds_config_size_bytes", "", "type"),
        }),
        graph("Proxies", "short", { "version {{version}}": "sum by (version) (pilot_xds)" }),
      ],
    },
    {
      title: "Changes",
      panels: [
        graph("Changes that came in", "ops", { "{{type}}": rates("pilot_inbound_updates", "type") }),
        graph("Bursts, by what was in them", "ops", { "{{type}}": rates("pilot_push_triggers", "type") }),
        graph("Kinds of the mesh", "ops", { "{{type}} {{event}}": rates("pilot_k8s_cfg_events", "type", "event") }),
        graph("Kinds of the cluster", "ops", { "{{type}} {{event}}": rates("pilot_k8s_reg_events", "type", "event") }),
        graph("Gathering changes and working them in", "s", {
          "gathering, p99": quantile(0.99, "pilot_debounce_time", ""),
          "working, p99": quantile(0.99, "pilot_pushcontext_init_seconds", ""),
        }),
      ],
    },
    {
      title: "Certificates",
      panels: [
        graph("Requests", "ops", {
          asked: rates("citadel_server_csr_count"),
          issued: rates("citadel_server_success_cert_issuance_count"),
        }),
        graph("Not issued", "ops", {
          "caller not proven": rates("citadel_server_authentication_failure_count"),
          "request unreadable": rates("citadel_server_csr_parsing_err_count"),
          "other reason": rates("citadel_server_csr_sign_err_count"),
        }),
      ],
    },
    {
      title: "Webhooks",
      panels: [
        graph("Injection", "ops", {
          injected: rates("sidecar_injection_success_total"),
          "left as they are": rates("sidecar_injection_skip_total"),
          failed: rates("sidecar_injection_failure_total"),
        }),
        graph("Injection, 99 of 100 within", "s", { time: quantile(0.99, "sidecar_injection_time_seconds", "") }),
        graph("Validation", "ops", {
          valid: orZero(rates("galley_validation_passed")),
          refused: orZero(rates("galley_validation_failed")),
        }),
      ],
    },
    {
      title: "Process",
      panels: [
        graph("Processors busy", "none", { "{{pod}}": rates(`process_cpu_seconds_total{${ISTIOD}}`, "pod") }),
        graph("Memory", "bytes", {
          "resident, {{pod}}": `max by (pod) (process_resident_memory_bytes{${ISTIOD}})`,
          "heap, {{pod}}": `max by (pod) (nodejs_heap_size_used_bytes{${ISTIOD}})`,
        }),
        graph(
          "How long work waits for its turn",
          "s",
          { "{{pod}}": `max by (pod) (nodejs_eventloop_lag_p99_seconds{${ISTIOD}})` },
          "Delay of Node's event loop, the slowest hundredth.",
        ),
      ],
    },
  ],
};

const performance: Dashboard = {
  id: "performance",
  title: "Performance",
  help: "What the mesh costs: processors and memory of proxies, agents and control plane.",
  variables: [],
  rows: [
    {
      title: "Now",
      panels: [
        stat("Requests through proxies", "reqps", rates("istio_requests_total"), "Each is counted on both sides."),
        stat(
          "Processor seconds for 1,000 requests",
          "s",
          `1000 * ${rates("istio_agent_envoy_cpu_seconds_total")} / ${rates("istio_requests_total")}`,
          "Of one proxy; what TCP costs is in it.",
        ),
        stat("Memory of a proxy", "bytes", "avg(istio_agent_envoy_resident_memory_bytes)"),
        stat("Memory of an agent", "bytes", "avg(istio_agent_process_resident_memory_bytes)"),
      ],
    },
    {
      title: "Proxies",
      panels: [
        graph("Processors busy with Envoy", "none", {
          "{{namespace}}/{{pod}}": `topk(10, ${rates("istio_agent_envoy_cpu_seconds_total", "namespace", "pod")})`,
        }),
        graph("Memory of Envoy", "bytes", {
          "{{namespace}}/{{pod}}": "topk(10, max by (namespace, pod) (istio_agent_envoy_resident_memory_bytes))",
        }),
        graph("Memory that Envoy has in use", "bytes", {
          "{{namespace}}/{{pod}}": "topk(10, max by (namespace, pod) (envoy_server_memory_allocated))",
        }),
        graph("Processors busy with agents", "none", {
          "{{namespace}}/{{pod}}": `topk(10, ${rates("istio_agent_process_cpu_seconds_total", "namespace", "pod")})`,
        }),
      ],
    },
    {
      title: "Metrics themselves",
      panels: [
        graph(
          "Series of a proxy",
          "short",
          { "{{namespace}}/{{pod}}": 'topk(10, max by (namespace, pod) (scrape_samples_scraped{pod!=""}))' },
          "Many: leave labels out by a Telemetry, or take the lean mode (docs/guides/metrics.md).",
        ),
        graph("Time of a scrape", "s", {
          "{{namespace}}/{{pod}}": 'topk(10, max by (namespace, pod) (scrape_duration_seconds{pod!=""}))',
        }),
      ],
    },
    {
      title: "Control plane",
      panels: [
        graph("Processors busy", "none", { "{{pod}}": rates(`process_cpu_seconds_total{${ISTIOD}}`, "pod") }),
        graph("Memory", "bytes", { "{{pod}}": `max by (pod) (process_resident_memory_bytes{${ISTIOD}})` }),
        graph("Bytes of configuration", "Bps", {
          "{{type}}": rates("pilot_xds_config_size_bytes_sum", "type"),
        }),
      ],
    },
  ],
};

/** Dashboards over the metrics of control plane and agents. */
export const planeDashboards: readonly Dashboard[] = [controlPlane, performance];
