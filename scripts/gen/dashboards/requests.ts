import { type Dashboard, graph, orZero, type Panel, quantile, rates, type Row, stat } from "./types.ts";

const REQUESTS = "istio_requests_total";
const DURATION = "istio_request_duration_milliseconds";
const FAILED = 'response_code=~"5..|0"';
const ANY_TRAFFIC = '{__name__=~"istio_requests_total|istio_tcp_connections_opened_total"}';

function with_(selector: string, more: string): string {
  return selector === "" ? more : `${selector},${more}`;
}

/** The part of requests that did not fail: 0 to 1. */
function success(selector: string, ...by: readonly string[]): string {
  const all = rates(`${REQUESTS}{${selector}}`, ...by);
  // a service without any failure has no series of failures: what is left over counts
  const good = rates(`${REQUESTS}{${with_(selector, 'response_code!~"5..|0"')}}`, ...by);
  return `${good} / ${all}`;
}

/** What is always asked first of some requests: how many, how well, how fast. */
function golden(selector: string): readonly Panel[] {
  return [
    stat("Requests", "reqps", rates(`${REQUESTS}{${selector}}`)),
    stat("Success", "percentunit", success(selector), "Without 5xx and without requests that got no answer."),
    stat("Half within", "ms", quantile(0.5, DURATION, selector)),
    stat("99 of 100 within", "ms", quantile(0.99, DURATION, selector)),
  ];
}

function latency(selector: string): Panel {
  return graph("Latency", "ms", {
    p50: quantile(0.5, DURATION, selector),
    p90: quantile(0.9, DURATION, selector),
    p99: quantile(0.99, DURATION, selector),
  });
}

function sizes(selector: string): Panel {
  return graph("Size on the wire, 9 of 10 below", "bytes", {
    request: quantile(0.9, "istio_request_bytes", selector),
    response: quantile(0.9, "istio_response_bytes", selector),
  });
}

function tcp(selector: string, by: string): readonly Panel[] {
  return [
    graph("TCP connections", "cps", {
      [`opened, {{${by}}}`]: rates(`istio_tcp_connections_opened_total{${selector}}`, by),
      [`closed, {{${by}}}`]: rates(`istio_tcp_connections_closed_total{${selector}}`, by),
    }),
    graph("TCP bytes", "Bps", {
      [`received, {{${by}}}`]: rates(`istio_tcp_received_bytes_total{${selector}}`, by),
      [`sent, {{${by}}}`]: rates(`istio_tcp_sent_bytes_total{${selector}}`, by),
    }),
  ];
}

const SERVED = 'reporter="destination"';

const services: Row = {
  title: "Services",
  panels: [
    {
      title: "Services now",
      kind: "table",
      unit: "short",
      queries: [
        { legend: "requests per second", expr: rates(`${REQUESTS}{${SERVED}}`, "destination_service") },
        { legend: "success", expr: success(SERVED, "destination_service") },
        { legend: "p50, ms", expr: quantile(0.5, DURATION, SERVED, "destination_service") },
        { legend: "p99, ms", expr: quantile(0.99, DURATION, SERVED, "destination_service") },
      ],
    },
    graph("Requests by service", "reqps", {
      "{{destination_service}}": rates(`${REQUESTS}{${SERVED}}`, "destination_service"),
    }),
    graph(
      "Failed requests by service",
      "reqps",
      { "{{destination_service}}": orZero(rates(`${REQUESTS}{${SERVED},${FAILED}}`, "destination_service")) },
      "A status of 5xx, or no answer.",
    ),
    graph("99 of 100 within, by service", "ms", {
      "{{destination_service}}": quantile(0.99, DURATION, SERVED, "destination_service"),
    }),
    graph("TCP bytes by service", "Bps", {
      "received, {{destination_service}}": rates(`istio_tcp_received_bytes_total{${SERVED}}`, "destination_service"),
      "sent, {{destination_service}}": rates(`istio_tcp_sent_bytes_total{${SERVED}}`, "destination_service"),
    }),
  ],
};

const mesh: Dashboard = {
  id: "mesh",
  title: "Mesh",
  help: "All that the mesh's proxies serve.",
  variables: [],
  rows: [
    {
      title: "Now",
      panels: [
        ...golden(SERVED),
        stat(
          "Secured",
          "percentunit",
          `${rates(`${REQUESTS}{${SERVED},connection_security_policy="mutual_tls"}`)} / ${rates(`${REQUESTS}{${SERVED}}`)}`,
          "The part of the requests that came by mutual TLS. meshctl mtls report tells who sends the others.",
        ),
        stat("Proxies", "short", "sum(pilot_xds)", "Connected to the control plane."),
      ],
    },
    services,
    {
      title: "Configuration",
      panels: [
        graph("What is configured", "short", {
          services: "max(pilot_services)",
          VirtualServices: "max(pilot_virt_services)",
          "subsets defined twice": "max(pilot_destrule_subsets)",
        }),
        graph(
          "Configuration that proxies refused",
          "short",
          { "{{type}}": orZero("sum by (type) (increase(pilot_total_xds_rejects[$__rate_interval]))") },
          "A proxy that refuses keeps what it had: meshctl proxy-status says why.",
        ),
      ],
    },
  ],
};

const ofService = 'reporter=~"$reporter",destination_service="$service"';

const service: Dashboard = {
  id: "service",
  title: "Service",
  help: "One service: how it is called, by whom, and which workloads answer.",
  variables: [
    { name: "service", label: "Service", of: ANY_TRAFFIC, values: "destination_service" },
    { name: "reporter", label: "As counted by", of: ANY_TRAFFIC, values: "reporter" },
  ],
  rows: [
    { title: "Now", panels: golden(ofService) },
    {
      title: "Requests",
      panels: [
        graph("By status", "reqps", { "{{response_code}}": rates(`${REQUESTS}{${ofService}}`, "response_code") }),
        graph("By client", "reqps", {
          "{{source_workload}}.{{source_workload_namespace}}": rates(
            `${REQUESTS}{${ofService}}`,
            "source_workload",
            "source_workload_namespace",
          ),
        }),
        graph("By workload that answers", "reqps", {
          "{{destination_workload}} {{destination_version}}": rates(
            `${REQUESTS}{${ofService}}`,
            "destination_workload",
            "destination_version",
          ),
        }),
        latency(ofService),
        graph("99 of 100 within, by client", "ms", {
          "{{source_workload}}": quantile(0.99, DURATION, ofService, "source_workload"),
        }),
        sizes(ofService),
        graph(
          "What proxies say of requests",
          "reqps",
          { "{{response_flags}}": rates(`${REQUESTS}{${ofService}}`, "response_flags") },
          "Envoy's flags; - is none. meshctl explain knows each of them.",
        ),
        graph("By protection", "reqps", {
          "{{connection_security_policy}}": rates(`${REQUESTS}{${ofService}}`, "connection_security_policy"),
        }),
      ],
    },
    { title: "TCP", panels: tcp('reporter=~"$reporter",destination_service=~".+"', "destination_service") },
  ],
};

const served = 'reporter="destination",destination_workload="$workload",destination_workload_namespace="$namespace"';
const sent = 'reporter="source",source_workload="$workload",source_workload_namespace="$namespace"';

const workload: Dashboard = {
  id: "workload",
  title: "Workload",
  help: "One workload: what it serves and what it asks of others.",
  variables: [
    { name: "namespace", label: "Namespace", of: ANY_TRAFFIC, values: "destination_workload_namespace" },
    {
      name: "workload",
      label: "Workload",
      of: '{__name__=~"istio_requests_total|istio_tcp_connections_opened_total",destination_workload_namespace="$namespace"}',
      values: "destination_workload",
    },
  ],
  rows: [
    { title: "What it serves", panels: golden(served) },
    {
      title: "Served",
      panels: [
        graph("By client", "reqps", { "{{source_workload}}": rates(`${REQUESTS}{${served}}`, "source_workload") }),
        graph("By status", "reqps", { "{{response_code}}": rates(`${REQUESTS}{${served}}`, "response_code") }),
        latency(served),
        sizes(served),
      ],
    },
    {
      title: "Asked of others",
      panels: [
        graph("By service", "reqps", {
          "{{destination_service}}": rates(`${REQUESTS}{${sent}}`, "destination_service"),
        }),
        graph(
          "Failed, by service",
          "reqps",
          { "{{destination_service}}": orZero(rates(`${REQUESTS}{${sent},${FAILED}}`, "destination_service")) },
          "A status of 5xx, or no answer.",
        ),
        graph("99 of 100 within, by service", "ms", {
          "{{destination_service}}": quantile(0.99, DURATION, sent, "destination_service"),
        }),
        graph("TCP bytes by service", "Bps", {
          "sent, {{destination_service}}": rates(`istio_tcp_sent_bytes_total{${sent}}`, "destination_service"),
          "received, {{destination_service}}": rates(`istio_tcp_received_bytes_total{${sent}}`, "destination_service"),
        }),
      ],
    },
  ],
};

const through = 'reporter="source",source_workload="$gateway"';

const gateway: Dashboard = {
  id: "gateway",
  title: "Gateway",
  help: "What comes in through one gateway, and where it goes.",
  variables: [
    {
      name: "gateway",
      label: "Gateway",
      of: 'istio_requests_total{reporter="source",source_workload=~".*gateway.*"}',
      values: "source_workload",
    },
  ],
  rows: [
    { title: "Now", panels: golden(through) },
    {
      title: "Requests",
      panels: [
        graph("By service", "reqps", {
          "{{destination_service}}": rates(`${REQUESTS}{${through}}`, "destination_service"),
        }),
        graph(
          "By status",
          "reqps",
          {
            "{{response_code}} {{response_flags}}": rates(`${REQUESTS}{${through}}`, "response_code", "response_flags"),
          },
          "404 NR: no route of any Gateway names the host or path.",
        ),
        latency(through),
        sizes(through),
        graph("99 of 100 within, by service", "ms", {
          "{{destination_service}}": quantile(0.99, DURATION, through, "destination_service"),
        }),
        graph("Bytes", "Bps", {
          in: rates(`istio_request_bytes_sum{${through}}`),
          out: rates(`istio_response_bytes_sum{${through}}`),
        }),
      ],
    },
    {
      title: "Its pods",
      panels: [
        graph("Processor time of Envoy", "none", {
          "{{pod}}": rates('istio_agent_envoy_cpu_seconds_total{pod=~"$gateway-.*"}', "pod"),
        }),
        graph("Memory of Envoy", "bytes", {
          "{{pod}}": 'max by (pod) (istio_agent_envoy_resident_memory_bytes{pod=~"$gateway-.*"})',
        }),
      ],
    },
  ],
};

/** Dashboards over the standard metrics. */
export const requestDashboards: readonly Dashboard[] = [mesh, service, workload, gateway];
