/** Something with a page that can be opened: the pods that have it, by labels, and where it is. */
export interface DashboardTarget {
  /** Labels of its pods; absent: the pod is the argument. */
  readonly labels?: string;
  readonly port: number;
  readonly path: string;
  /** The control plane's own page, some of whose questions are answered here. */
  readonly isPage?: true;
}

/** By the word after `dashboard`; ports are those that the addons and istioctl use. */
export const TARGETS: Readonly<Record<string, DashboardTarget>> = {
  // istiod's ControlZ, in the place of which the page has the control plane's own part
  controlz: { labels: "app=istiod", port: 15_014, path: "/ui/#/meshd", isPage: true },
  grafana: { labels: "app.kubernetes.io/name=grafana", port: 3000, path: "/" },
  "istiod-debug": {
    labels: "app=istiod",
    port: 15_014,
    path: "/debug/list",
  },
  jaeger: { labels: "app=jaeger", port: 16_686, path: "/" },
  kiali: { labels: "app=kiali", port: 20_001, path: "/kiali" },
  mesh: { labels: "app=istiod", port: 15_014, path: "/ui/", isPage: true },
  prometheus: { labels: "app.kubernetes.io/name=prometheus", port: 9090, path: "/" },
  proxy: { port: 15_000, path: "/" },
  skywalking: { labels: "app=skywalking-ui", port: 8080, path: "/" },
  zipkin: { labels: "app=jaeger", port: 9411, path: "/zipkin" },
};
