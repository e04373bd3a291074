/** Something with a page that can be opened: the pods that have it, by labels, and where it is. */
export interface DashboardTarget {
  readonly summary: string;
  /** Labels of its pods; absent: the pod is the argument. */
  readonly labels?: string;
  readonly port: number;
  readonly path: string;
}

/** By the word after `dashboard`; ports are those that the addons and istioctl use. */
export const TARGETS: Readonly<Record<string, DashboardTarget>> = {
  grafana: { summary: "Grafana", labels: "app.kubernetes.io/name=grafana", port: 3000, path: "/" },
  "istiod-debug": {
    summary: "The control plane's debug answers",
    labels: "app=istiod",
    port: 15_014,
    path: "/debug/list",
  },
  jaeger: { summary: "Jaeger", labels: "app=jaeger", port: 16_686, path: "/" },
  kiali: { summary: "Kiali", labels: "app=kiali", port: 20_001, path: "/kiali" },
  prometheus: { summary: "Prometheus", labels: "app.kubernetes.io/name=prometheus", port: 9090, path: "/" },
  proxy: { summary: "Envoy's admin page of a pod", port: 15_000, path: "/" },
  zipkin: { summary: "Zipkin's page of Jaeger", labels: "app=jaeger", port: 9411, path: "/zipkin" },
};
