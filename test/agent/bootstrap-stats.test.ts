import { expect, test } from "vitest";
import { STATS_TAGS } from "../../src/agent/bootstrap-stats.ts";

/** As Envoy cuts a name: each expression looks at the whole name, and what the outer groups match is taken out of it. */
function cut(name: string): { readonly name: string; readonly labels: Record<string, string> } {
  const labels: Record<string, string> = {};
  const taken: (readonly [number, number])[] = [];
  for (const [tag, regex] of STATS_TAGS) {
    const match = new RegExp(regex, "d").exec(name);
    if (match === null) continue;
    labels[tag] = match[2]!;
    taken.push(match.indices![1]!);
  }
  const left = name.split("").filter((_, at) => !taken.some(([from, to]) => at >= from && at < to));
  return { name: left.join(""), labels };
}

const WEB = "outbound|80|v1|web.shop.svc.cluster.local";

// names as Envoy 1.40 prints them at /stats
test.each([
  [`cluster.${WEB};.upstream_cx_total`, "cluster.upstream_cx_total", { cluster_name: WEB }],
  [`cluster.${WEB};.upstream_rq_200`, "cluster.upstream_rq", { cluster_name: WEB, response_code: "200" }],
  [
    `cluster.${WEB};.external.upstream_rq_2xx`,
    "cluster.external.upstream_rq",
    { cluster_name: WEB, response_code_class: "2xx" },
  ],
  ["cluster.xds-grpc.upstream_cx_total", "cluster.upstream_cx_total", { cluster_name: "xds-grpc" }],
  ["cluster.xds-grpc.upstream_rq_0rtt", "cluster.upstream_rq_0rtt", { cluster_name: "xds-grpc" }],
  [
    "http.outbound_0.0.0.0_80;.downstream_rq_2xx",
    "http.downstream_rq",
    { http_conn_manager_prefix: "outbound_0.0.0.0_80", response_code_class: "2xx" },
  ],
  ["http.admin.downstream_cx_active", "http.downstream_cx_active", { http_conn_manager_prefix: "admin" }],
  [
    "listener.127.0.0.1_19902.http.outbound_0.0.0.0_80;.downstream_rq_2xx",
    "listener.http.downstream_rq",
    {
      listener_address: "127.0.0.1_19902",
      http_conn_manager_prefix: "outbound_0.0.0.0_80",
      response_code_class: "2xx",
    },
  ],
  ["listener.[__1]_19903.downstream_cx_total", "listener.downstream_cx_total", { listener_address: "[__1]_19903" }],
  [
    "listener.127.0.0.1_19902.worker_0.downstream_cx_total",
    "listener.worker_0.downstream_cx_total",
    { listener_address: "127.0.0.1_19902" },
  ],
  [
    "listener.admin.main_thread.downstream_cx_total",
    "listener.main_thread.downstream_cx_total",
    { listener_address: "admin" },
  ],
  [`tcp.${WEB};.downstream_cx_total`, "tcp.downstream_cx_total", { tcp_prefix: WEB }],
  ["listener_manager.total_listeners_active", "listener_manager.total_listeners_active", {}],
  ["cluster_manager.active_clusters", "cluster_manager.active_clusters", {}],
  ["server.memory_heap_size", "server.memory_heap_size", {}],
])("%s", (stat, name, labels) => {
  expect(cut(stat)).toEqual({ name, labels });
});
